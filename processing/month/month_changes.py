"""What changed since the latest earlier month: counts by code, and items whose code is another."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.hashes import hashes
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
_COMPARED = ("code", "answer", "model")
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


class Changes:
    """The items of this month and the earlier one whose code is another, found part by part.

    The earlier month's items are known by a hash of their id (processing/hashes.py).
    """

    def __init__(self, earlier: pa.Table, book: Codebook, period: str) -> None:
        """`earlier` is of `known`."""
        self._book, self._period = book, period
        self._earlier = earlier.select([*_COMPARED, "text"]).unify_dictionaries().combine_chunks()
        ids = earlier["item"].to_numpy()
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]
        self._found: list[pa.Table] = []
        self._in_both = self._not_as_decided = 0

    def add(self, table: pa.Table) -> None:
        """Compare published rows that could be used."""
        table, earlier = self._both(table)
        self._in_both += table.num_rows
        other = pc.not_equal(pc.fill_null(table["code"], ""), pc.fill_null(earlier["code"], ""))
        table, earlier = table.filter(other), earlier.filter(other)
        names = _present_names(earlier["code"], self._book, self._period)
        by_person, was_by_person = (
            pc.is_in(labels["answer"], pa.array(label_table.DECIDED)) for labels in (table, earlier)
        )
        in_force = pa.array(self._book.in_force(self._period), pa.string())
        holds = {
            "codebook": pc.and_(
                names.is_valid(),
                pc.or_kleene(pc.equal(names, table["code"]), pc.invert(pc.is_in(names, in_force))),
            ),
            "person": pc.or_(by_person, was_by_person),
            "text": pc.not_equal(_hashes(table["text_key"]), earlier["text"]),
            "model": pc.not_equal(table["model"], earlier["model"]),
        }
        cause = np.select(
            [np.asarray(pc.fill_null(mask, False), bool) for mask in holds.values()],
            list(holds),
            "attributes",
        )
        self._not_as_decided += pc.sum(pc.and_(was_by_person, pc.invert(by_person))).as_py() or 0
        columns = [table["item_id"], earlier["code"], table["code"], pa.array(cause, pa.string())]
        self._found.append(pa.table(columns, names=["item_id", "earlier_code", "code", "cause"]))

    def items(self) -> pa.Table:
        """`item_id`, `earlier_code`, `code`, `cause` (of CAUSES); a code is null where none fits."""
        return pa.concat_tables(self._found)

    def figures(self) -> dict[str, Any]:
        """What the summary says of them."""
        items = self.items()
        causes = _count(items["cause"])
        moves = items.group_by(["earlier_code", "code", "cause"]).aggregate([([], "count_all")])
        moves = moves.rename_columns(["earlier_code", "code", "cause", "items"])
        moves = moves.sort_by([("items", "descending"), ("earlier_code", "ascending"), ("code", "ascending")])
        return {
            "items_in_both": self._in_both,
            "changed": items.num_rows,
            "not_as_decided": self._not_as_decided,
            "by_cause": {name: causes.get(name, 0) for name in CAUSES},
            "moves": moves.slice(0, MOVES).to_pylist(),
        }

    def _both(self, table: pa.Table) -> tuple[pa.Table, pa.Table]:
        """The rows of items that were there before, and the earlier ones of the same items."""
        ids = hashes(table["item_id"])
        order = np.argsort(ids)  # so that the search goes through memory in one direction
        place = np.empty(len(ids), np.int64)
        place[order] = np.searchsorted(self._ids, ids[order])
        there = place < len(self._ids)
        there[there] = self._ids[place[there]] == ids[there]
        earlier = self._earlier.take(pa.array(self._order[place[there]]))
        texts = {name: earlier[name].cast(pa.string()) for name in _COMPARED}
        return table.filter(pa.array(there)), pa.table(texts | {"text": earlier["text"]})


def known(rows: pa.Table) -> pa.Table:
    """What is to be known of published rows with COLUMNS to compare a later month with them.

    Without the rejected ones. Of an id and a text its hash is enough: `item`, `text`.
    """
    rows = usable(rows)
    columns = {
        name: column.dictionary_encode() if pa.types.is_string(column.type) else column
        for name, column in zip(rows.column_names, rows.columns, strict=True)
        if name not in ("item_id", "text_key")
    }
    columns |= {"item": _hashes(rows["item_id"]), "text": _hashes(rows["text_key"])}
    return pa.table(columns)


def usable(table: pa.Table) -> pa.Table:
    """All rows but the rejected ones."""
    return table.filter(pc.not_equal(table["status"], "rejected"))


def _hashes(texts: pa.ChunkedArray) -> pa.Array:
    """A number for each text, (n,), null where there is none."""
    return pa.array(hashes(texts), mask=np.asarray(texts.is_null()))


def _present_names(codes: pa.ChunkedArray, book: Codebook, period: str) -> pa.Array:
    """Codes under the names they have in the period; one that nothing stands for stays as it is."""
    return pc.coalesce(recode(codes, book.code_map(period)).codes, codes.combine_chunks())


def _count(codes: pa.ChunkedArray | pa.Array) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(codes.drop_null()).to_pylist()}
