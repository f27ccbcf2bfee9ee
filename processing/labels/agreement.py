"""How far two people agree who coded the same rows of a review sheet, neither knowing what the other said.

What the second one says changes no label. Which rows were drawn is decided by pipelines/review/second.py.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from processing.labels.exact import wrong_of

#: What the sheet of a second reviewer hands over, and what stays beside the labels.
SECOND, ANSWERS = "second.json", "second.parquet"
#: So many of the items on which they differ are named.
SHOWN = 20
_ROW = ("item_id", "answer", "label", "decided_by", "decided_at", "of", "waiting")
_SCHEMA = pa.schema([(name, pa.string()) for name in _ROW])


def read_second(folder: Path) -> dict[str, Any] | None:
    """What the sheet of a second reviewer says, in a job's input folder; None where it is another sheet.

    `of` (the run that labelled the items), `waiting` (rows of the sheet that the second one's were drawn
    from), `rows` (ids of those drawn), `answers` (rows with `item_id`, `answer`, `label`, `decided_by`,
    `decided_at`).
    """
    path = folder / SECOND
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def answered(second: Mapping[str, Any], before: pa.Table | None) -> pa.Table:
    """All rows drawn for second reviewers, with what they said; `before` has those of other sheets."""
    known = {row["item_id"]: row for row in (before.to_pylist() if before else [])}
    about = {"of": second["of"], "waiting": str(second["waiting"])}
    rows = {item: {"item_id": item, **about} for item in second["rows"]} | known
    rows |= {row["item_id"]: {**row, **about} for row in second["answers"]}
    return pa.Table.from_pylist(list(rows.values()), schema=_SCHEMA)


def evaluate(rows: pa.Table, labels: pa.Table) -> dict[str, Any]:
    """The `agreement` of a month (docs/outputs.md): of `answered`, and the labels with what people decided.

    Only answers that decide count, and only those of two people.
    """
    first = {
        row["item_id"]: row for row in labels.select(["item_id", "answer", "code", "decided_by"]).to_pylist()
    }
    pairs = [
        (row["item_id"], _said(first.get(row["item_id"], {}), "code"), _said(row, "label"))
        for row in rows.to_pylist()
        if row["decided_by"] and row["decided_by"] != first.get(row["item_id"], {}).get("decided_by")
    ]
    pairs = [pair for pair in pairs if pair[1] and pair[2]]
    different = [pair for pair in pairs if pair[1] != pair[2]]
    waiting = max((int(row["waiting"]) for row in rows.to_pylist()), default=0)
    found: dict[str, Any] = {
        "drawn": rows.num_rows,
        "compared": len(pairs),
        "different": len(different),
        "alike": None,
        "at_least": None,
        "at_most": None,
        "kappa": kappa([pair[1:] for pair in pairs]),
        "items": [
            {"item_id": item, "first": one, "second": other} for item, one, other in sorted(different)[:SHOWN]
        ],
    }
    if pairs:
        items = max(waiting, len(pairs))
        low, high = wrong_of(items, len(pairs), len(different), len(different))
        found |= {
            "alike": round(1 - len(different) / len(pairs), 4),
            "at_least": round(1 - high / items, 4),
            "at_most": round(1 - low / items, 4),
        }
    return found


def kappa(pairs: list[Any]) -> float | None:
    """Cohen's kappa: how much more often two people say the same than by chance, 1 at most, 0 for chance.

    None where there is nothing to compare, or both have only ever said one and the same thing. Source: Cohen,
    "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 37, 1960.
    """
    if not pairs:
        return None
    one, other = (Counter(said) for said in zip(*pairs, strict=True))
    by_chance = sum(one[said] * other[said] for said in one) / len(pairs) ** 2
    alike = sum(first == second for first, second in pairs) / len(pairs)
    return None if by_chance == 1 else round((alike - by_chance) / (1 - by_chance), 4)


def _said(row: Mapping[str, Any], code: str) -> str | None:
    """The code that a person gave, NONE where none fits; None where they decided nothing."""
    return {"code": row.get(code), "none": "NONE"}.get(row.get("answer") or "")
