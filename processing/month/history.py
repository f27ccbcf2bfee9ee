"""The figures of the last months, which each month's summary hands on to the next, its own last.

What is read from them is in drift.py, what is told in attention.py.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Floats
from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.labels import output
from processing.labels.published import Published
from processing.month import drift

#: How many months before its own a summary knows.
MONTHS = 12


def month(
    about: dict[str, Any],
    table: pa.Table,
    confidence: Floats,
    review: int,
    automatic: int,
    right: float | None,
) -> dict[str, Any]:
    """One month's figures (docs/outputs.md); shares in [0, 1], null where there is nothing to divide by.

    Args:
        about: what the manifest says: period, model, rows, rejected, unseen_words.
        table: the published rows that could be used.
        confidence: the model's, of all items, whoever has decided them; empty where it is not known.
        review: how many of them the model is not sure enough of, whoever looks at them.
        automatic: how many need no person.
        right: of these the share expected to be right, None where nothing is known.
    """
    items = table.num_rows
    # The model's: how many items people have decided by now differs from month to month.
    codes = pc.value_counts(pc.coalesce(table["suggested"], table["code"]).drop_null()).to_pylist()
    return {
        "period": about["period"],
        "model": about["model"],
        "rows": about["rows"],
        "items": items,
        "review": _share(review, items),
        "automatic": _share(automatic, items),
        "rejected": _share(about["rejected"], about["rows"]),
        "unseen_words": about.get("unseen_words"),
        "right": right,
        "codes": {row["values"]: row["counts"] for row in codes},
        "confidence": drift.confidence_bins(confidence).tolist(),
        "standing": {},
    }


def before(
    summary: dict[str, Any] | None, earlier: Published | None, book: Codebook, period: str
) -> list[dict[str, Any]]:
    """The months before `period`, the oldest first, at most MONTHS, with codes under their present names.

    Args:
        summary: that of the latest earlier month; one that has no history yet is made up for by the labels.
        earlier: its labels, of month_changes.known; None where there are none.
        book: the group's codebook.
        period: the month that is published, `2026-10`.
    """
    if earlier is None:
        return []
    summary = summary or {}
    months = summary.get("history") or [_of_labels(earlier, summary)]
    known = [entry for entry in months if entry["period"] < period][-MONTHS:]
    return [entry | {"codes": _present(entry["codes"], book, period)} for entry in known]


def _of_labels(earlier: Published, summary: dict[str, Any]) -> dict[str, Any]:
    table = earlier.table
    to_review, alone = (
        pc.sum(mask, min_count=0).as_py()
        for mask in (pc.equal(table["status"], "review"), output.automatic(table))
    )
    # Of what people have decided, labels show neither that it was to be reviewed nor how sure the model was.
    to_review = summary.get("review", {}).get("needed", to_review)
    confidence = table["confidence"].slice(0, 0 if table["confidence"].null_count else None)
    return month(earlier.manifest, table, confidence.to_numpy(), to_review, alone, None)


def _present(codes: dict[str, int], book: Codebook, period: str) -> dict[str, int]:
    """Counts under the names that codes have in the period; one that nothing stands for stays as it is."""
    old = pa.array(list(codes), pa.string())
    names = pc.coalesce(recode(old, book.code_map(period)).codes, old).to_pylist()
    counts: dict[str, int] = {}
    for name, count in zip(names, codes.values(), strict=True):
        counts[name] = counts.get(name, 0) + count
    return counts


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
