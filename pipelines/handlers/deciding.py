"""What brings a challenger nearer to a decision: both models label its test set, then they are compared."""

from __future__ import annotations

import logging
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from pipelines import names, runs
from pipelines.executions import start
from pipelines.handlers.logs import about

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

    from pipelines.handlers.ledger import Ledger

log = logging.getLogger(__name__)


def start_next(
    detail: dict[str, Any],
    ledger: Ledger,
    states: SFNClient,
    machines: dict[str, str],
    again: bool = False,
) -> None:
    """Start what comes next for the challenger in an event's detail. Raises runs.BadEvent.

    Args:
        detail: the event's.
        ledger: the ledger.
        states: a boto3 Step Functions client.
        machines: the ARNs of the machines `inference` and `comparison`.
        again: as in executions.start.
    """
    upcoming = next_run(detail, ledger)
    if upcoming:
        machine, run = upcoming
        start(states, machines[machine], run, again)


def next_run(detail: dict[str, Any], ledger: Ledger) -> tuple[str, dict[str, Any]] | None:
    """The machine (`inference`, `comparison`) and the input of what comes next; None after the decision.

    Without a winner so far the challenger is compared with nothing. Raises runs.BadEvent.
    """
    group, test_set, challenger = runs.fields(detail, "group", "test_set", "challenger")
    winner, decision = ledger.winner(group)
    decisions = ledger.decisions(group)
    # The event came again after the decision: the winner may be another by now, so the name would be new.
    if winner == challenger or any(made["model"] == challenger for made in decisions):
        log.info("%s has been decided", challenger, extra=about(detail))
        return None
    made = {model: ledger.predictions(group, test_set, model) for model in (challenger, winner or challenger)}
    for model, predictions in made.items():
        if not predictions:
            return "inference", runs.test(detail, model=model, challenger=challenger, test_set=test_set)
    return "comparison", runs.comparison(
        detail,
        challenger={"model": challenger, **made[challenger]},
        winner={"model": winner, **made[winner or challenger]},
        decision=decision,
        published_at=ledger.published_at(group),
        undecided=_undecided(decisions),
    )


def _undecided(decisions: list[dict[str, str]]) -> list[str]:
    """The periods of the comparisons that were undecided since the last decision of another kind, in order.

    At most the last twelve: an argument of a processing job has 256 characters.
    """
    last = takewhile(lambda made: made["verdict"] == "UNDECIDED", reversed(decisions))
    runs_made = (names.parse_run(made["run"]) for made in last)
    return sorted({run.period for run in runs_made if run})[-12:]
