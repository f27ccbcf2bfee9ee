"""What reviewers decided: one JSON line an item, with all its fields, so that it is a training row as well.

Besides the item's own fields and its `text_key` a line has `answer` (of ANSWERS), `label` (the code, null
unless the answer is `code`), `suggested` (the model's code), `decided_by` (the name the reviewer gives),
`decided_at` (UTC, ISO 8601), `why`, and `decided_on`: the item that the reviewer looked at, where it is
another one of the same family (processing/labels/families.py). How labels take decisions is in
processing/labels/kept_decisions.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.recode import recode
from processing.codes.successions import CodeMap
from processing.dataset import jsonlines
from processing.dataset.columns import ARROW_TYPES
from processing.dataset.text import text_keys
from processing.errors import BadData

#: `code`: this one; `none`: no code fits; `skip`: cannot say; `withdrawn`: as if nobody had decided.
ANSWERS = ("code", "none", "skip", "withdrawn")
TIME = pa.timestamp("ms", tz="UTC")
ABOUT = pa.schema(
    [(name, pa.string()) for name in ("answer", "label", "suggested", "decided_by")]
    + [("decided_at", TIME), ("why", pa.string()), ("decided_on", pa.string())]
)
DECISION = pa.schema([("item_id", pa.string()), ("text_key", pa.string()), *ABOUT])
FIRST = 10
#: Stands for the file that a row is from.
FILE = "reviewed items"


@dataclass(frozen=True)
class Merged:
    """A dataset's rows with the decided ones.

    Attributes:
        table: the rows; where both have an item with the same text, a person's word counts.
        figures: for the report: `rows` with a person's code, rows left out as `none` of the codes fits,
            decisions on ids of which the dataset has `other_text`, and `conflicts`: how many `rows` of a
            dataset delivered after the decision have another code, and the `first` of them.
    """

    table: pa.Table
    figures: dict[str, Any]


def files(folder: Path) -> list[Path]:
    """The files with decisions in a folder; there are none before the first review."""
    return sorted(folder.rglob("*.jsonl"))


def read_decisions(folder: Path) -> pa.Table:
    """The decisions in a folder, columns as in DECISION. Raises BadData."""
    return _read(folder, DECISION).drop_columns(["run"])


def read_rows(folder: Path, columns: Mapping[str, str], group: str) -> pa.Table:
    """The decisions in a folder as dataset rows: the latest on each item and text, skips left out.

    Besides `columns` (name to kind) they have those of ABOUT, `run`, and `text_key`, made anew: keys that
    earlier code made may differ. A column that an item lacks, as it was declared later, is null. `_file` and
    `_row` are those of processing.dataset.data_files. The latest come last. Raises BadData.
    """
    fields = {name: ARROW_TYPES[kind] for name, kind in columns.items()}
    table = _read(folder, pa.schema(fields | {field.name: field.type for field in ABOUT}))
    table = table.filter(pc.not_equal(table["answer"], "skip"))
    table = latest(table.append_column("text_key", text_keys(group, table)))
    origin = pa.DictionaryArray.from_arrays(np.zeros(len(table), np.int32), pa.array([FILE]))
    table = table.append_column("_file", origin)
    return table.append_column("_row", pa.array(np.arange(1, len(table) + 1, dtype=np.int32)))


def latest(table: pa.Table) -> pa.Table:
    """The latest decision on each item and text, the latest last; of two at the same time the one below."""
    table = table.append_column("at", pa.array(np.arange(len(table)))).sort_by(
        [("decided_at", "ascending"), ("at", "ascending")]
    )
    return table.take(last(keys(table))).drop_columns(["at"])


def merge(table: pa.Table, decided: pa.Table, group: str, code_map: CodeMap, delivered: datetime) -> Merged:
    """A dataset's rows and the decided ones.

    A decision is on an id and a text: where the dataset has the id with another text, it does not count.

    Args:
        table: the dataset, of processing.dataset.data_files.read.
        decided: of `read_rows`.
        group: the model group.
        code_map: to the codes in force; a code under its earlier name is no conflict.
        delivered: when the dataset was delivered, with time zone.
    """
    is_decided = pc.is_in(table["item_id"], value_set=decided["item_id"].combine_chunks())
    known, others = table.filter(is_decided), table.filter(pc.invert(is_decided))
    known = known.append_column("text_key", text_keys(group, known))
    at = pc.index_in(keys(known), value_set=keys(decided))
    word = decided.take(at)
    stands = pc.fill_null(pc.is_in(word["answer"], value_set=pa.array(["code", "none"])), False)

    here = pc.is_in(keys(decided), value_set=keys(known))
    missing = pc.invert(pc.is_in(decided["item_id"], value_set=known["item_id"].combine_chunks()))
    newest = np.zeros(len(decided), bool)
    newest[last(decided["item_id"].combine_chunks())] = True
    code = pc.equal(decided["answer"], "code")
    added = decided.filter(pc.and_(code, pc.or_(here, pc.and_(missing, pa.array(newest)))))
    elsewhere = pc.and_(pc.not_equal(decided["answer"], "withdrawn"), pc.invert(pc.or_(here, missing)))

    unlike = pc.not_equal(_present(known["label"], code_map), _present(word["label"], code_map))
    later = pc.less(word["decided_at"], pa.scalar(delivered, TIME))
    unlike = pc.fill_null(unlike, True)  # "no code fits" is unlike any label
    conflict = pc.and_(pc.and_(stands, pc.fill_null(later, False)), pc.and_(unlike, _filled(known["label"])))
    return Merged(
        pa.concat_tables(
            [
                others,
                known.filter(pc.invert(stands)).select(table.column_names),
                added.select(table.column_names),
            ]
        ),
        {
            "rows": len(added),
            "none": pc.sum(pc.equal(word["answer"], "none")).as_py() or 0,
            "other_text": pc.sum(elsewhere).as_py() or 0,
            "conflicts": _conflicts(known.filter(conflict), word.filter(conflict)),
        },
    )


def _conflicts(rows: pa.Table, decisions: pa.Table) -> dict[str, Any]:
    about = decisions.slice(0, FIRST).select(["label", "decided_by", "decided_at", "run"])
    about = about.rename_columns({"label": "decided"}).to_pylist()
    first = [
        {"item_id": row["item_id"], "label": row["label"]}
        | decision
        | {"decided_at": decision["decided_at"].isoformat(timespec="seconds")}
        for row, decision in zip(rows.slice(0, FIRST).to_pylist(), about, strict=True)
    ]
    return {"rows": len(rows), "first": first}


def _present(codes: pa.ChunkedArray, code_map: CodeMap) -> pa.Array:
    return pc.coalesce(recode(codes, code_map).codes, codes.combine_chunks())


def _filled(texts: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts), ""), False)


def keys(table: pa.Table) -> pa.Array:
    """One text a row, the same for the same id with the same text."""
    keys = pc.binary_join_element_wise(table["text_key"], table["item_id"], " ")
    return keys.combine_chunks()


def last(values: pa.Array) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each value is for the last time, ascending."""
    numbered = pa.table({"value": values, "at": pa.array(np.arange(len(values)))})
    at: np.ndarray[Any, np.dtype[np.int64]] = (
        numbered.group_by("value").aggregate([("at", "max")])["at_max"].to_numpy()
    )
    return np.sort(at)


def _read(folder: Path, schema: pa.Schema) -> pa.Table:
    """The lines of all files with `schema` and `run`, the folder that each is from."""
    tables = [schema.append(pa.field("run", pa.string())).empty_table()]
    for path in files(folder):
        try:
            table = jsonlines.read(path.read_bytes(), schema, other_fields="ignore")
            if not pc.all(pc.is_in(table["answer"], value_set=pa.array(ANSWERS)), min_count=0).as_py():
                raise pa.ArrowInvalid(f"an answer is none of {', '.join(ANSWERS)}")
        except pa.ArrowInvalid as error:
            raise BadData(
                f"The decisions in {path.parent.name}/{path.name} cannot be read ({error}).",
                "restore that object's first version in the work bucket.",
            ) from None
        tables.append(table.append_column("run", pa.repeat(path.parent.name, len(table))))
    return pa.concat_tables(tables)
