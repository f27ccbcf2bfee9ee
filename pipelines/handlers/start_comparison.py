"""Inference Completed, of a test set: compare when challenger and winner have both labelled it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

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
    """Take one `Inference Completed` event of a test set. Raises runs.BadEvent.

    `states` and `table` are boto3 clients of Step Functions and DynamoDB.
    """
    start_next(
        event["detail"],
        Ledger(table or client("dynamodb"), os.environ["LEDGER_TABLE"]),
        states or client("stepfunctions"),
        {
            "inference": os.environ["INFERENCE_MACHINE_ARN"],
            "comparison": os.environ["COMPARISON_MACHINE_ARN"],
        },
    )
