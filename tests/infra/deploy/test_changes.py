"""Stacks that take their time, change sets of many pages; test_life_of_a_stack.py has what can fail."""

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, WaiterError

from infra.deploy.changes import Change, ChangeSet, StackFailed, apply, delete, plan

STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1"


class FakeCloudFormation:
    """One stack; `script` holds, for each look at it, the events that have come since the look before."""

    def __init__(self, status=None, script=(), failure=None):
        self.status, self.script, self.failure = status, list(script), failure
        self.events: list[dict] = []
        self.calls: list[str] = []

    def describe_stacks(self, StackName):
        if self.status is None:
            raise ClientError(
                {"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "DescribeStacks"
            )
        return {"Stacks": [{"StackId": STACK, "StackStatus": self.status}]}

    def create_change_set(self, **request):
        self.calls.append(f"create {request['ChangeSetType']}")
        return {"Id": "change-set"}

    def get_waiter(self, name):
        return self

    def wait(self, **request):
        if self.failure:
            raise WaiterError(name="w", reason="failed", last_response={})

    def describe_change_set(self, NextToken="1", **request):
        change = {
            "Action": "Modify",
            "LogicalResourceId": f"R{NextToken}",
            "ResourceType": "T",
            "Replacement": "True",
        }
        more = {"NextToken": "2"} if NextToken == "1" else {}
        return {"Changes": [{"ResourceChange": change}], "StatusReason": self.failure or "", **more}

    def delete_change_set(self, **request):
        self.calls.append("delete change set")

    def execute_change_set(self, **request):
        self.calls.append("execute")

    def delete_stack(self, StackName):
        self.calls.append(f"delete {StackName}")

    def get_paginator(self, operation):
        return self

    def paginate(self, StackName):
        looked = "execute" in self.calls or f"delete {STACK}" in self.calls
        for resource, status, *reason in self.script.pop(0) if looked and self.script else ():
            physical = STACK if resource == "s" else resource
            event = {
                "EventId": str(len(self.events)),
                "StackId": STACK,
                "LogicalResourceId": resource,
                "PhysicalResourceId": physical,
                "ResourceStatus": status,
                "ResourceStatusReason": "".join(reason),
                "Timestamp": datetime(2026, 1, 1, tzinfo=UTC),
            }
            self.events.insert(0, event)
        yield {"StackEvents": list(self.events)}


CHANGES = ChangeSet("s", "change-set", new=False, changes=())


def test_progress_is_shown_in_order_and_once_until_the_stack_itself_rests():
    script = [
        [("s", "UPDATE_IN_PROGRESS"), ("Key", "UPDATE_IN_PROGRESS")],
        [],
        [("Key", "UPDATE_COMPLETE"), ("s", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")],
        [("s", "UPDATE_COMPLETE")],
    ]
    cloud, shown, slept = FakeCloudFormation("UPDATE_COMPLETE", script), [], []
    apply(
        cloud,
        CHANGES,
        lambda event: shown.append((event["LogicalResourceId"], event["ResourceStatus"])),
        slept.append,
    )
    assert shown == [step for look in script for step in look]
    assert len(slept) == 3


def test_a_change_that_is_rolled_back_is_a_failure():
    script = [
        [
            ("Key", "UPDATE_FAILED", "it may not"),
            ("s", "UPDATE_ROLLBACK_IN_PROGRESS"),
            ("s", "UPDATE_ROLLBACK_COMPLETE"),
        ]
    ]
    with pytest.raises(StackFailed, match=r"UPDATE_ROLLBACK_COMPLETE, as Key failed: it may not\. Fix:"):
        apply(
            FakeCloudFormation("UPDATE_COMPLETE", script), CHANGES, lambda event: None, lambda seconds: None
        )


def test_a_stack_that_cannot_be_deleted_is_a_failure():
    cloud = FakeCloudFormation("UPDATE_COMPLETE", [[("s", "DELETE_FAILED")]])
    with pytest.raises(StackFailed, match="DELETE_FAILED"):
        delete(cloud, "s", lambda event: None, lambda seconds: None)


@pytest.mark.parametrize(("new", "kind"), [(True, "CREATE"), (False, "UPDATE")])
def test_a_change_set_makes_or_changes_the_stack_and_lists_every_page(new, kind):
    cloud = FakeCloudFormation("UPDATE_ROLLBACK_COMPLETE")
    found = plan(cloud, "s", {"TemplateBody": "{}"}, {}, new=new)
    assert cloud.calls == [f"create {kind}"]
    assert found.changes == (Change("Modify", "R1", "T", True), Change("Modify", "R2", "T", True))


def test_what_was_cancelled_for_another_failure_is_not_taken_for_the_cause():
    script = [
        [
            ("A", "CREATE_FAILED", "Resource creation cancelled"),
            ("B", "CREATE_FAILED", "no such luck"),
            ("s", "ROLLBACK_COMPLETE"),
        ]
    ]
    cloud = FakeCloudFormation("REVIEW_IN_PROGRESS", script)
    with pytest.raises(StackFailed, match="ROLLBACK_COMPLETE, as B failed: no such luck"):
        apply(cloud, CHANGES, lambda event: None, lambda seconds: None)


def test_a_change_set_that_fails_is_dropped_and_its_reason_told():
    cloud = FakeCloudFormation("CREATE_COMPLETE", failure="Template error: no such parameter")
    with pytest.raises(StackFailed, match="no such parameter"):
        plan(cloud, "s", {"TemplateBody": "{}"}, {})
    assert cloud.calls[-1] == "delete change set"
