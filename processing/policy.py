"""What a model group asks of a challenger before it wins, and of labels before they are used."""

import json
import re
from dataclasses import dataclass

from processing.errors import BadCodebook

#: In place of the list by which a group shares rows: it does not.
NO_LIST = "none"
#: What a person's decision means for other items with the same text.
SUGGEST, DECIDE = "suggest", "decide"
#: Of which labels `precision` is promised: of those no person looks at, or of all that are published.
AUTOMATIC, MONTH = "automatic", "month"
#: What becomes of training rows whose label is likely wrong.
KEEP, LEAVE_OUT = "keep", "leave_out"
#: Settings that a search may try at most, and how many of them are tried at a time.
MOST_TRIALS, TRIALS_AT_ONCE = 30, 2


@dataclass(frozen=True)
class Policy:
    """What a model group asks of models and labels.

    Attributes:
        min_gain: smallest measured gain in macro-F1 that is worth a change of model, in [0, 1].
        min_rows: smallest number of distinct test texts for intervals to be trusted, at least 1; with fewer
            only exact tests count.
        level: significance level of the two-sided McNemar test and of the intervals, in (0, 0.5].
        approval: whether a person must approve before the challenger becomes the winner.
        set_aside: largest share of the challenger's training rows that may be set aside before a person must
            approve, whatever `approval` says, in [0, 1].
        promise: what `precision` is of: the labels that no person looks at (`automatic`), or all published
            ones, people's decisions counted as right (`month`).
        precision: share of right ones wanted among these, in [0, 1]; 0 leaves it to the model's own
            thresholds alone.
        code_precision: share of right ones wanted among each code's labels that no person looks at, in
            [0, 1], but never more than `precision`; critical codes keep `precision` itself.
        review_capacity: how many items a month people can look at; None for as many as it takes.
        share_by: the list of references (`unu`), or the scheme (`weee`) for `same_as`, by which the group's
            training rows are shared with other groups that share by it, and theirs with this one; `none` for
            no sharing.
        same_text: whether a person's decision is a suggestion for other items with the same text (`suggest`),
            or counts for them as well (`decide`).
        doubtful: whether training rows whose label is likely wrong are learned all the same (`keep`), or left
            out where many are (`leave_out`).
        trials: how many settings the search of a training tries, from 1 to 30.
        family: whether on a review sheet each item of a family has its row (`suggest`), or one row stands for
            the family and decides on it (`decide`).
    """

    min_gain: float = 0.002
    min_rows: int = 1000
    level: float = 0.02
    approval: bool = False
    set_aside: float = 0.05
    promise: str = AUTOMATIC
    precision: float = 0.98
    code_precision: float = 0.8
    review_capacity: float | None = None
    share_by: str = NO_LIST
    same_text: str = SUGGEST
    doubtful: str = LEAVE_OUT
    family: str = SUGGEST
    trials: int = 8

    def __post_init__(self) -> None:
        allowed = {
            "min_gain": (0 <= self.min_gain <= 1, "from 0 to 1; 0.005 is half a point"),
            "min_rows": (self.min_rows >= 1, "1 or more"),
            "level": (0 < self.level <= 0.5, "above 0 and at most 0.5; 0.02 is the default"),
            "set_aside": (0 <= self.set_aside <= 1, "from 0 to 1; 0.05 is the default"),
            "precision": (0 <= self.precision <= 1, "from 0 to 1; 0.98 is the default"),
            "promise": (
                self.promise in (AUTOMATIC, MONTH),
                f'"{AUTOMATIC}" or "{MONTH}"; "{AUTOMATIC}" is the default',
            ),
            "code_precision": (0 <= self.code_precision <= 1, "from 0 to 1; 0.8 is the default"),
            "share_by": (
                re.fullmatch("[a-z0-9]{1,20}", self.share_by),
                'small letters and digits, such as "unu"; "none" is the default',
            ),
            **{
                name: (
                    getattr(self, name) in (SUGGEST, DECIDE),
                    f'"{SUGGEST}" or "{DECIDE}"; "{SUGGEST}" is the default',
                )
                for name in ("same_text", "family")
            },
            "doubtful": (
                self.doubtful in (KEEP, LEAVE_OUT),
                f'"{KEEP}" or "{LEAVE_OUT}"; "{LEAVE_OUT}" is the default',
            ),
            "trials": (
                isinstance(self.trials, int) and 1 <= self.trials <= MOST_TRIALS,
                f"a whole number from 1 to {MOST_TRIALS}; 8 is the default",
            ),
            "review_capacity": (self.review_capacity is None or self.review_capacity >= 0, "0 or more"),
        }
        for name, (fine, rule) in allowed.items():
            if not fine:
                raise ValueError(f"policy: {name} is {getattr(self, name)}, must be {rule}")

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """The policy in a JSON object such as '{"min_gain": 0.01}'; what is not named keeps its default.

        Raises:
            ValueError: not a JSON object, an unknown setting, or a value out of its range.
        """
        settings = json.loads(text)
        if not isinstance(settings, dict):
            raise ValueError(f'policy: {text!r} is not a JSON object such as {{"min_gain": 0.01}}')
        for name, value in settings.items():
            if name not in cls.__dataclass_fields__:
                raise ValueError(
                    f"policy: unknown setting {name!r}; use one of {', '.join(cls.__dataclass_fields__)}"
                )
            if name == "approval":
                if not isinstance(value, bool):
                    raise ValueError(f"policy: {name} is {value!r}, must be true or false")
            elif name in ("promise", "share_by", "same_text", "doubtful", "family"):
                if not isinstance(value, str):
                    raise ValueError(f"policy: {name} is {value!r}, must be text")
            elif not isinstance(value, int | float) or isinstance(value, bool):
                raise ValueError(f"policy: {name} is {value!r}, must be a number")
        return cls(**settings)


def of_group(text: str) -> Policy:
    """The policy that the ledger has of a group, in a job. Raises BadCodebook."""
    try:
        return Policy.parse(text)
    except ValueError as error:
        raise BadCodebook(
            f"The group's policy cannot be used ({error}).", "correct it and publish the codebook again."
        ) from None
