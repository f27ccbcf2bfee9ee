"""What reviewers decided: one JSON line an item, with all its fields, so that it is a training row as well.

Besides the item's own fields a line has `label` (the code that was decided on), `suggested` (the model's),
`decided_by` (the name the reviewer gives) and `decided_at` (UTC, ISO 8601).
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.dataset import jsonlines
from processing.dataset.readers import ARROW_TYPES
from processing.errors import BadData

DECISION = pa.schema(
    [(name, pa.string()) for name in ("item_id", "label", "suggested", "decided_by", "decided_at")]
)


def files(folder: Path) -> list[Path]:
    """The files with decisions in a folder; there are none before the first review."""
    return sorted(folder.rglob("*.jsonl"))


def read_decisions(folder: Path) -> pa.Table:
    """The decisions in a folder, columns as in DECISION. Raises BadData."""
    return _read(folder, DECISION)


def read_rows(folder: Path, columns: Mapping[str, str]) -> pa.Table:
    """All decisions in a folder as dataset rows: the latest on each item, with `columns` (name to kind).

    A column that an item lacks, as it was declared later, is null. `_file`, `_row`, `_unreadable` are those
    of processing.dataset.data_files. Raises BadData.
    """
    schema = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in columns.items()])
    table = _read(folder, schema.append(pa.field("decided_at", pa.string())))
    numbered = table.append_column("at", pa.array(np.arange(len(table))))
    newest = numbered.sort_by([("decided_at", "descending"), ("at", "descending")])
    kept = newest.group_by("item_id", use_threads=False).aggregate([("at", "first")])["at_first"]
    rows = table.take(np.sort(kept.to_numpy()))
    rows = rows.drop_columns(["decided_at"])
    origin = pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), pa.array(["reviewed items"]))
    rows = rows.append_column("_file", origin)
    rows = rows.append_column("_row", pa.array(np.arange(1, len(rows) + 1, dtype=np.int32)))
    return rows.append_column("_unreadable", pa.nulls(len(rows), pa.string()))


def merge(table: pa.Table, decided: pa.Table) -> pa.Table:
    """A dataset's rows and the decided ones; where both have an item, a person's word counts."""
    if not decided.num_rows:
        return table
    known = pc.is_in(table["item_id"], value_set=decided["item_id"].combine_chunks())
    return pa.concat_tables([table.filter(pc.invert(known)), decided.select(table.column_names)])


def _read(folder: Path, schema: pa.Schema) -> pa.Table:
    tables = [schema.empty_table()]
    for path in files(folder):
        try:
            tables.append(jsonlines.read(path.read_bytes(), schema, other_fields="ignore"))
        except pa.ArrowInvalid as error:
            raise BadData(
                f"The decisions in {path.parent.name}/{path.name} cannot be read ({error}).",
                "restore that object's first version in the work bucket.",
            ) from None
    return pa.concat_tables(tables)
