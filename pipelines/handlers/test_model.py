"""Model Trained: let the new model label its test set.

A training that found nothing new to learn announces the last model again, if that one is undecided: its test
or its comparison did not come to an end. What is missing then is started, and what failed is started anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines import runs
from pipelines.handlers.clients import client
from pipelines.handlers.start_comparison import start_next

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
        states or client("stepfunctions"),
        table or client("dynamodb"),
        again="again" in detail,
    )
