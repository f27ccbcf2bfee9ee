"""Firing a schedule, as EventBridge Scheduler does when its time has come."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pipelines.errors import Refused


class NoSuchSchedule(Refused):
    """The stack has no schedule of that name; the text names those it has."""


def fire(client: Callable[[str], Any], name: str, at: datetime) -> str:
    """Send the schedule's input to its queue or function as if it were the time `at`; return what was sent.

    `client` makes boto3 clients of the stack by service name. Keywords in the input are replaced as AWS's
    page "Adding context attributes in EventBridge Scheduler" says.
    """
    scheduler = client("scheduler")
    try:
        schedule = scheduler.get_schedule(Name=name)
    except scheduler.exceptions.ResourceNotFoundException:
        names = ", ".join(sorted(one["Name"] for one in scheduler.list_schedules()["Schedules"]))
        raise NoSuchSchedule(f"no schedule {name}. Fix: name one of {names or 'none'}") from None
    keywords = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    message: str = schedule["Target"]["Input"]
    target = schedule["Target"]["Arn"]
    for keyword, value in keywords.items():
        message = message.replace(f"<aws.scheduler.{keyword}>", value)
    if ":lambda:" in target:
        client("lambda").invoke(FunctionName=target, InvocationType="Event", Payload=message)
    else:
        url = client("sqs").get_queue_url(QueueName=target.rpartition(":")[2])["QueueUrl"]
        client("sqs").send_message(QueueUrl=url, MessageBody=message)
    return message
