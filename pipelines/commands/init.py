"""`labelmill init`: from a person's own file a codebook for each group, and labelmill.toml.

What is written is made in pipelines/own_data/; here people are asked what cannot be guessed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands.own_columns import add_columns, lines, said, stated
from pipelines.commands.shared import Subparsers, guarded, wrapped
from pipelines.errors import Refused
from pipelines.names import GROUP_PATTERN
from processing.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

EPILOG = """\
Columns are guessed, as by labelmill try. What is neither given nor guessed is
asked for on a terminal. No file is written over without --overwrite.

Examples:
  labelmill init items.csv --group DE-weee
  labelmill init items.xlsx --title Bezeichnung --group DE-weee --language de
  labelmill init all.csv --split-by Land --group Deutschland=DE-weee --group Italia=IT-weee
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `init` to the command line."""
    parser = subparsers.add_parser(
        "init",
        description="Write a codebook and labelmill.toml from your own file (docs/own-data.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file with codes, or a folder of them")
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="GROUP",
        help="the model group, such as DE-weee; with --split-by VALUE=GROUP, for each group once",
    )
    parser.add_argument("--split-by", metavar="COL", help="the column that says of which group a row is")
    parser.add_argument("--language", default="en", help="of the codes' descriptions (default: %(default)s)")
    add_columns(parser)
    parser.add_argument("--dir", type=Path, default=Path("."), help="where to write (default: here)")
    parser.add_argument("--overwrite", action="store_true", help="write over files that are there")
    parser.set_defaults(run=guarded(_init))


def _init(args: argparse.Namespace) -> int:
    from pipelines.own_data import columns, dataset, draft, settings, tables
    from pipelines.warehouse.unload import month_before

    format_ = stated(args)
    with tables.opened(args.file, format_) as files:
        table = files.read()
        if args.split_by and args.split_by not in files.columns:
            raise Refused(
                f"There is no column {args.split_by!r}. Fix: name one of {', '.join(files.columns)}"
            )
        which = columns.guess(
            table.drop_columns([args.split_by] if args.split_by else []), said(args), args.attribute
        )
        for role, option in ((columns.TITLE, "--title"), (columns.CODE, "--code")):
            columns.check_has(which, role, table, option)
        table = files.read(which.numbers)
    print(f"{args.file}: {counted(table.num_rows, 'row')}")
    print(
        "\n".join((*lines(which), *(line for each in which.warnings for line in wrapped(f"Note: {each}."))))
    )
    groups = _groups(args, table)
    now = datetime.now(UTC)
    version, words = f"{now:%Y-%m}", draft.in_words(table, which)
    written, kept = {}, {}
    for group, value in groups.items():
        own = dataset.of_value(table, args.split_by, value) if args.split_by else table
        labelled = dataset.with_code(own, which)
        empty = dataset.empty(labelled, which)
        book = draft.codebook(
            dataset.canonical(labelled, which, labelled=True),
            which.without_attributes(empty),
            group=group,
            version=version,
            language=args.language,
            file=args.file.name,
            descriptions=words,
        )
        name = Path("codebooks") / f"{group}.json"
        written[args.dir / name] = json.dumps(book, ensure_ascii=False, indent=2) + "\n"
        without = tuple(role for role in settings.OPTIONAL if which.roles.get(role) in empty)
        kept[group] = settings.Group(name, value, without)
    own_settings = settings.Settings(
        args.dir / settings.FILE, which.roles, which.attributes, kept, args.split_by or "", format_
    )
    written[own_settings.path] = settings.as_text(own_settings, args.file.name)
    _write(written, args.overwrite)
    first, ended = next(iter(groups)), month_before(now, "UTC")
    print("\nWritten:", *written, sep="\n  ")
    print(
        f"\nNext: describe the codes in {args.dir / kept[first].codebook}, then send the rows,\n"
        "on this machine (to AWS: without local run):\n"
        f"  labelmill local run deliver training {first} {ended} {args.file} --publish-codebook"
    )
    return 0


def _groups(args: argparse.Namespace, table: pa.Table) -> dict[str, str]:
    """Model group to the value that its rows have; empty where the file is of one group."""
    from pipelines.own_data import dataset
    from pipelines.own_data.settings import check_group

    if not args.split_by:
        names = args.group or [_ask("The model group, country and scheme like DE-weee", "--group")]
        if len(names) > 1:
            raise Refused("There are several groups, and no column tells them apart. Fix: add --split-by COL")
        return {check_group(names[0]): ""}
    values = dataset.values_of(table, args.split_by)
    pairs = dict(reversed(each.rpartition("=")[::2]) for each in args.group)
    if not args.group:
        pairs = {value: value for value in values if value}
        for value in pairs:
            if not re.fullmatch(GROUP_PATTERN, value):
                raise Refused(
                    f"{value!r} is not a model group. Fix: write --group VALUE=GROUP, such as {value}=DE-weee"
                )
    groups = {}
    for group, value in pairs.items():
        if (value or group) not in values:
            raise Refused(
                f"No row has {value or group!r} in {args.split_by!r}. Fix: write --group VALUE=GROUP, "
                f"with one of the values {', '.join(list(values)[:20])}"
            )
        groups[check_group(group)] = value or group
    left = {value: count for value, count in values.items() if value not in groups.values()}
    if left:
        print(f"Left out, as no group has them: {counted(sum(left.values()), 'row')} ({', '.join(left)})")
    return groups


def _ask(question: str, option: str) -> str:
    if not sys.stdin.isatty():
        raise Refused(f"{question} is not known. Fix: add {option}")
    return input(f"{question}: ").strip()


def _write(texts: dict[Path, str], overwrite: bool) -> None:
    there = [str(path) for path in texts if path.exists()]
    if there and not overwrite:
        raise Refused(f"{there[0]} is there already. Fix: add --overwrite, or another --dir")
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Refused(
                f"{path} cannot be written ({error.strerror}). Fix: name another folder with --dir"
            ) from None
