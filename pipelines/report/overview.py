"""What the index says of each group, month by month, from its ledger and its summaries. All is pure.

archive.py reads both, pages.py shows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines import names
from pipelines.ledger.reading import MAKES_WINNER, GroupLedger
from processing.month import drift


@dataclass(frozen=True)
class Figures:
    """What a month's labels came to; shares in [0, 1], None where they are not known.

    Attributes:
        rows: delivered.
        unsure: share of the items that the model is not sure enough of, whoever has looked at them.
        drift: share of the items that would have to move to have the mix of codes of the last labelled month.
        stands: whether anything needed attention when the month was published.
    """

    rows: int
    unsure: float | None
    drift: float | None
    stands: bool


@dataclass(frozen=True)
class Verdict:
    """What became of a month's comparison.

    Attributes:
        run: the comparison's; empty where people decided without one.
        verdict: as it was decided; `WAITS` while a person is asked.
        by_hand: what people decided afterwards, before the next month's comparison; empty if nothing.
        score: macro-F1 of the winner since then, on the test rows of the comparison; None if not known.
    """

    run: str
    verdict: str
    by_hand: str = ""
    score: float | None = None


@dataclass(frozen=True)
class Group:
    """One row of the index.

    Attributes:
        name: the group's.
        is_retired: whether somebody retired it.
        is_synthetic: whether its codebook says that its data are.
        verdicts, figures: by month.
        attention: what the newest labels' message said, in sentences, and what still stood.
    """

    name: str
    is_retired: bool
    is_synthetic: bool
    verdicts: Mapping[str, Verdict]
    figures: Mapping[str, Figures]
    attention: Sequence[str]

    @property
    def country(self) -> str:
        """`DE` of `DE-weee`."""
        return self.name.partition("-")[0]

    @property
    def scheme(self) -> str:
        """`weee` of `DE-weee`."""
        return self.name.partition("-")[2]

    @property
    def last_verdict(self) -> str:
        """That of the newest month with a comparison; empty where there is none."""
        return self.verdicts[max(self.verdicts)].verdict if self.verdicts else ""

    def needs_attention(self, period: str) -> bool:
        """Whether anything in a month's labels did; what is told only once is known of the newest month."""
        is_newest = period == max(self.figures)
        return self.figures[period].stands or (is_newest and bool(self.attention))


def verdicts(ledger: GroupLedger, waiting: Sequence[str]) -> dict[str, Verdict]:
    """What became of each month's last comparison; `waiting` are the runs that wait for a person."""
    found: dict[str, Verdict] = {}
    period = ""
    for decision in ledger.decisions:
        verdict = decision["verdict"]
        wins = verdict in MAKES_WINNER
        score = decision.get("score" if wins else "replaced_score")
        if named := names.parse_run(decision["run"]):
            period = named.period
            found[period] = Verdict(decision["run"], verdict, score=score)
        elif wins:  # by hand
            period = period or decision["time"][:7]
            before = found.get(period, Verdict("", ""))
            found[period] = Verdict(before.run, before.verdict, verdict, score)
    for run in waiting:
        if named := names.parse_run(run):
            found[named.period] = Verdict(run, "WAITS")
    return found


def figures(summary: Mapping[str, Any]) -> dict[str, Figures]:
    """What a summary knows of its own month and of those before that its history has, by month."""
    history = summary.get("history") or [_without_history(summary)]
    before = [None, *history]
    return {
        month["period"]: Figures(
            rows=month["rows"],
            unsure=month["review"],
            drift=_drift(month["codes"], earlier["codes"]) if earlier else None,
            stands=bool(month.get("standing")),
        )
        for earlier, month in zip(before, history, strict=False)
    }


def attention(summary: Mapping[str, Any]) -> list[str]:
    """What the message said, and what had been told in earlier months and still stood."""
    stood = [
        f"Since {check['since']}: {check['what']}, {check['found']}."
        for check in summary["checks"]
        if check.get("since") and not check["message"]
    ]
    return [*summary["attention"], *stood]


def _without_history(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The month of a summary from before they had a history."""
    counts = summary["counts"]
    items = counts["rows"] - counts["rejected"]
    unsure = summary.get("review", {}).get("needed", counts["review"])
    return {
        "period": summary["period"],
        "rows": counts["rows"],
        "review": unsure / items if items else None,
        "codes": {row["code"]: row["items"] for row in summary["codes"]},
    }


def _drift(now: Mapping[str, int], before: Mapping[str, int]) -> float | None:
    codes = sorted(now.keys() | before.keys())
    mixes = (np.array([mix.get(code, 0) for code in codes], int) for mix in (now, before))
    found = drift.distance(*mixes)
    return found.distance if found else None
