"""Synthetic items in the tables of the local warehouse."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from infra.local.samples import generate


def load(folder: Path, group: str, period: str, start: int, count: int, labelled: bool) -> None:
    """Add `count` items of `group` from number `start` on, known or sold in `period`, to a stack's warehouse.

    `folder` is the stack's. With `labelled` the table is `labelled_items`, else `new_items`.
    """
    rows = generate.items(group, start, count, labelled)
    table = folder / "warehouse" / ("labelled_items" if labelled else "new_items")
    table.mkdir(parents=True, exist_ok=True)
    items = pa.Table.from_pylist([{"model_group": group, "period": period, **row} for row in rows])
    pa.parquet.write_table(items, table / f"{group}-{period}.parquet")
