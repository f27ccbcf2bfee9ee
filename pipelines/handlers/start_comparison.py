"""Inference Completed, of a test set: compare when challenger and winner have both labelled it.

test_model.py takes the same next step for a model that was trained.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from pipelines import runs
from pipelines.executions import start
from pipelines.handlers.clients import client
from pipelines.handlers.ledger import Ledger
from pipelines.handlers.logs import about

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_stepfunctions import SFNClient

log = logging.getLogger(__name__)


def handler(
    event: dict[str, Any],
    context: object = None,
    states: SFNClient | None = None,
    table: DynamoDBClient | None = None,
) -> None:
    """Take one `Inference Completed` event of a test set. Raises runs.BadEvent.

    `table` is a boto3 DynamoDB client.
    """
    start_next(event["detail"], states or client("stepfunctions"), table or client("dynamodb"))


def start_next(detail: dict[str, Any], states: SFNClient, table: DynamoDBClient, again: bool = False) -> None:
    """Start what brings the challenger in an event's detail nearer to a decision. Raises runs.BadEvent.

    `states` and `table` are boto3 clients; `again` as in executions.start.
    """
    upcoming = next_run(detail, Ledger(table, os.environ["LEDGER_TABLE"]))
    if upcoming:
        machine, run = upcoming
        start(states, os.environ[machine], run, again)


def next_run(detail: dict[str, Any], ledger: Ledger) -> tuple[str, dict[str, Any]] | None:
    """The machine (its variable) and the input of what comes next; None after the challenger's decision.

    Without a winner so far the challenger is compared with nothing.
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
            return "INFERENCE_MACHINE_ARN", runs.test(
                detail, model=model, challenger=challenger, test_set=test_set
            )
    return "COMPARISON_MACHINE_ARN", runs.comparison(
        detail,
        challenger={"model": challenger, "predictions": addresses[challenger]},
        winner={"model": winner, "predictions": addresses[winner or challenger]},
        decision=decision,
        published_at=ledger.published_at(group),
    )
