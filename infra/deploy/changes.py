"""A stack changes in two steps: a change set says what would change, and once accepted it is applied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from pipelines.errors import Refused

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef, TagTypeDef

TAGS: list[TagTypeDef] = [{"Key": "project", "Value": "labelmill"}]
#: Takes an event of a stack.
Show: TypeAlias = "Callable[[StackEventTypeDef], None]"
POLL_SECONDS = 3
#: What CloudFormation answers when there is nothing to do.
NOTHING = ("didn't contain changes", "No updates are to be performed")


class StackFailed(Refused):
    """CloudFormation did not do it; the message says why and what to do."""


@dataclass(frozen=True)
class Change:
    """One resource that would change: `action` is Add, Modify, Remove, Import or Dynamic."""

    action: str
    resource: str
    kind: str
    replaced: bool


@dataclass(frozen=True)
class ChangeSet:
    """What would change in `stack`; `name` is its ARN, `new` whether the stack does not exist yet."""

    stack: str
    name: str
    new: bool
    changes: tuple[Change, ...]


def status_of(cloudformation: CloudFormationClient, stack: str) -> str | None:
    """The stack's status, or None when there is no such stack."""
    from botocore.exceptions import ClientError

    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None


def plan(
    cloudformation: CloudFormationClient,
    stack: str,
    template: dict[str, Any],
    parameters: dict[str, str],
    role: str | None = None,
) -> ChangeSet | None:
    """Make a change set; None when nothing would change.

    `template` is `{"TemplateBody": text}` or `{"TemplateURL": address}`. Buckets and tables that an earlier
    stack of the same name has left behind are taken over. `role` is the ARN of the role that CloudFormation
    acts by; without, it acts with the caller's own rights. Raises StackFailed.
    """
    from botocore.exceptions import WaiterError

    status = status_of(cloudformation, stack)
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"):
        raise StackFailed(
            f"stack {stack} is {status} and cannot be changed. "
            "Fix: `labelmill destroy` it (data stays), then deploy again"
        )
    if status and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        raise StackFailed(f"stack {stack} is {status}. Fix: wait until that has ended")
    new = status in (None, "REVIEW_IN_PROGRESS")
    acts_by: dict[str, Any] = {"RoleARN": role} if role else {}
    made = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=f"deploy-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        ChangeSetType="CREATE" if new else "UPDATE",
        ImportExistingResources=True,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=TAGS,
        **acts_by,
        **template,
    )["Id"]
    try:
        waiter = cloudformation.get_waiter("change_set_create_complete")
        waiter.wait(StackName=stack, ChangeSetName=made, WaiterConfig={"Delay": 2, "MaxAttempts": 300})
    except WaiterError:
        reason = cloudformation.describe_change_set(StackName=stack, ChangeSetName=made).get(
            "StatusReason", ""
        )
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=made)
        if any(words in reason for words in NOTHING):
            return None
        raise StackFailed(f"no change set for stack {stack}: {reason or 'it took too long'}") from None
    return ChangeSet(stack, made, new, tuple(_changes(cloudformation, stack, made)))


def _changes(cloudformation: CloudFormationClient, stack: str, name: str) -> Iterator[Change]:
    more: dict[str, Any] = {}
    while True:
        page = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name, **more)
        for change in (entry["ResourceChange"] for entry in page["Changes"]):
            yield Change(
                change["Action"],
                change["LogicalResourceId"],
                change["ResourceType"],
                change.get("Replacement", "False") != "False",
            )
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def drop(cloudformation: CloudFormationClient, change_set: ChangeSet) -> None:
    """Forget a change set, and the empty stack that was made to hold it."""
    cloudformation.delete_change_set(StackName=change_set.stack, ChangeSetName=change_set.name)
    if change_set.new:
        cloudformation.delete_stack(StackName=change_set.stack)


def apply(
    cloudformation: CloudFormationClient,
    change_set: ChangeSet,
    show: Show,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, str]:
    """Apply a change set, `show` each event of the stack, return the outputs. Raises StackFailed."""
    seen = _event_ids(cloudformation, change_set.stack)
    cloudformation.execute_change_set(StackName=change_set.stack, ChangeSetName=change_set.name)
    status = follow(cloudformation, change_set.stack, seen, show, sleep)
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise StackFailed(
            f"stack {change_set.stack} is {status}. Fix: resolve the first failure above, then deploy again"
        )
    stack = cloudformation.describe_stacks(StackName=change_set.stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def delete(
    cloudformation: CloudFormationClient,
    stack: str,
    show: Show,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Delete a stack; what its template says is retained stays. Raises StackFailed."""
    # By its id, as a stack that is gone has no name.
    identity = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    seen = _event_ids(cloudformation, identity)
    cloudformation.delete_stack(StackName=identity)
    status = follow(cloudformation, identity, seen, show, sleep)
    if status != "DELETE_COMPLETE":
        raise StackFailed(
            f"stack {stack} is {status}. Fix: resolve the first failure above, then destroy again"
        )


def follow(
    cloudformation: CloudFormationClient,
    stack: str,
    seen: set[str],
    show: Show,
    sleep: Callable[[float], None],
) -> str:
    """`show` the events that are not in `seen` until one says that the stack rests; its status then."""
    while True:
        for event in reversed(_events(cloudformation, stack)):
            if event["EventId"] in seen:
                continue
            seen.add(event["EventId"])
            show(event)
            of_stack = event["PhysicalResourceId"] == event["StackId"]
            if of_stack and not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                return event["ResourceStatus"]
        sleep(POLL_SECONDS)


def _event_ids(cloudformation: CloudFormationClient, stack: str) -> set[str]:
    return {event["EventId"] for event in _events(cloudformation, stack)}


def _events(cloudformation: CloudFormationClient, stack: str) -> list[StackEventTypeDef]:
    """All events of the stack, the newest first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]
