"""What the page has that people label on by keys: the items, and which codes the keys offer for each.

The page itself is made by pipelines/report/pages.py; what it saves is a sheet as sheet.py reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.review.decisions import MOST_LETTERS
from processing.codes.recode import BETWEEN
from processing.labels import csv_guard

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.evidence.neighbours import Neighbour

#: As many as there are keys: 1 to 5.
OFFERED = 5
#: What holds of an item of which a row says no more than its texts.
USUAL = {
    "same_text": 1,
    "family": None,
    "stands_for": 1,
    "variants": "",
    "reason": None,
    "waits": True,
    "decided": False,
}


def contents(
    rows: Sequence[Mapping[str, Any]],
    codes: Mapping[str, str],
    frequent: Iterable[str],
    **about: str,
) -> dict[str, Any]:
    """All that the page shows, as JSON can hold it.

    Args:
        rows: of queue.sheet_rows, at least one; texts alone are enough, of a sheet that shows nothing else.
        codes: each code in force and its description, in the codebook's order.
        frequent: codes of the month's labels, the most frequent first.
        about: `group`, `period`, and the `file` that the page saves.
    """
    commonest = list(dict.fromkeys([*frequent, *codes]))
    return {
        **about,
        "run": rows[0]["run"],
        "most_letters": MOST_LETTERS,
        "formula": csv_guard.FORMULA,
        "codes": list(codes.items()),
        "items": [
            {
                "id": row["item_id"],
                "title": row["title"],
                "facts": [row[name] for name in ("brand", "product_type") if row[name]],
                **{name: row.get(name, default) for name, default in USUAL.items()},
                "offered": offered(row, commonest, codes),
                "alike": [[each.title, each.code, each.similarity] for each in row.get("alike", ())],
            }
            for row in rows
        ],
    }


def offered(
    row: Mapping[str, Any], frequent: Iterable[str], codes: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The codes that the keys 1 to 5 offer for an item, each with why, most likely first.

    The suggestion, the second best code, the rest of the short list, the most alike rows' codes, then the
    most frequent ones: each once, and only what is in force.
    """
    alike: Sequence[Neighbour] = row.get("alike", ())
    of_alike = Counter(each.code for each in alike)
    reasons: dict[str, str] = {}
    if (first := row.get("suggested_code")) is not None:
        sure = row["confidence"]
        reasons[first] = "suggested" if sure is None else f"model: {100 * sure:.0f} %"
    if (second := row.get("second_code")) is not None:
        reasons.setdefault(second, "second best")
    for code in (row.get("short_list") or "").split(BETWEEN):
        reasons.setdefault(code, "short list")
    for each in alike:
        reasons.setdefault(each.code, f"{of_alike[each.code]} of {len(alike)} alike")
    for code in frequent:
        reasons.setdefault(code, "frequent")
    return [(code, why) for code, why in reasons.items() if code in codes][:OFFERED]


def most_frequent(codes: pa.ChunkedArray) -> list[str]:
    """The different codes of a column, the most frequent first."""
    found = Counter(codes.drop_null().to_pylist())
    return [code for code, _ in found.most_common()]
