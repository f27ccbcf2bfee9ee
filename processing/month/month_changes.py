"""What changed since the latest earlier month: counts by code, and items whose code is another."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.labels import label_table

COLUMNS = [
    "item_id",
    "code",
    "confidence",
    "status",
    "text_key",
    "model",
    "answer",
    "decided_on",
    "suggested",
]
MOVES = 50
#: Why an item has another code than before; the first that holds is given.
CAUSES = {
    "codebook": "the earlier code was renamed or is no longer in force",
    "person": "a person has decided, or had decided the earlier code, or that no code fits",
    "text": "the item's title, brand or product type has changed",
    "model": "a different model labelled it",
    "attributes": "the same model read different attributes",
}


def codes(table: pa.Table, earlier: pa.Table | None, book: Codebook, period: str) -> list[dict[str, Any]]:
    """Items by code, the most frequent first; earlier codes under their present names.

    Items that no code fits are in none of them.
    """
    now = _count(table["code"])
    before = _count(_present_names(earlier["code"], book, period)) if earlier is not None else {}
    names = {code.code: code.description for code in book.codes}
    return [
        {
            "code": code,
            "description": names.get(code),
            "items": now.get(code, 0),
            "earlier_items": before.get(code, 0) if earlier is not None else None,
        }
        for code in sorted(now.keys() | before.keys(), key=lambda code: (-now.get(code, 0), code))
    ]


def changed(
    table: pa.Table, earlier: pa.Table, book: Codebook, period: str
) -> tuple[dict[str, Any], pa.Table]:
    """The items of both months whose code is another: the figures, and the items.

    The items have the columns `item_id`, `earlier_code`, `code`, `cause` (of CAUSES). A code is null where a
    person found that none fits.
    """
    table, earlier = _in_both(table, earlier)
    other = pc.not_equal(pc.fill_null(table["code"], ""), pc.fill_null(earlier["code"], ""))
    same_items = table.num_rows
    table, earlier = table.filter(other), earlier.filter(other)
    names = _present_names(earlier["code"], book, period)
    by_person, was_by_person = (
        pc.is_in(labels["answer"], pa.array(label_table.DECIDED)) for labels in (table, earlier)
    )
    in_force = pa.array(book.in_force(period), pa.string())
    holds = {
        "codebook": pc.and_(
            names.is_valid(),
            pc.or_kleene(pc.equal(names, table["code"]), pc.invert(pc.is_in(names, in_force))),
        ),
        "person": pc.or_(by_person, was_by_person),
        "text": pc.not_equal(table["text_key"], earlier["text_key"]),
        "model": pc.not_equal(table["model"], earlier["model"]),
    }
    cause = np.select(
        [np.asarray(pc.fill_null(mask, False), bool) for mask in holds.values()], list(holds), "attributes"
    )
    items = pa.table(
        {
            "item_id": table["item_id"],
            "earlier_code": earlier["code"],
            "code": table["code"],
            "cause": pa.array(cause, pa.string()),
        }
    )
    moves = items.group_by(["earlier_code", "code", "cause"]).aggregate([([], "count_all")])
    moves = moves.rename_columns(["earlier_code", "code", "cause", "items"])
    moves = moves.sort_by([("items", "descending"), ("earlier_code", "ascending"), ("code", "ascending")])
    figures = {
        "items_in_both": same_items,
        "changed": items.num_rows,
        "not_as_decided": pc.sum(pc.and_(was_by_person, pc.invert(by_person))).as_py() or 0,
        "by_cause": {name: int((cause == name).sum()) for name in CAUSES},
        "moves": moves.slice(0, MOVES).to_pylist(),
    }
    return figures, items


def usable(table: pa.Table) -> pa.Table:
    """All rows but the rejected ones."""
    return table.filter(pc.not_equal(table["status"], "rejected"))


def _in_both(table: pa.Table, earlier: pa.Table) -> tuple[pa.Table, pa.Table]:
    at = pc.index_in(table["item_id"], value_set=earlier["item_id"].combine_chunks())
    return table.filter(pc.is_valid(at)), earlier.take(at.drop_null())


def _present_names(codes: pa.ChunkedArray, book: Codebook, period: str) -> pa.Array:
    """Codes under the names they have in the period; one that nothing stands for stays as it is."""
    return pc.coalesce(recode(codes, book.code_map(period)).codes, codes.combine_chunks())


def _count(codes: pa.ChunkedArray | pa.Array) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(codes.drop_null()).to_pylist()}
