"""Bring items and predictions together by id, or refuse: nothing may be missing, invented or doubled."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from processing.dataset import jsonlines
from processing.dataset.text import TEXT_COLUMNS
from processing.errors import NotReconciled

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


def read_items(folder: Path) -> pa.Table:
    """The items that went to the model: `item_id` and the columns of their texts."""
    return _read(folder, "*.jsonl", ITEM)


def read_predictions(folder: Path) -> pa.Table:
    """The output of Batch Transform as a table: `item_id` and the columns of PREDICTION."""
    joined = _read(folder, "*.out", JOINED)
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
    matched = predictions.take(at)
    confidence = matched["confidence"]
    usable = pc.and_(pc.greater_equal(confidence, 0), pc.less_equal(confidence, 1))
    usable = pc.and_(
        pc.fill_null(usable, False), pc.and_(matched["code"].is_valid(), matched["review"].is_valid())
    )
    if not pc.all(usable, min_count=0).as_py():  # of no items, all are usable
        bad = wanted.filter(pc.invert(usable).combine_chunks())
        raise NotReconciled(
            _differ("predictions lack a code, a confidence in [0, 1] or the review mark", bad, len(items)),
            START_AGAIN,
        )
    return matched


def _differ(what: str, ids: pa.Array, total: int) -> str:
    return f"{len(ids)} of {total} {what}, for example item_id {ids[0].as_py()[:80]!r}; nothing is published."


def _read(folder: Path, pattern: str, schema: pa.Schema) -> pa.Table:
    tables = [schema.empty_table()]
    for path in sorted(folder.rglob(pattern)):
        with pa.memory_map(str(path)) if path.stat().st_size else pa.BufferReader(b"") as file:
            try:
                tables.append(jsonlines.read(file.read_buffer(), schema, other_fields="ignore"))
            except pa.ArrowInvalid as error:
                raise NotReconciled(
                    f"{path.name} cannot be read ({error}); nothing is published.", START_AGAIN
                ) from None
    return pa.concat_tables(tables)
