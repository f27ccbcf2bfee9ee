"""A group's hard texts: a fixed list in its codebook that no model learns from and each is tried on by name.

Prepare holds rows with such a text out of training and adds the list to the test set, under ids of its own.
Compare says of each text what both models make of it, and scores none of them: a list is no sample.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Booleans
from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.dataset import first_seen
from processing.dataset.findings import shortened
from processing.dataset.text import TEXT_COLUMNS, text_keys
from processing.words import counted

#: Begins the ids of the rows that stand for the list.
ID = "labelmill:hard-text:"
SHOWN = 3


def are_held(text_key: pa.Array | pa.ChunkedArray, book: Codebook) -> Booleans:
    """Which rows have a hard text of the group, and so may not be learned from, shape (n_rows,)."""
    return np.asarray(pc.is_in(text_key, value_set=_keys(book)), bool)


def rows(book: Codebook, period: str, schema: pa.Schema) -> pa.Table:
    """The list as rows of a test set, with the columns of `schema`; what a text says nothing of is null.

    Texts whose code is not certain in the period (`YYYY-MM`) are left out.
    """
    listed = book.hard_texts
    given = pa.array([text.code for text in listed], pa.string())
    values = {
        "item_id": pa.array([f"{ID}{number}" for number in range(1, len(listed) + 1)], pa.string()),
        **_texts(book),
        "label": recode(given, book.code_map(period)).codes,
        "since": pa.repeat(pa.scalar(first_seen.FROM_START), len(listed)),
    }
    columns = [values.get(name, pa.nulls(len(listed))).cast(schema.field(name).type) for name in schema.names]
    table = pa.table(columns, schema=schema)
    return table.filter(pc.is_valid(table["label"]))


def are_listed(table: pa.Table) -> Booleans:
    """Which rows of a published test set stand for the list, shape (n_rows,)."""
    return np.asarray(pc.starts_with(table["item_id"], ID), bool)


def tried(book: Codebook, challenger: pa.Table, winner: pa.Table | None) -> list[dict[str, Any]]:
    """What two models make of each text of the list, in its order, by their published test set.

    Of each text `title`, `brand`, `product_type`, the right `code`, and the models' codes and confidences;
    None for both where it is not in the test set (yet), or where there is no winner.
    """
    answers = {"challenger": _answers(challenger), "winner": {} if winner is None else _answers(winner)}
    found = []
    for text, key in zip(book.hard_texts, _keys(book).to_pylist(), strict=True):
        of = {role: by_key.get(key) for role, by_key in answers.items()}
        known = of["challenger"] or of["winner"]
        found.append(
            {
                **{name: getattr(text, name) for name in TEXT_COLUMNS},
                "code": known["truth"] if known else text.code,
                **{role: row and row["code"] for role, row in of.items()},
                **{f"{role}_confidence": row and row["confidence"] for role, row in of.items()},
            }
        )
    return found


def newly_wrong(found: Sequence[dict[str, Any]]) -> str:
    """The texts that the winner has right and the challenger wrong, in a sentence; empty for none."""
    worse = [each for each in found if each["challenger"] != each["code"] == each["winner"]]
    if not worse:
        return ""
    named = [
        f"“{shortened(each['title'])}” ({each['code']}, now {each['challenger']})" for each in worse[:SHOWN]
    ]
    more = f" and {len(worse) - SHOWN} more" if len(worse) > SHOWN else ""
    return f"Now wrong of the {counted(len(found), 'hard text')}: {', '.join(named)}{more}."


def in_short(found: Sequence[dict[str, Any]]) -> str:
    """How many of the list the models have right; empty where none was tried."""
    roles = [role for role in ("challenger", "winner") if any(each[role] for each in found)]
    right = [f"{role} {sum(each[role] == each['code'] for each in found)}" for role in roles]
    return f"Of {counted(len(found), 'hard text')} right: {', '.join(right)}." if roles else ""


def _texts(book: Codebook) -> dict[str, pa.Array]:
    return {
        name: pa.array([getattr(text, name) for text in book.hard_texts], pa.string())
        for name in TEXT_COLUMNS
    }


def _keys(book: Codebook) -> pa.Array:
    return text_keys(book.group, pa.table(_texts(book)))


def _answers(table: pa.Table) -> dict[str, dict[str, Any]]:
    """The rows of the list by the key of their text."""
    listed = table.filter(pa.array(are_listed(table)))
    return {row["text_key"]: row for row in listed.to_pylist()}
