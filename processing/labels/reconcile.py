"""Bring items and predictions together by id, or refuse: nothing may be missing, invented or doubled.

Batch Transform answers each file of items with one of its own, in the order of the items. Where the ids say
that it did, a month is read file by file; else all of it at once.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.dataset import jsonlines
from processing.dataset.text import TEXT_COLUMNS
from processing.errors import NotReconciled
from processing.hashes import hashes

ID = pa.schema([("item_id", pa.string())])
ITEM = pa.schema([(name, pa.string()) for name in ("item_id", *TEXT_COLUMNS)])
PREDICTION = pa.schema(
    [
        ("code", pa.string()),
        ("confidence", pa.float64()),
        ("second_code", pa.string()),
        ("second_confidence", pa.float64()),
        ("review", pa.bool_()),
        ("known_share", pa.float64()),  # of the item's text; a model that does not say it leaves it out
        # Codes of which one is right (training/short_list.py); left out where the code alone is enough.
        ("short_list", pa.list_(pa.string())),
        ("short_list_size", pa.int64()),
    ]
)
JOINED = pa.schema([("item_id", pa.string()), ("SageMakerOutput", pa.struct(list(PREDICTION)))])
START_AGAIN = "start the run again; if it happens again, look at the log of its transform job."


def matched(items: Path, predictions: Path) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The items of each file, with ITEM's columns, and one prediction for each, with PREDICTION's and the id.

    Raises:
        NotReconciled: as `reconcile` does for all of them, at the latest after the last file.
    """
    files, answers = _files(items, "*.jsonl"), _files(predictions, "*.out")
    in_order = [path.name for path in answers] == [f"{path.name}.out" for path in files]
    whole: pa.Table | None = None if in_order else _all_matched(files, answers)
    if not files:
        yield ITEM.empty_table(), _all_matched(files, answers)
    first, seen = 0, [np.zeros(0, np.uint64)]
    for number, path in enumerate(files):
        some = _read([path], ITEM)
        given = _predictions([answers[number]]) if whole is None else whole.slice(first, len(some))
        if whole is None and not _fit(some["item_id"], given):
            whole = _all_matched(files, answers)
            given = whole.slice(first, len(some))
        first += len(some)
        seen.append(hashes(some["item_id"]))
        yield some, given
    if whole is None and len(np.unique(np.concatenate(seen))) < first:
        _all_matched(files, answers)  # refuses what is there twice; ids that share a hash only are none such


def _fit(items: pa.ChunkedArray, predictions: pa.Table) -> bool:
    """Whether there is one usable prediction for each item, in the same order."""
    ids = predictions["item_id"]
    return (
        ids.equals(items) and not ids.null_count and bool(pc.all(_usable(predictions), min_count=0).as_py())
    )


def _all_matched(items: list[Path], predictions: list[Path]) -> pa.Table:
    ids = pa.concat_tables([ID.empty_table(), *(_read([path], ID) for path in items)])["item_id"]
    return reconcile(ids, _predictions(predictions))


def _predictions(files: list[Path]) -> pa.Table:
    """The output of Batch Transform as a table: `item_id` and the columns of PREDICTION."""
    joined = _read(files, JOINED)
    answers = joined["SageMakerOutput"].combine_chunks()
    columns = [answers.field(name) for name in PREDICTION.names]
    return pa.table([joined["item_id"], *columns], names=["item_id", *PREDICTION.names])


def reconcile(items: pa.ChunkedArray, predictions: pa.Table) -> pa.Table:
    """One prediction for each item, in the order of the items.

    Raises:
        NotReconciled: where an id is there twice, an item has no prediction, a prediction has no item, or a
            prediction is not usable: a code, and a confidence in [0, 1].
    """
    for what, ids in (("items", items), ("predictions", predictions["item_id"])):
        if ids.null_count or pc.count_distinct(ids).as_py() != len(ids):
            raise NotReconciled(f"The {len(ids)} {what} have missing or repeated ids.", START_AGAIN)
    wanted, given = items.combine_chunks(), predictions["item_id"].combine_chunks()
    at = pc.index_in(wanted, value_set=given)
    if at.null_count:
        raise NotReconciled(
            _differ("items have no prediction", wanted.filter(at.is_null()), len(items)), START_AGAIN
        )
    if len(given) > len(wanted):
        unknown = given.filter(pc.invert(pc.is_in(given, wanted)))
        raise NotReconciled(_differ("predictions belong to no item", unknown, len(given)), START_AGAIN)
    found = predictions.take(at)
    usable = _usable(found)
    if not pc.all(usable, min_count=0).as_py():  # of no items, all are usable
        bad = wanted.filter(pc.invert(usable).combine_chunks())
        raise NotReconciled(
            _differ("predictions lack a code, a confidence in [0, 1] or the review mark", bad, len(items)),
            START_AGAIN,
        )
    return found


def _usable(predictions: pa.Table) -> pa.ChunkedArray:
    confidence = predictions["confidence"]
    usable = pc.and_(pc.greater_equal(confidence, 0), pc.less_equal(confidence, 1))
    answered = pc.and_(predictions["code"].is_valid(), predictions["review"].is_valid())
    return pc.and_(pc.fill_null(usable, False), answered)


def _differ(what: str, ids: pa.Array, total: int) -> str:
    return f"{len(ids)} of {total} {what}, for example item_id {ids[0].as_py()[:80]!r}; nothing is published."


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.rglob(pattern))


def _read(files: list[Path], schema: pa.Schema) -> pa.Table:
    tables = [schema.empty_table()]
    for path in files:
        # Not mapped into memory: the file's pages would count as the job's.
        with pa.OSFile(str(path)) if path.stat().st_size else pa.BufferReader(b"") as file:
            try:
                tables.append(jsonlines.read(file.read_buffer(), schema, other_fields="ignore"))
            except pa.ArrowInvalid as error:
                raise NotReconciled(
                    f"{path.name} cannot be read ({error}); nothing is published.", START_AGAIN
                ) from None
    return pa.concat_tables(tables)
