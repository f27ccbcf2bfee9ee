"""A stack changes in two steps: a change set says what would change, and once accepted it is applied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from infra.deploy.events import Show, event_ids, follow
from pipelines.errors import Refused

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import ResourceToImportTypeDef, StackTypeDef, TagTypeDef

TAGS: list[TagTypeDef] = [{"Key": "project", "Value": "labelmill"}]
#: What CloudFormation answers when there is nothing to do.
NOTHING = ("didn't contain changes", "No updates are to be performed")
#: Such a stack takes no change. Either its creation failed, or somebody began to delete it.
BROKEN = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")

#: Statuses of a resource that is not in its stack (API reference, StackResourceSummary).
LET_GO = ("DELETE_COMPLETE", "IMPORT_FAILED", "IMPORT_ROLLBACK_COMPLETE")


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
    described = _described(cloudformation, stack)
    return described["StackStatus"] if described else None


def parameters_of(cloudformation: CloudFormationClient, stack: str) -> dict[str, str]:
    """The parameters that the stack has now; none when there is no such stack."""
    described = _described(cloudformation, stack)
    given = described.get("Parameters", []) if described else []
    return {item["ParameterKey"]: item["ParameterValue"] for item in given}


def _described(cloudformation: CloudFormationClient, stack: str) -> StackTypeDef | None:
    from botocore.exceptions import ClientError

    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None


def ready(
    cloudformation: CloudFormationClient,
    stack: str,
    show: Show,
    role: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Lead a stack to where it can be made or changed, from wherever a failure has left it.

    A stack whose creation failed, whose deletion was begun, or whose first import was rolled back is deleted;
    data stays. A rollback that stuck is continued. Which states take a change is in the API reference of
    RollbackStack ("last known stable state") and ContinueUpdateRollback.

    Returns:
        Whether there is no stack, and so one has to be made.

    Raises:
        StackFailed: it is busy, or what stopped it before stops it again.
    """
    status = status_of(cloudformation, stack)
    if status in (None, "REVIEW_IN_PROGRESS"):
        return True
    if status.endswith("_IN_PROGRESS"):
        raise StackFailed(f"stack {stack} is {status}. Fix: wait until that has ended, then deploy again")
    if status == "IMPORT_ROLLBACK_FAILED":
        raise StackFailed(
            f"stack {stack} is {status}. Fix: `labelmill destroy` it (data stays), then deploy again"
        )
    if status in BROKEN or (status == "IMPORT_ROLLBACK_COMPLETE" and not _holds(cloudformation, stack)):
        print(f"stack {stack} is {status}: what is left of it is deleted, data stays")
        delete(cloudformation, stack, show, sleep)
        return True
    if status == "UPDATE_ROLLBACK_FAILED":
        print(f"stack {stack} is {status}: the rollback is continued")
        seen = event_ids(cloudformation, stack)
        acts_by: dict[str, Any] = {"RoleARN": role} if role else {}
        cloudformation.continue_update_rollback(StackName=stack, **acts_by)
        end = follow(cloudformation, stack, seen, show, sleep)
        if end.status != "UPDATE_ROLLBACK_COMPLETE":
            skip = f"aws cloudformation continue-update-rollback --stack-name {stack} --resources-to-skip"
            raise StackFailed(
                f"stack {stack} is {end.status}{end.because}. Fix: resolve that and deploy again; where "
                f"the resource is gone for good, skip it (`{skip} {end.resource}`) and deploy again"
            )
    return False


def _holds(cloudformation: CloudFormationClient, stack: str) -> bool:
    """Whether anything is in the stack; what a rolled back import has let go is not."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = (resource for page in pages for resource in page["StackResourceSummaries"])
    return any(resource["ResourceStatus"] not in LET_GO for resource in found)


def plan(
    cloudformation: CloudFormationClient,
    stack: str,
    template: dict[str, Any],
    parameters: dict[str, str],
    role: str | None = None,
    *,
    new: bool = False,
    to_import: list[ResourceToImportTypeDef] | None = None,
) -> ChangeSet | None:
    """Make a change set; None when nothing would change.

    Args:
        template: `{"TemplateBody": text}` or `{"TemplateURL": address}`.
        role: ARN of the role that CloudFormation acts by; without, it acts with the caller's own rights.
        new: whether the stack has to be made.
        to_import: what it takes over, and then it does nothing else; taking_over.py has both that and the
            template for it.

    Raises:
        StackFailed: CloudFormation does not take the change; the message has its reason.
    """
    from botocore.exceptions import WaiterError

    kind: Literal["CREATE", "IMPORT", "UPDATE"] = "IMPORT" if to_import else "CREATE" if new else "UPDATE"
    further: dict[str, Any] = {"ResourcesToImport": to_import} if to_import else {"Tags": TAGS}
    if role:
        further["RoleARN"] = role
    made = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=f"deploy-{datetime.now(UTC):%Y%m%d-%H%M%S}",
        ChangeSetType=kind,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        **further,
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
        raise StackFailed(
            f"no change set for stack {stack}: {reason or 'it took too long'}. "
            "Fix: resolve that, then deploy again"
        ) from None
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
    seen = event_ids(cloudformation, change_set.stack)
    cloudformation.execute_change_set(StackName=change_set.stack, ChangeSetName=change_set.name)
    end = follow(cloudformation, change_set.stack, seen, show, sleep)
    if end.status.startswith("IMPORT_ROLLBACK"):
        # Nothing is in it, and what is not in a stack can be imported again.
        delete(cloudformation, change_set.stack, show, sleep)
    if end.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        raise StackFailed(
            f"stack {change_set.stack} is {end.status}{end.because}. Fix: resolve that, then deploy again"
        )
    stack = cloudformation.describe_stacks(StackName=change_set.stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def delete(
    cloudformation: CloudFormationClient, stack: str, show: Show, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Delete a stack; what its template says is retained stays. Raises StackFailed."""
    # By its id, as a stack that is gone has no name.
    identity = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    seen = event_ids(cloudformation, identity)
    cloudformation.delete_stack(StackName=identity)
    end = follow(cloudformation, identity, seen, show, sleep)
    if end.status != "DELETE_COMPLETE":
        raise StackFailed(
            f"stack {stack} is {end.status}{end.because}. Fix: resolve that, then run the same command again"
        )
