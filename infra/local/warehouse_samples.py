"""Synthetic items in the tables of the local warehouse."""

import pyarrow as pa
import pyarrow.parquet

from infra.local.stack import LocalStack
from infra.samples import generate


def load(stack: LocalStack, group: str, period: str, start: int, count: int, labelled: bool) -> None:
    """Add `count` items of `group` from number `start` on: labelled by, or sold in, `period`."""
    items = pa.Table.from_pylist(
        [
            {"model_group": group, "period": period, **row}
            for row in generate.items(group, start, count, labelled)
        ]
    )
    table = stack.folder / "warehouse" / ("labelled_items" if labelled else "new_items")
    table.mkdir(exist_ok=True)
    unfinished = table / f"{group}-{period}.unfinished"  # a statement may be reading the table
    pa.parquet.write_table(items, unfinished)
    unfinished.rename(unfinished.with_suffix(".parquet"))
