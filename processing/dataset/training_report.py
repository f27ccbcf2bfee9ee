"""What is known of a model's training: the report that Prepare wrote on its rows."""

import json
from pathlib import Path
from typing import Any


def read_report(folder: Path) -> dict[str, Any]:
    """Prepare's report in a job's input folder. Raises OSError or ValueError where it cannot be read."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def codes(report: dict[str, Any]) -> set[str]:
    """Every code that the model can predict: those that its training or validation rows have."""
    return {code for part in ("train", "validation") for code in report["splits"][part]["codes"]}


def conflicts(report: dict[str, Any]) -> dict[str, Any]:
    """Where the dataset has another code than a person decided: how many `rows`, and the `first` of them."""
    found: dict[str, Any] = report["reviewed"]["conflicts"]
    return found
