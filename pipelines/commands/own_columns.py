"""What the commands on a person's own file share: the options that name columns, and how a guess is shown."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.own_data.columns import Columns
    from processing.codes.codebook import Format

#: Option to role, and what the column holds.
OPTIONS = {
    "title": ("title", "the items' titles"),
    "code": ("label", "the codes"),
    "id": ("item_id", "the items' ids"),
    "brand": ("brand", "brands"),
    "product_type": ("product_type", "product types"),
}
TAKEN_FOR = {role: option for option, (role, _) in OPTIONS.items()}


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Give the parser the options that say what the file is like; what is not said is guessed."""
    for option, (_, what) in OPTIONS.items():
        parser.add_argument(
            f"--{option.replace('_', '-')}", metavar="COL", help=f'the column with {what}; "" for none'
        )
    parser.add_argument(
        "--attribute",
        action="append",
        metavar="COL",
        help="another column to learn from; may be given several times (default: guessed)",
    )
    parser.add_argument(
        "--separator", metavar="SIGN", help="between the fields of a CSV (default: recognised)"
    )
    parser.add_argument(
        "--encoding", metavar="NAME", help="of a text file, such as windows-1252 (default: utf-8)"
    )


def said(args: argparse.Namespace) -> dict[str, str | None]:
    """Role to the column that was named, None where none was."""
    return {role: getattr(args, option) for option, (role, _) in OPTIONS.items()}


def stated(args: argparse.Namespace) -> Format:
    """What was said of text files. Raises Refused."""
    from pipelines.own_data.settings import file_format

    given = {name: getattr(args, name) for name in ("separator", "encoding") if getattr(args, name)}
    return file_format(given, "the command line")


def shown(columns: Columns) -> list[dict[str, Any]]:
    """Each column of the file with what it was `taken_for` and `why`."""
    rows = [(column, TAKEN_FOR[role].replace("_", " ")) for role, column in columns.roles.items()]
    rows += [(column, f"attribute ({columns.kinds[name]})") for name, column in columns.attributes.items()]
    found = [{"column": name, "taken_for": what, "why": columns.how[name]} for name, what in rows]
    return found + [
        {"column": name, "taken_for": "left out", "why": why} for name, why in columns.left_out.items()
    ]


def lines(columns: Columns) -> Iterator[str]:
    """The same for a terminal."""
    rows = shown(columns)
    width = max((len(row["column"]) for row in rows), default=0)
    for row in rows:
        yield f"  {row['column']:{min(width, 30)}}  {row['taken_for']}, {row['why']}"
