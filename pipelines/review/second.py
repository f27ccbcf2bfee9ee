"""A second reviewer's sheet: some rows of a review sheet, drawn once at random, to see how far people agree.

What comes back changes no label; it is counted in processing/labels/agreement.py.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines import names
from pipelines.review import sample
from pipelines.review.decisions import SECOND, Answer
from pipelines.review.published import Output, Places
from processing.labels.audit import in_order

#: Of the rows of a sheet, so many are coded twice, and at least FEWEST.
SHARE, FEWEST = 0.05, 20


def draw(
    places: Places, output: Output, rows: Sequence[dict[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """The rows of the second sheet, of those of the first; the same at every call for the same labels.

    `rows` are of pipelines.review.queue.sheet_rows, of all items that wait; `now` is a time with a zone.
    """
    group, period, run = output.manifest["group"], output.manifest["period"], output.manifest["run"]
    name = names.run_name(group, SECOND, period, run)
    items = [row["item_id"] for row in rows]
    if (known := sample.recorded(places, name)) is None:
        drawn = max(FEWEST, round(SHARE * len(items)))
        record = {"of": output.runs[0], "run": run, "seed": secrets.token_hex(16)}
        record |= {"rows": str(min(drawn, len(items))), "drawn_at": now.isoformat()}
        sample.record(places, group, name, record)
        known = sample.recorded(places, name)
        assert known
    chosen = _chosen(items, known)
    return [row | {"run": name} for row in rows if row["item_id"] in chosen]


def handed_over(
    record: Mapping[str, str], waiting: Sequence[str], said: Mapping[str, Answer], by: str, now: datetime
) -> dict[str, Any]:
    """What a second sheet says, as processing/labels/agreement.py reads it.

    `waiting` are the ids of the items that the sheet was drawn from.
    """
    who = {"decided_by": by, "decided_at": now.isoformat(timespec="milliseconds")}
    return {
        "of": record["of"],
        "waiting": len(waiting),
        "rows": sorted(_chosen(waiting, record)),
        "answers": [
            {"item_id": item, "answer": answer, "label": label, **who}
            for item, (answer, label) in said.items()
        ],
        "said": sorted([item, *answer] for item, answer in said.items()),
    }


def find(places: Places, name: str) -> dict[str, str] | None:
    """How a second sheet was drawn, by its name; None where there is none, or another sheet is named so."""
    named = names.parse_run(name)
    return sample.recorded(places, name) if named and named.purpose == SECOND else None


def drawn_from(seen: Output, record: Mapping[str, str]) -> tuple[list[str], set[str]]:
    """The ids of the items that a second sheet was drawn from, and of those that were drawn."""
    waiting = [row["item_id"] for row in seen.labels.to_pylist() if row["status"] == "review"]
    return waiting, _chosen(waiting, record)


def _chosen(items: Sequence[str], record: Mapping[str, str]) -> set[str]:
    return set(in_order(items, record["seed"])[: int(record["rows"])])
