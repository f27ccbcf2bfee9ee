"""What happens to a stack, shown as it happens, until the stack rests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef

#: Takes an event of a stack.
Show: TypeAlias = "Callable[[StackEventTypeDef], None]"
POLL_SECONDS = 3


@dataclass(frozen=True)
class End:
    """How a stack came to rest, and which resource failed first, if one did; what was cancelled has not."""

    status: str
    resource: str = ""
    reason: str = ""

    @property
    def because(self) -> str:
        return f", as {self.resource} failed: {self.reason.rstrip('.')}" if self.resource else ""


def follow(
    cloudformation: CloudFormationClient,
    stack: str,
    seen: set[str],
    show: Show,
    sleep: Callable[[float], None] = time.sleep,
) -> End:
    """`show` the events that are not in `seen` until one says that the stack rests."""
    failed = End("")
    while True:
        for event in reversed(_events(cloudformation, stack)):
            if event["EventId"] in seen:
                continue
            seen.add(event["EventId"])
            show(event)
            status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
            of_stack = event["PhysicalResourceId"] == event["StackId"]
            if of_stack and not status.endswith("_IN_PROGRESS"):
                return replace(failed, status=status)
            if not failed.resource and status.endswith("_FAILED") and "cancelled" not in reason:
                failed = End("", event["LogicalResourceId"], reason)
        sleep(POLL_SECONDS)


def event_ids(cloudformation: CloudFormationClient, stack: str) -> set[str]:
    """Ids of all that has happened to the stack until now."""
    return {event["EventId"] for event in _events(cloudformation, stack)}


def _events(cloudformation: CloudFormationClient, stack: str) -> list[StackEventTypeDef]:
    """All events of the stack, the newest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]
