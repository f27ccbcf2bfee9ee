"""The rows of each group in a person's files, and their datasets on this machine, to be judged and sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.errors import Refused
from pipelines.names import address
from pipelines.own_data import dataset, sending, tables
from pipelines.own_data.columns import Columns
from pipelines.own_data.settings import Settings

#: In so many rows a column that is worth learning from is not empty by chance.
MANY_ROWS = 100


@dataclass(frozen=True)
class Rows:
    """A group's rows as they are in the files, which column is which, and how many had no code."""

    group: str
    own: pa.Table
    columns: Columns
    left_out: int


def read(path: Path, own: Settings, books: Mapping[str, dict[str, Any]], purpose: str) -> dict[str, Rows]:
    """The rows of each group of `books`, its codebooks by name; of a training those that have a code.

    Raises:
        Refused: a column or a group's rows are not there, a column to learn from is empty in all of many
            rows, or a file cannot be read.
        BadData: it is none that Prepare would read.
    """
    which = {group: own.columns(book, purpose) for group, book in books.items()}
    with tables.opened(path, own.stated) as files:
        for group, columns in which.items():
            own.check_columns(columns, list(files.columns), group, path.name)
        table = files.read(frozenset(name for columns in which.values() for name in columns.numbers))
    found = {}
    for group, columns in which.items():
        rows = table
        if own.split_by:
            rows = dataset.of_value(table, own.split_by, own.groups[group].rows)
        if own.split_by and not rows.num_rows:
            there = ", ".join(list(dataset.values_of(table, own.split_by))[:20])
            raise Refused(
                f"{path.name} has no row of {group}: none has {own.groups[group].rows!r} in "
                f"{own.split_by!r}. Fix: correct rows in {own.path}; there are {there}"
            )
        kept = dataset.with_code(rows, columns) if purpose == "training" else rows
        found[group] = Rows(group, kept, columns, rows.num_rows - kept.num_rows)
        if kept.num_rows >= MANY_ROWS:
            own.check_filled(dataset.empty(kept, columns), columns, group, path.name)
    return found


def write(rows: Rows, folder: Path, purpose: str, period: str, bucket: str, now: datetime) -> str:
    """Write a group's dataset into a new folder, with the manifest; its key in the landing bucket."""
    made = dataset.canonical(rows.own, rows.columns, labelled=purpose == "training")
    folder.mkdir()
    key = sending.key_of(dataset.write(made, folder), purpose, rows.group, period, now)
    dataset.write(made, folder, address(bucket, key))
    return key
