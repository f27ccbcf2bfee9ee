"""Model Trained: let the new model label its test set.

A training that found nothing new to learn announces the last model again, if that one is undecided: its test
or its comparison did not come to an end. What is missing then is started, and what failed is started anew.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipelines import runs
from pipelines.handlers.clients import client
from pipelines.handlers.deciding import start_next
from pipelines.handlers.ledger import Ledger

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_stepfunctions import SFNClient


def handler(
    event: dict[str, Any],
    context: object = None,
    states: SFNClient | None = None,
    table: DynamoDBClient | None = None,
) -> None:
    """Take one `Model Trained` event. Raises runs.BadEvent.

    `states` and `table` are boto3 clients of Step Functions and DynamoDB.
    """
    detail = event["detail"]
    model, _ = runs.fields(detail, "model", "test_set")
    start_next(
        {**detail, "challenger": model},
        Ledger(table or client("dynamodb"), os.environ["LEDGER_TABLE"]),
        states or client("stepfunctions"),
        {
            "inference": os.environ["INFERENCE_MACHINE_ARN"],
            "comparison": os.environ["COMPARISON_MACHINE_ARN"],
        },
        again="again" in detail,
    )
