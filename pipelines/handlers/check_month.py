"""Once an hour: do what runs could not send or copy; say which model groups are not done with the month.

A group is done when its labels of the month that has ended are published (or the warehouse had no items of
it) and every model trained on that month's data has been decided upon. After the month's deadline operators
get a notice of those that are not.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines import messages, names
from pipelines.handlers import notices
from pipelines.handlers.clients import client
from pipelines.handlers.ledger import Ledger, Month
from pipelines.handlers.logs import about
from pipelines.warehouse.unload import month_before

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient

log = logging.getLogger(__name__)


def handler(
    event: dict[str, Any],
    context: object = None,
    table: DynamoDBClient | None = None,
    s3: S3Client | None = None,
    sns: SNSClient | None = None,
    events: Any = None,
) -> None:
    """Take `{"scheduled_time": when the check was due, "overdue": whether the month's deadline has passed}`.

    `table`, `s3`, `sns` and `events` are boto3 clients.
    """
    table, s3, sns = table or client("dynamodb"), s3 or client("s3"), sns or client("sns")
    notices.send_all(table, os.environ["LEDGER_TABLE"], sns, events or client("events"), s3)
    period = month_before(datetime.fromisoformat(event["scheduled_time"]), os.environ["TIME_ZONE"])
    month = Ledger(table, os.environ["LEDGER_TABLE"]).month(period)
    bucket = os.environ["LANDING_BUCKET"]
    left = dict(unfinished(month, partial(has_landed, s3, bucket, period)))
    for group, what in left.items():
        log.info("%s of %s: %s", group, period, what, extra=about({"group": group}))
    summary = messages.MONTH_OVERDUE.subject.format(period=period, left=len(left), groups=len(month.groups))
    counts = {"GroupsUnfinished": len(left)} | ({"GroupsOverdue": len(left)} if event["overdue"] else {})
    log.info(summary if left else f"{period} is finished", extra=about({}) | metrics(counts))
    if left and event["overdue"]:
        sns.publish(
            TopicArn=os.environ["OPERATORS_TOPIC_ARN"],
            Subject=summary,
            Message=notice(period, bucket, left),
            MessageAttributes=messages.attributes(kind=messages.MONTH_OVERDUE.kind, period=period),
        )


def unfinished(month: Month, landed: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """Each group that is not done, and what it lacks, in words.

    `landed` says of a group whether a dataset to label has landed.
    """
    for group in sorted(month.groups):
        labels = "labelled" if group in month.labelled else "no items to label"
        if group not in month.labelled and landed(group):
            yield group, "its dataset has landed, but no labels are published"
        elif group not in month.labelled | month.without_items:
            yield group, "no dataset to label has landed"
        elif group in month.undecided:
            yield group, f"{labels}, but model {month.undecided[group]} has not been decided on"


def has_landed(s3: S3Client, bucket: str, period: str, group: str) -> bool:
    """Whether a dataset is complete, that is, has its manifest."""
    prefix = names.DATASETS.format(purpose="inference", group=group, period=period)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return any(item["Key"].endswith("/manifest") for page in pages for item in page.get("Contents", ()))


def notice(period: str, bucket: str, left: dict[str, str]) -> str:
    """The message to operators."""
    lines = "\n".join(f"{group}: {what}" for group, what in left.items())
    folder = names.DATASETS.format(purpose="inference", group="GROUP", period=period)
    return messages.MONTH_OVERDUE.text.format(
        period=period, lines=lines, folder=names.address(bucket, folder)
    )


def metrics(counts: dict[str, int]) -> dict[str, Any]:
    """Fields of a log line from which CloudWatch makes metrics: its embedded metric format.

    The hourly count says nothing of what is overdue: what the last check after a deadline said stands.
    """
    directive = {
        "Namespace": "Labelmill",
        "Dimensions": [["Stack"]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    header = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": header, "Stack": os.environ["STACK_NAME"], **counts}
