"""S3 notifications in SQS messages: every dataset that has landed starts one run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from pipelines import runs
from pipelines.executions import start
from pipelines.handlers.batch import take_each

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient


def start_landed(event: dict[str, Any], purpose: str, machine_arn: str, states: SFNClient) -> dict[str, Any]:
    """Start a run for every dataset in a batch of messages; return Lambda's partial batch response.

    `event` is an SQS event, `states` a boto3 Step Functions client.
    """

    def take(body: str) -> None:
        for bucket, key, version in manifests(body):
            start(states, machine_arn, runs.landed(purpose, bucket, key, version))

    return take_each(event, take, runs.CannotStart)


def manifests(body: str) -> list[tuple[str, str, str]]:
    """Bucket, key and version of the objects in one notification; none in S3's test message.

    Raises runs.BadNotification.
    """
    try:
        notification = json.loads(body)
        if notification.get("Event") == "s3:TestEvent":  # sent once, when notifications are set up
            return []
        return [_object(record["s3"]) for record in notification["Records"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise runs.BadNotification(
            f"the message is not an S3 notification ({error!r}): {body[:500]!r}. "
            "Fix: let only the landing bucket send to this queue"
        ) from error


def _object(entity: dict[str, Any]) -> tuple[str, str, str]:
    """A key comes form-encoded; without versions in the bucket, the content's tag stands for the version."""
    item = entity["object"]
    return entity["bucket"]["name"], unquote_plus(item["key"]), item.get("versionId") or item["eTag"]
