"""Training rows whose label is likely wrong: what Featurize reports of them beside Prepare's report.

How they are found is in training/doubtful.py. They are not rows set aside: nothing is wrong with their form.
"""

import json
from pathlib import Path
from typing import Any

from processing.words import counted

#: The worst of the rows: `item_id`, `text_key`, `label`, the `code` that the model gives, its `confidence`,
#: and whether the row was `left_out`.
TABLE = "doubtful.parquet"
ABOUT = "doubtful.json"
MANY = 0.02  # share of the rows: from there on codes may be confused because of them


def write(folder: Path, about: dict[str, Any]) -> None:
    """Report of `rows` how many are `doubtful` and `left_out`, and the share of wrong labels, `noise`."""
    (folder / ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")


def read(folder: Path) -> dict[str, Any] | None:
    """What `write` wrote; None for a model from before labels were doubted."""
    path = folder / ABOUT
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def are_many(about: dict[str, Any] | None) -> bool:
    """Whether so many labels are likely wrong that people should look at them before all else."""
    return about is not None and about["doubtful"] >= MANY * about["rows"]


def in_words(about: dict[str, Any] | None, group: str) -> str:
    """How many labels are likely wrong, whether they were left out, and how to see them; or empty."""
    if not about or not about["doubtful"]:
        return ""
    rows = f"{about['doubtful']:,} of {counted(about['rows'], 'training row')}"
    learned = f"{about['left_out']:,} not learned" if about["left_out"] else "all learned"
    return f"Likely wrong labels: {rows}, {learned} (labelmill review labels {group})."
