"""Metrics that a training job prints, found as SageMaker finds them: by regular expressions on its log."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any


def read(log: Path, definitions: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Every value of each metric, in the order printed.

    `definitions` are the request's MetricDefinitions; the value is the first group of `Regex`.
    """
    patterns = {item["Name"]: re.compile(item["Regex"]) for item in definitions}
    values: dict[str, list[float]] = {name: [] for name in patterns}
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            for name, pattern in patterns.items():
                values[name] += [
                    number for found in pattern.finditer(line) if (number := _number(found)) is not None
                ]
    return values


def final(values: dict[str, list[float]], time: datetime) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of each metric that has one."""
    return [
        {"MetricName": name, "Value": numbers[-1], "Timestamp": time}
        for name, numbers in values.items()
        if numbers
    ]


def _number(found: re.Match[str]) -> float | None:
    try:
        return float(found[1])
    except (IndexError, ValueError, TypeError):
        return None
