"""Since when each text has been among a group's labelled rows: no model of an earlier period has seen it.

A folder of the group has one Parquet file for each training run, of the texts that no earlier period had.
Runs only add to it, so runs at the same time, again or late lose nothing: of several periods the earliest
counts.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.arrays import Booleans
from processing.errors import BadData

#: Stands for the period of the texts that were there when recording began: any model may have seen them.
FROM_START = ""
#: Texts of so many periods, the last in which texts came, are recent: a small group has some 50 a month.
RECENT = 3
SCHEMA = pa.schema([("text_key", pa.string()), ("since", pa.string())])


def since(text_key: pa.Array, folder: Path, run: str, period: str) -> tuple[pa.Array, pa.Table]:
    """The period in which each row's text came, shape (n_rows,), and what the run is to record.

    Args:
        text_key: of the run's labelled rows.
        folder: the files of all runs; none before the group's first training.
        run: the run, whose own file an earlier attempt may have written.
        period: the run's.

    Raises:
        BadData: a file cannot be read.
    """
    files = {path.stem: _read(path) for path in sorted(folder.rglob("*.parquet"))}
    recorded = _recorded(text_key, list(files.values()))
    new = period if files else FROM_START
    found = pc.min_element_wise(recorded, new)
    elsewhere = _recorded(text_key, [table for name, table in files.items() if name != run])
    earlier = pc.fill_null(pc.less(found, elsewhere), True)
    # What an earlier attempt recorded stays: a file that is written again replaces it.
    own = files.get(run, SCHEMA.empty_table())
    made = pa.concat_tables([own, pa.table([text_key, found], schema=SCHEMA).filter(earlier)])
    return found, made.group_by(SCHEMA.names).aggregate([])


def write(texts: pa.Table, folder: Path, run: str) -> None:
    """Write what a run is to record."""
    pq.write_table(texts, folder / f"{run}.parquet")


def is_recent(since: pa.Array | pa.ChunkedArray) -> Booleans:
    """Which rows are of the last RECENT periods in which texts came, shape (n_rows,)."""
    periods = sorted(set(pc.unique(since).to_pylist()) - {FROM_START})
    return np.asarray(pc.is_in(since, value_set=pa.array(periods[-RECENT:], pa.string())), bool)


def _recorded(text_key: pa.Array, tables: list[pa.Table]) -> pa.Array:
    """The earliest period that the tables have for each text; null where they have none."""
    known = pa.concat_tables([SCHEMA.empty_table(), *tables])
    known = known.group_by("text_key").aggregate([("since", "min")]).combine_chunks()
    at = pc.index_in(text_key, value_set=known["text_key"])
    return known["since_min"].combine_chunks().take(at)


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, schema=SCHEMA)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadData(
            f"{path.name}, the texts that a run saw first, cannot be read ({error}).",
            "restore that object's first version in the work bucket.",
        ) from None
