"""The model groups of a month: read from a file, or the full scale the system is built for."""

import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.names import GROUP_PATTERN
from pipelines.plan.errors import PlanError
from processing.policy import MOST_TRIALS, Policy

COLUMNS = ["group", "items", "training_rows"]
#: A column more where a group's policy has other than the default.
TRIALS = "trials"
TWO_SCHEMES = "DE FR GB IT ES PL NL BE SE AT CZ PT RO GR HU DK FI NO IE SK BG SI".split()  # noqa: SIM905 - one list a line reads better
ONE_SCHEME = "US JP TR KR CA AU CH HR LT LV EE LU CY MT NZ IS".split()  # noqa: SIM905
FULL_SCALE_ITEMS = 3_300_000
#: Items of the k-th largest group are in proportion to 1 / k ** SKEW, so the largest has a seventh.
SKEW = 0.8
#: Labelled rows of a group, as a share of its monthly items and within these bounds.
TRAINING_SHARE, FEWEST_TRAINING_ROWS, MOST_TRAINING_ROWS = 0.5, 2_000, 100_000


@dataclass(frozen=True)
class ModelGroup:
    """One model group: items to label in a month, rows of the dataset it is retrained on.

    `trials` is its policy's.
    """

    name: str
    items: int
    training_rows: int
    trials: int = Policy.trials


def full_scale() -> list[ModelGroup]:
    """38 countries, 60 model groups, 3.3 million items a month. The sizes are synthetic."""
    names = [f"{country}-{scheme}" for country in TWO_SCHEMES for scheme in ("weee", "packaging")]
    names += [f"{country}-weee" for country in ONE_SCHEME]
    shares = [(rank + 1) ** -SKEW for rank in range(len(names))]
    sizes = [round(FULL_SCALE_ITEMS * share / sum(shares)) for share in shares]
    sizes[0] += FULL_SCALE_ITEMS - sum(sizes)
    return [ModelGroup(name, size, _training_rows(size)) for name, size in zip(names, sizes, strict=True)]


def _training_rows(items: int) -> int:
    return min(MOST_TRAINING_ROWS, max(FEWEST_TRAINING_ROWS, round(items * TRAINING_SHARE)))


def scaled(groups: list[ModelGroup], items: int) -> list[ModelGroup]:
    """The same groups with `items` to label in all, each in proportion; what they are trained on stays."""
    if items < len(groups):
        raise PlanError(
            f"{items} items are too few for {len(groups)} groups. Fix: give at least one per group."
        )
    total = sum(group.items for group in groups)
    return [replace(group, items=max(1, round(group.items * items / total))) for group in groups]


def read(path: Path) -> list[ModelGroup]:
    """Model groups of a CSV file with the columns group, items, training_rows and, if there, trials.

    Raises PlanError.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = ", ".join(rows.fieldnames or ()) or "none"
            if rows.fieldnames not in (COLUMNS, [*COLUMNS, TRIALS]):
                raise PlanError(
                    f"{path}, row 1: the columns are {columns}. "
                    f"Fix: make them {', '.join(COLUMNS)} and, if policies set it, {TRIALS}."
                )
            groups = [_group(path, number, row) for number, row in enumerate(rows, start=2)]
    except OSError as error:
        raise PlanError(f"{path}: {error.strerror}. Fix: name a CSV file in UTF-8.") from error
    except (UnicodeDecodeError, csv.Error):
        raise PlanError(f"{path} is no CSV file in UTF-8. Fix: save it as one.") from None
    names = [group.name for group in groups]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise PlanError(
            f"{path}: {', '.join(sorted(repeated))} is listed twice. Fix: give each group one row."
        )
    if not groups:
        raise PlanError(f"{path}: no groups. Fix: add a row for each.")
    return groups


def _group(path: Path, number: int, row: dict[str, Any]) -> ModelGroup:
    name, *numbers = (row.get(column) or "" for column in COLUMNS)
    if not re.fullmatch(GROUP_PATTERN, name):
        raise PlanError(f"{path}, row {number}: {name!r} is not a model group. Fix: write it like DE-weee.")
    if not all(re.fullmatch(r"[1-9][0-9]{0,11}", text) for text in numbers):
        raise PlanError(
            f"{path}, row {number}: {numbers} are not two whole numbers above 0. Fix: correct them."
        )
    trials = row.get(TRIALS) or str(Policy.trials)
    if not re.fullmatch(r"[1-9][0-9]?", trials) or int(trials) > MOST_TRIALS:
        raise PlanError(
            f"{path}, row {number}: trials is {trials!r}. Fix: write a whole number from 1 to {MOST_TRIALS}."
        )
    items, training_rows = map(int, numbers)
    return ModelGroup(name, items, training_rows, int(trials))
