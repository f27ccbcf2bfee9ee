"""One of our statements has finished. If it found no rows, no dataset lands, so the operators get a notice.

Redshift then writes neither a file nor a manifest (spark-redshift-community/spark-redshift issue 40), so that
no run starts. The order ends here, in the ledger, as one without items.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from pipelines import messages, names
from pipelines.handlers.clients import client
from pipelines.handlers.logs import about
from pipelines.ledger import keys
from pipelines.warehouse import unload

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient

log = logging.getLogger(__name__)


def handler(
    event: dict[str, Any],
    context: object = None,
    s3: S3Client | None = None,
    table: DynamoDBClient | None = None,
    sns: SNSClient | None = None,
) -> None:
    """Take one `Redshift Data Statement Status Change` event of a statement that has finished.

    `s3`, `table` and `sns` are boto3 clients of S3, DynamoDB and SNS.
    """
    statement = event["detail"]["statementName"]
    order = unload.read_name(statement)
    [group] = order.groups
    fields = {"group": group, "purpose": order.purpose, "period": order.period}
    folder = names.DATASET.format(**fields, delivery=order.delivery)
    manifest = (s3 or client("s3")).list_objects_v2(
        Bucket=os.environ["LANDING_BUCKET"], Prefix=f"{folder}manifest", MaxKeys=1
    )
    if manifest["KeyCount"]:
        return
    dynamodb = table or client("dynamodb")
    key = {
        "group": {"S": group},
        "entry": {"S": keys.NO_ITEMS.format(purpose=order.purpose, period=order.period)},
    }
    known = dynamodb.get_item(TableName=os.environ["LEDGER_TABLE"], Key=key, ConsistentRead=True)
    if known.get("Item", {}).get("statement") == {"S": statement}:
        return  # EventBridge may deliver an event twice
    log.info("%s found no items", statement, extra=about({"group": group}))
    (sns or client("sns")).publish(
        TopicArn=os.environ["OPERATORS_TOPIC_ARN"],
        Subject=messages.NO_ITEMS.subject.format(**fields),
        Message=messages.NO_ITEMS.text.format(**fields, statement=statement),
        MessageAttributes=messages.attributes(kind=messages.NO_ITEMS.kind, group=group, period=order.period),
    )
    # Last, so that an event that is tried again after a failed notice is not taken for a second one.
    dynamodb.put_item(
        TableName=os.environ["LEDGER_TABLE"],
        Item={**key, "statement": {"S": statement}, "found_at": {"S": event["time"]}},
    )
