"""Which labels wait for a person, in which order, and the rows of the sheet they go out on."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow.compute as pc

from pipelines.review.published import Output, Places, items
from processing.codes.codebook import Codebook


def queue(output: Output, book: Codebook) -> list[dict[str, Any]]:
    """The labels that wait for a person, the most valuable first, each with `same_text` and `value`.

    `value` is how many wrong labels a decision is expected to correct: the probability that the model's code
    is wrong (1 where it is not in force), times the waiting items with the same text. Items whose best codes
    include a critical one come before all others.
    """
    waiting = output.labels.filter(pc.equal(output.labels["status"], "review")).to_pylist()
    in_force = set(book.in_force(output.manifest["period"]))
    critical = {code.code for code in book.codes if code.critical}
    texts = Counter(row["text_key"] for row in waiting)
    for row in waiting:
        wrong = 1 - row["confidence"] if row["code"] in in_force else 1.0
        row["same_text"] = texts[row["text_key"]]
        row["value"] = wrong * row["same_text"]

    def rank(row: dict[str, Any]) -> tuple[Any, ...]:
        grave = bool(critical & {row["code"], row["second_code"]})
        return (not grave, -row["value"], row["text_key"], row["item_id"])

    return sorted(waiting, key=rank)


def sheet_rows(places: Places, output: Output, book: Codebook) -> Iterator[dict[str, Any]]:
    """The rows of the sheet, as pipelines/review/sheet.py writes them."""
    waiting = queue(output, book)
    known = items(places, output, (row["item_id"] for row in waiting))
    for row in waiting:
        item = known[row["item_id"]]
        yield {
            "run": output.manifest["run"],
            **{name: item[name] for name in ("item_id", "title", "brand", "product_type")},
            "suggested_code": row["code"],
            "suggested_description": row["description"],
            **{name: row[name] for name in ("confidence", "second_code", "same_text", "reason")},
            "code": None,
        }
