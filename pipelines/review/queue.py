"""Which labels go out to a person, in which order, and the rows of the sheet they go out on."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evidence.neighbours import most_alike
from pipelines.review.published import Output, Places, ReviewError, items
from processing.codes.codebook import Codebook
from processing.dataset.text import TEXT_COLUMNS
from processing.labels.label_table import DECIDED

SHOWN = 5


def queue(output: Output, book: Codebook, wanted: Collection[str] | None = None) -> list[dict[str, Any]]:
    """The labels that wait for a person, the most valuable first, each with `same_text` and `value`.

    `value` is how many wrong labels a decision is expected to correct: the probability that the model's code
    is wrong (1 where it is not in force, or a person had to do with it), times the items here with the same
    text. Items whose best codes include a critical one come before all others, those that somebody skipped
    come last.

    `wanted`: the ids of the items to take instead, whatever their status. Raises ReviewError where they
    cannot be decided on.
    """
    if wanted is None:
        chosen = output.labels.filter(pc.equal(output.labels["status"], "review"))
    else:
        chosen = _these(output, wanted)
    rows = chosen.to_pylist()
    in_force = set(book.in_force(output.manifest["period"]))
    critical = {code.code for code in book.codes if code.critical}
    texts = Counter(row["text_key"] for row in rows)
    for row in rows:
        by_model = row["confidence"] is not None and row["code"] in in_force
        row["same_text"] = texts[row["text_key"]]
        row["value"] = (1 - row["confidence"] if by_model else 1.0) * row["same_text"]

    def rank(row: dict[str, Any]) -> tuple[Any, ...]:
        skipped = row["answer"] == "skip"
        grave = bool(critical & {row["code"], row["second_code"]})
        return (skipped, not grave, -row["value"], row["text_key"], row["item_id"])

    return sorted(rows, key=rank)


def sheet_rows(
    places: Places,
    output: Output,
    book: Codebook,
    wanted: Collection[str] | None = None,
    learned: pa.Table | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows of the sheet, as pipelines/review/sheet.py writes them; `wanted` is of `queue`.

    Besides, each says whether its item `waits` for a person and whether a person has `decided` on it. The
    most `alike` rows are of `learned` (published.py).
    """
    going = queue(output, book, wanted)
    known = items(places, output, (row["item_id"] for row in going))
    texts = [{name: known[row["item_id"]][name] for name in TEXT_COLUMNS} for row in going]
    schema = pa.schema([(name, pa.string()) for name in TEXT_COLUMNS])
    table = pa.Table.from_pylist(texts, schema)
    alike = [()] * len(going) if learned is None else most_alike(table, learned)
    for row, neighbours in zip(going, alike, strict=True):
        item = known[row["item_id"]]
        yield {
            "run": output.manifest["run"],
            **{name: item[name] for name in ("item_id", "title", "brand", "product_type")},
            "suggested_code": row["code"],
            "suggested_description": row["description"],
            **{name: row[name] for name in ("confidence", "second_code", "same_text", "reason")},
            "alike": neighbours,
            "waits": row["status"] == "review",
            "decided": row["answer"] in DECIDED,
        }


def _these(output: Output, wanted: Collection[str]) -> pa.Table:
    usable = output.labels.filter(pc.not_equal(output.labels["status"], "rejected"))
    found = usable.filter(pc.is_in(usable["item_id"], value_set=pa.array(wanted, pa.string())))
    if missing := sorted(set(wanted) - set(found["item_id"].to_pylist())):
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise ReviewError(
            f"not in the labels of {output.manifest['run']}, or rejected there: "
            f"{', '.join(map(repr, missing[:SHOWN]))}{more}. Fix: write each item_id as it was delivered"
        )
    return found
