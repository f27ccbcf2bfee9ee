"""`labelmill codebook`: check, show, compare and publish codebooks."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.display import lines
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_table
from processing.words import counted

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

EPILOG = """\
A codebook is a file, or the name of a model group for the one that is published.

Examples:
  labelmill codebook check pipelines/codebooks/files/*.json
  labelmill codebook show DE-weee
  labelmill codebook diff DE-weee pipelines/codebooks/files/DE-weee.json
  labelmill codebook publish pipelines/codebooks/files/DE-weee.json
  labelmill codebook from-csv codes.csv --group DE-weee --version 2026-10 --language de --source ElektroG
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `codebook` and its verbs to the command line."""
    parser = subparsers.add_parser(
        "codebook",
        description="Check, show, compare and publish codebooks (docs/codebooks.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    check = verbs.add_parser(
        "check",
        help="check a file: every problem and its fix",
        epilog="Example: labelmill codebook check DE-weee.json",
    )
    check.add_argument("files", nargs="+", metavar="FILE")
    check.set_defaults(run=guarded(_check))

    show = verbs.add_parser(
        "show",
        help="the codes, when each is in force and what replaces it",
        epilog="Example: labelmill codebook show DE-weee",
    )
    show.add_argument("codebook", metavar="GROUP", help="a model group, or a codebook's file")
    show.add_argument("--json", action="store_true", help="print it as JSON")
    show.set_defaults(run=guarded(_show, talks=lambda args: not is_file(args.codebook)))

    diff = verbs.add_parser(
        "diff",
        help="what changes from A to B",
        epilog="Example: labelmill codebook diff DE-weee DE-weee.json",
    )
    diff.add_argument("before", metavar="A", help="a model group, or a codebook's file")
    diff.add_argument("after", metavar="B", help="a model group, or a codebook's file")
    diff.set_defaults(
        run=guarded(_diff, talks=lambda args: not (is_file(args.before) and is_file(args.after)))
    )

    publish = verbs.add_parser(
        "publish",
        help="make the file the current codebook of its model group",
        epilog="Example: labelmill codebook publish DE-weee.json",
    )
    publish.add_argument("file", metavar="FILE")
    publish.set_defaults(run=guarded(_publish))

    from_csv = verbs.add_parser(
        "from-csv",
        help="print a codebook made from a list of codes",
        epilog="Example: labelmill codebook from-csv codes.csv --group DE-weee --version 2026-10 "
        "--language de --source ElektroG",
    )
    from_csv.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="columns code, description, valid_from; also valid_to, critical",
    )
    from_csv.add_argument("--group", required=True, help="such as DE-weee")
    from_csv.add_argument("--version", required=True, help="such as 2026-10")
    from_csv.add_argument("--language", required=True, help="of the descriptions, such as de")
    from_csv.add_argument("--source", required=True, help="the law and its annex")
    from_csv.set_defaults(run=guarded(_from_csv))

    add_stack(show, diff, publish)


def _check(args: argparse.Namespace) -> int:
    from pipelines.codebooks import crosswalk
    from pipelines.codebooks.read import CodebookError, read

    failed = 0
    for file in args.files:
        try:
            book = read(file)
        except CodebookError as error:
            print(error, file=sys.stderr)
            failed += 1
        else:
            learns = crosswalk.in_words(book)
            print(
                f"{file}: OK. {book['group']} {book['version']}, {counted(len(book['codes']), 'code')}"
                f"{f', {learns}' if learns else ''}"
            )
    return 1 if failed else 0


def _from_csv(args: argparse.Namespace) -> int:
    from pipelines.codebooks.from_csv import from_csv

    made = from_csv(args.file, args.group, args.version, args.language, args.source)
    print(json.dumps(made, ensure_ascii=False, indent=2))
    return 0


def _show(args: argparse.Namespace) -> int:
    book = load(args.codebook, args.stack)
    if args.json:
        print(json.dumps(book, ensure_ascii=False, indent=2))
        return 0
    followers = {
        code: f"{', '.join(entry['to'])} ({entry['kind']} on {entry['date']})"
        for entry in book.get("successions", [])
        for code in entry["from"]
    }
    learns = any("same_as" in entry for entry in book["codes"])
    cells = [
        (
            entry["code"],
            entry["description"],
            entry["valid_from"],
            entry["valid_to"] or "",
            "yes" if entry["critical"] else "",
            followers.get(entry["code"], ""),
            *([", ".join(entry.get("same_as", ()))] if learns else []),
        )
        for entry in book["codes"]
    ]
    print(lines(f"{book['group']} {book['version']}\nsource: {book['source']}"))
    if note := book.get("note"):
        print(lines(f"note: {note}"))
    print()
    titles = ("code", "description", "from", "to", "critical", "followed by")
    return print_table((*titles, "same as") if learns else titles, cells)


def _diff(args: argparse.Namespace) -> int:
    from pipelines.codebooks.changes import changes

    found = list(changes(load(args.before, args.stack), load(args.after, args.stack)))
    print("\n".join(found) if found else "no difference")
    return 0


def _publish(args: argparse.Namespace) -> int:
    from pipelines.codebooks.publish import publish

    names, s3, dynamodb = _stack(args.stack)
    done = publish(
        args.file,
        s3=s3,
        dynamodb=dynamodb,
        work_bucket=names["WorkBucket"],
        table=names["LedgerTable"],
        now=datetime.now(UTC),
    )
    how = f"is already current, since {done.published_at}"
    if done.changed:
        how = f"is current now (before: {done.replaces or 'none'})"
        if done.older:
            print(
                f"Warning: {done.version} is older than {done.replaces}, which it replaces: runs now use "
                f"the older codes. If you did not mean this, publish {done.replaces} again.",
                file=sys.stderr,
            )
    if done.retired_at:
        print(
            f"Warning: {done.group} is retired since {done.retired_at} and stays so: nothing of it is "
            "ordered, trained on or labelled. "
            f"To take it up again: labelmill groups revive {done.group} --reason TEXT",
            file=sys.stderr,
        )
    if done.learned_from_it:
        print(
            f"Warning: {done.group} has stopped sharing its rows: the next models of "
            f"{', '.join(done.learned_from_it)} learn without them, and may be worse. Models of now stay.",
            file=sys.stderr,
        )
    if done.cut_off:
        print(f"Warning: {done.group} ends codes that other groups learn from:", file=sys.stderr)
        print(*done.cut_off, sep="\n", file=sys.stderr)
    print(f"{done.group} {done.version} {how}\n{done.uri}\nsha256 {done.digest}")
    return 0


def load(name: str, stack: str) -> dict[str, Any]:
    """A codebook by its file, or by its model group the published one."""
    from pipelines.codebooks.publish import published
    from pipelines.codebooks.read import read

    if is_file(name):
        return read(name)
    names, s3, dynamodb = _stack(stack)
    return published(name, s3=s3, dynamodb=dynamodb, table=names["LedgerTable"])


def is_file(name: str) -> bool:
    """Whether a codebook's file is named, not a model group."""
    return name.endswith(".json") or Path(name).exists()


def _stack(name: str) -> tuple[dict[str, str], S3Client, DynamoDBClient]:
    import boto3

    from pipelines.stack import outputs

    return outputs(name, boto3.client("cloudformation")), boto3.client("s3"), boto3.client("dynamodb")
