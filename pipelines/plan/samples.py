"""What it takes people to measure a month: rows and minutes of the blind sample of each model group.

How large a sample must be is computed in processing/labels/audit.py; what it says, docs/outputs.md.
"""

from dataclasses import dataclass

from pipelines.plan.groups import ModelGroup
from processing.labels.audit import WIDTH, rows_for
from processing.policy import Policy

#: Assumed, of a person who codes from the texts alone.
SECONDS_AN_ITEM = 15


@dataclass(frozen=True)
class GroupSample:
    """One group's sample: rows drawn at random, and the minutes they take a person."""

    group: str
    rows: int
    minutes: float


def samples(groups: list[ModelGroup]) -> list[GroupSample]:
    """The sample of each group, as if all its items were labelled without a person and no code were rare."""
    rows = [rows_for({"": group.items}, Policy.precision, WIDTH) for group in groups]
    return [
        GroupSample(group.name, number, round(number * SECONDS_AN_ITEM / 60, 1))
        for group, number in zip(groups, rows, strict=True)
    ]
