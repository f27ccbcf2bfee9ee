"""What brings a challenger nearer to a decision: both models label its test set, then they are compared."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from pipelines import runs
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
    inference_arn: str,
    comparison_arn: str,
    again: bool = False,
) -> str | None:
    """Start what comes next for the challenger in an event's detail; nothing after its decision.

    Without a winner so far the challenger is compared with nothing. `states` is a boto3 Step Functions
    client, `again` and what is returned as in executions.start. Raises runs.BadEvent.
    """
    group, test_set, challenger = runs.fields(detail, "group", "test_set", "challenger")
    winner, decision = ledger.winner(group)
    # The event came again after the decision: the winner may be another by now, so the name would be new.
    if winner == challenger or ledger.is_decided(group, challenger):
        log.info("%s has been decided", challenger, extra=about(detail))
        return None
    addresses = {
        model: ledger.predictions(group, test_set, model) for model in (challenger, winner or challenger)
    }
    for model, predictions in addresses.items():
        if not predictions:
            test = runs.test(detail, model=model, challenger=challenger, test_set=test_set)
            return start(states, inference_arn, test, again)
    comparison = runs.comparison(
        detail,
        challenger={"model": challenger, "predictions": addresses[challenger]},
        winner={"model": winner, "predictions": addresses[winner or challenger]},
        decision=decision,
        published_at=ledger.published_at(group),
    )
    return start(states, comparison_arn, comparison, again)
