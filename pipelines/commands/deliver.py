"""`labelmill deliver`: a person's own rows become a dataset that is checked, sent and followed to its end.

How is in pipelines/own_data/ and processing/dataset/check.py; here all of it is put in order and said.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.arguments import period
from pipelines.commands.check import lines as check_lines
from pipelines.commands.shared import Subparsers, add_stack, guarded, wrapped
from pipelines.errors import Refused
from processing.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.failures.failure import Stack
    from pipelines.monitoring.outcome import Outcome
    from pipelines.own_data.group_rows import Rows
    from pipelines.own_data.sending import Sent
    from pipelines.own_data.settings import Settings

ALL = "all"
EPILOG = """\
Which column is which, and the groups, are in labelmill.toml (labelmill init writes
it; docs/own-data.md). Every dataset is judged before any is sent. What is sent is
followed until its end: a training to its verdict, a month to its labels. Ctrl-C
ends the looking, not the run.

Exit code: 0 it ended well (with --no-wait: it was sent), 1 it did not, 2 the
command line was wrong.

Examples:
  labelmill deliver training DE-weee 2026-10 items.csv --publish-codebook
  labelmill deliver inference all 2026-10 month/ --no-wait
  labelmill deliver inference DE-weee 2026-10 --from-stdin
"""
#: Longer than a message waits for a function (of the template, with what is tried again): then nothing comes.
IDLE_SECONDS = 15 * 60
#: What standard input is, by how it begins; else it is a CSV.
BEGINS = {b"PK\x03\x04": ".xlsx", b"PAR1": ".parquet", b"{": ".jsonl"}


def add_parser(subparsers: Subparsers) -> None:
    """Add `deliver` to the command line."""
    parser = subparsers.add_parser(
        "deliver",
        description="Check your own rows, send them as a dataset, and follow what comes of it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("purpose", choices=("training", "inference"), help="what the rows are for")
    parser.add_argument("group", metavar="GROUP", help="a model group of labelmill.toml, or all")
    parser.add_argument("period", metavar="YYYY-MM", type=period, help="their month")
    parser.add_argument("path", nargs="?", type=Path, metavar="PATH", help="a file, or a folder of them")
    parser.add_argument("--from-stdin", action="store_true", help="read the file from standard input")
    parser.add_argument(
        "--publish-codebook", action="store_true", help="publish the groups' codebooks before"
    )
    parser.add_argument("--no-wait", action="store_true", help="do not follow what was sent")
    parser.add_argument(
        "--settings", type=Path, default=Path("labelmill.toml"), metavar="FILE", help="default: %(default)s"
    )
    add_stack(parser)
    parser.set_defaults(run=guarded(_deliver))


def _deliver(args: argparse.Namespace) -> int:
    from pipelines.failures.failure import open_stack
    from pipelines.own_data import group_rows, sending, settings

    if (args.path is None) != args.from_stdin:
        print("labelmill deliver: rows from where? Fix: name either PATH or --from-stdin", file=sys.stderr)
        return 2
    own = settings.read(args.settings)
    groups = list(own.groups) if args.group == ALL else [args.group]
    for group in groups:
        own.group(group)
    stack = open_stack(args.stack)
    books = {group: _codebook(stack, own, group, args.publish_codebook) for group in groups}
    with tempfile.TemporaryDirectory() as scratch, _path(args, Path(scratch)) as path:
        rows = group_rows.read(path, own, books, args.purpose)
        for group in groups:
            if left := rows[group].left_out:
                print(f"{group}: {counted(left, 'row')} without a code left out")
        bucket, now = stack.outputs["LandingBucket"], datetime.now(UTC)
        keys = {
            group: group_rows.write(
                rows[group], Path(scratch) / group, args.purpose, args.period, bucket, now
            )
            for group in groups
        }
        if not all([_judged(Path(scratch) / group, rows[group], books[group], args) for group in groups]):
            print("\nNothing was sent.", file=sys.stderr)
            return 1
        if args.publish_codebook:
            for group in groups:
                _publish(stack, books[group])
        s3 = stack.client("s3")
        sent = [sending.send(Path(scratch) / group, keys[group], s3, bucket) for group in groups]
    for each in sent:
        print(f"{each.group}: sent to {each.dataset}\n  run {each.run}")
    if args.no_wait:
        return 0
    try:
        return _follow(stack, sent)
    except KeyboardInterrupt:
        print("The runs go on; labelmill runs watch shows them.", file=sys.stderr)
        raise


def _codebook(stack: Stack, own: Settings, group: str, from_file: bool) -> dict[str, Any]:
    """The codebook that judges the rows: the file's where it is to be published, else the published one."""
    from pipelines.codebooks import publish, read

    if from_file:
        book = read.read(own.group(group).codebook)
        if book["group"] != group:
            raise Refused(
                f"{own.group(group).codebook} is the codebook of {book['group']}, not of {group}. "
                f"Fix: name the right file in {own.path}"
            )
        return book
    dynamodb, s3 = stack.client("dynamodb"), stack.client("s3")
    if not publish.current_codebook(group, dynamodb=dynamodb, table=stack.table):
        raise Refused(
            f"{group} has no codebook in this stack. Fix: add --publish-codebook to publish "
            f"{own.group(group).codebook}"
        )
    return publish.published(group, s3=s3, dynamodb=dynamodb, table=stack.table)


