"""What is known of a model's training: Prepare's report on the group's rows, Featurize's on others'."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Beside Prepare's report: the codes that only rows of other groups have. Not there for a model from before.
BORROWED = "borrowed.json"


@dataclass(frozen=True)
class Trained:
    """What a comparison asks of a report.

    Attributes:
        period: the month whose rows the model has seen, and those of the months before.
        codes: every code that the model can predict, with the number of the group's rows it was learned from.
        conflicts: where the dataset has another code than a person decided: how many `rows`, and the `first`.
        set_aside: the rows that could not be trained on (`rows_set_aside.account`).
        doubtful: what Featurize found of wrong labels (doubtful_rows.py); None for a model from before that.
        findings: all that was found in the data, by kind; empty in a report from before that was counted.
    """

    period: str
    codes: Counter[str]
    conflicts: dict[str, Any]
    set_aside: dict[str, Any]
    doubtful: dict[str, Any] | None
    findings: dict[str, Any]


def read_report(folder: Path) -> dict[str, Any]:
    """The report in a job's input folder. Raises OSError or ValueError where it cannot be read."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    if (borrowed := folder / BORROWED).exists():
        report["borrowed"] = json.loads(borrowed.read_text(encoding="utf-8"))
    return report


def write_borrowed(codes: list[str], folder: Path) -> None:
    """Write the codes that only rows of other groups have, if there are any."""
    if codes:
        (folder / BORROWED).write_text(json.dumps(codes, ensure_ascii=False), encoding="utf-8")


def of_comparison(report: dict[str, Any], doubtful: dict[str, Any] | None) -> Trained:
    """What a comparison asks of Prepare's and Featurize's reports. Raises KeyError where it is not there."""
    conflicts, findings = report["reviewed"]["conflicts"], report.get("findings", {})
    return Trained(report["period"], codes(report), conflicts, report["set_aside"], doubtful, findings)


def codes(report: dict[str, Any]) -> Counter[str]:
    """Every code that the model can predict, and how many of its training and validation rows have it.

    None of them has a code that was learned from other groups alone.
    """
    parts = (report["splits"][part]["codes"] for part in ("train", "validation"))
    own: Counter[str] = sum(map(Counter, parts), Counter())
    return Counter(dict.fromkeys(report.get("borrowed", ()), 0) | own)
