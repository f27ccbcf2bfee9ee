"""S3 notifications in SQS messages: every dataset that has landed starts one run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from pipelines import runs
from pipelines.executions import start
from pipelines.handlers.batch import take_each

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient


class Landed(NamedTuple):
    """An object that has landed; `time` is when S3 took it, `2026-11-01T02:00:00.123Z`."""

    bucket: str
    key: str
    version: str
    time: str


def start_landed(event: dict[str, Any], purpose: str, machine_arn: str, states: SFNClient) -> dict[str, Any]:
    """Start a run for every dataset in a batch of messages; return Lambda's partial batch response.

    `event` is an SQS event, `states` a boto3 Step Functions client.
    """

    def take(body: str) -> None:
        for run in runs_in(body, purpose):
            start(states, machine_arn, run)

    return take_each(event, take, runs.CannotStart)


def runs_in(body: str, purpose: str) -> list[dict[str, Any]]:
    """The input of the run of each dataset in one notification. Raises runs.CannotStart."""
    return [runs.landed(purpose, *manifest) for manifest in manifests(body)]


def manifests(body: str) -> list[Landed]:
    """The objects in one notification; none in S3's test message.

    Raises runs.BadNotification.
    """
    try:
        notification = json.loads(body)
        if notification.get("Event") == "s3:TestEvent":  # sent once, when notifications are set up
            return []
        return [_object(record) for record in notification["Records"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise runs.BadNotification(
            f"the message is not an S3 notification ({error!r}): {body[:500]!r}. "
            "Fix: let only the landing bucket send to this queue"
        ) from error


def _object(record: dict[str, Any]) -> Landed:
    """A key comes form-encoded; without versions in the bucket, the content's tag stands for the version."""
    bucket, item = record["s3"]["bucket"]["name"], record["s3"]["object"]
    # ISO 8601 and "when Amazon S3 finished processing the request" (S3's User Guide, "Event message
    # structure"); in one form, since deliveries are ordered by it as text.
    time = datetime.fromisoformat(record["eventTime"]).astimezone(UTC).isoformat(timespec="milliseconds")
    return Landed(
        bucket,
        unquote_plus(item["key"]),
        item.get("versionId") or item["eTag"],
        time.replace("+00:00", "Z"),
    )