@contextmanager
def _path(args: argparse.Namespace, scratch: Path) -> Iterator[Path]:
    """Where the rows are: what is read from standard input is kept meanwhile."""
    if args.path:
        yield args.path
        return
    content = sys.stdin.buffer.read()
    ending = next((each for begin, each in BEGINS.items() if content.startswith(begin)), ".csv")
    path = scratch / f"stdin{ending}"
    path.write_bytes(content)
    yield path


def _judged(folder: Path, rows: Rows, book: dict[str, Any], args: argparse.Namespace) -> bool:
    """Whether a dataset would be taken; said in a line, or with all that is wrong with it."""
    from pipelines.own_data import dataset
    from processing.codes import codebook
    from processing.dataset.check import check
    from processing.policy import Policy

    found = check(
        folder,
        codebook.parse(book),
        Policy.parse(json.dumps(book.get("policy", {}))),
        period=args.period,
        purpose=args.purpose,
    )
    found["findings"] = dataset.located(found["findings"], rows.own)
    if not found["taken"]:
        print("\n".join(check_lines({"dataset": str(args.path or "standard input"), **found})))
        return False
    print(f"{book['group']}: {counted(found['rows'], 'row')}, usable {found['usable']:,}")
    for name, finding in found["findings"].items():
        first = ", ".join(
            f"{place['file']}, row {place['row']}" for place in finding["first"][:1] if place["row"]
        )
        where = f" (first: {first})" if first else ""
        print("\n".join(wrapped(f"{name} ({finding['outcome']}): {finding['count']:,}{where}", "  ")))
    if "comparison" in found:
        print("\n".join(wrapped(found["comparison"]["sentence"], "  ")))
    return True


def _publish(stack: Stack, book: dict[str, Any]) -> None:
    from pipelines.codebooks.publish import publish

    done = publish(
        book,
        s3=stack.client("s3"),
        dynamodb=stack.client("dynamodb"),
        work_bucket=stack.outputs["WorkBucket"],
        table=stack.table,
        now=datetime.now(UTC),
    )
    print(
        f"{done.group}: codebook {done.version} {'is published' if done.changed else 'was published before'}"
    )


def _follow(stack: Stack, sent: list[Sent]) -> int:
    """Show the groups' runs until something has come of every dataset; 1 where not all ended well."""
    from pipelines.commands.watch_runs import RunScreen
    from pipelines.monitoring import watch
    from pipelines.monitoring.outcome import outcome

    outcomes: list[Outcome] = []
    waiting = [each.run for each in sent]
    with RunScreen() as screen:
        for known, found in watch.looks(stack, {each.group for each in sent}, IDLE_SECONDS):
            screen.look(found, f"groups done: {len(outcomes)} of {len(sent)}; " if len(sent) > 1 else "")
            for run in list(waiting):
                if what := outcome(known, run):
                    waiting.remove(run)
                    outcomes.append(what)
                    screen.say("\n".join(("", *_end_lines(what))))
            if not waiting:
                break
    for run in waiting:
        print(f"\n{run}: nothing has run for {IDLE_SECONDS // 60} minutes.\n  labelmill failures")
    return 0 if not waiting and all(each.well for each in outcomes) else 1


def _end_lines(ended: Outcome) -> Iterator[str]:
    yield from wrapped(f"{ended.group}: {ended.sentence}")
    yield from (f"  {step}" for step in ended.next_steps)
