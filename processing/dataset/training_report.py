"""What is known of a model's training: the report that Prepare wrote on its rows."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Trained:
    """What a comparison asks of a report.

    Attributes:
        period: the month whose rows the model has seen, and those of the months before.
        codes: every code that the model can predict, with the number of rows it was learned from.
        conflicts: where the dataset has another code than a person decided: how many `rows`, and the `first`.
        set_aside: the rows that could not be trained on (`rows_set_aside.account`).
        findings: all that was found in the data, by kind; empty in a report from before that was counted.
    """

    period: str
    codes: Counter[str]
    conflicts: dict[str, Any]
    set_aside: dict[str, Any]
    findings: dict[str, Any]


def read_report(folder: Path) -> dict[str, Any]:
    """Prepare's report in a job's input folder. Raises OSError or ValueError where it cannot be read."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def of_comparison(report: dict[str, Any]) -> Trained:
    """What a comparison asks of a report. Raises KeyError where it is not there."""
    conflicts, findings = report["reviewed"]["conflicts"], report.get("findings", {})
    return Trained(report["period"], codes(report), conflicts, report["set_aside"], findings)


def codes(report: dict[str, Any]) -> Counter[str]:
    """Every code that the model can predict, and how many of its training and validation rows have it."""
    parts = (report["splits"][part]["codes"] for part in ("train", "validation"))
    return sum(map(Counter, parts), Counter())
