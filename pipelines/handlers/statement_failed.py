"""One of our statements has failed or was stopped: keep what runs it again, and notify the operators why."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from pipelines import messages
from pipelines.handlers.clients import client
from pipelines.warehouse import unload

if TYPE_CHECKING:
    from types_boto3_redshift_data import RedshiftDataAPIServiceClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient


def handler(
    event: dict[str, Any],
    context: object = None,
    statements: RedshiftDataAPIServiceClient | None = None,
    sqs: SQSClient | None = None,
    sns: SNSClient | None = None,
) -> None:
    """Take one `Redshift Data Statement Status Change` event, which does not say why.

    `statements`, `sqs` and `sns` are boto3 clients of the Redshift Data API, SQS and SNS.
    """
    detail = event["detail"]
    cause = _cause(statements or client("redshift-data"), detail["statementId"])
    failure = unload.failure(detail["statementName"], detail["state"], cause)
    (sqs or client("sqs")).send_message(
        QueueUrl=os.environ["FAILURE_QUEUE_URL"], MessageBody=json.dumps(failure)
    )
    order = failure["input"]
    [group] = order["groups"]
    fields = {"group": group, "purpose": order["purpose"], "period": order["period"]}
    (sns or client("sns")).publish(
        TopicArn=os.environ["OPERATORS_TOPIC_ARN"],
        Subject=messages.UNLOAD_FAILED.subject.format(**fields),
        Message=messages.UNLOAD_FAILED.text.format(
            **fields,
            cause=cause,
            error=failure["error"],
            statement=failure["run"],
            statement_id=detail["statementId"],
        ),
        MessageAttributes=messages.attributes(
            kind=messages.UNLOAD_FAILED.kind, group=group, period=order["period"]
        ),
    )


def _cause(statements: RedshiftDataAPIServiceClient, statement_id: str) -> str:
    """The warehouse's error, or why it cannot be read: the failure is reported in any case."""
    try:
        return statements.describe_statement(Id=statement_id).get("Error") or "it was stopped"
    except statements.exceptions.ClientError as error:
        return f"the warehouse's error could not be read ({error})"
