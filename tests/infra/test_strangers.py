"""What another account, and services not listed, may do to queues, topics, buckets and keys: nothing."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.infra.delivery import PARAMETERS
from tests.infra.faults import assert_found, properties
from tests.infra.judged import allowed, person
from tests.infra.policies import ACCOUNT, REGION, Request, Stack
from tests.infra.templates import TEMPLATES, template

pytestmark = pytest.mark.usefixtures("engine")

OTHER = "210987654321"
ADMINISTRATOR = f"arn:aws:iam::{OTHER}:role/Admin"
ACTIONS = {
    "SQS::Queue": ("SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue", "SetQueueAttributes"),
    "SNS::Topic": ("Publish", "Subscribe", "SetTopicAttributes"),
    "S3::Bucket": ("ListBucket", "PutBucketPolicy", "GetObject", "PutObject", "DeleteObject"),
    "KMS::Key": ("Decrypt", "Encrypt", "GenerateDataKey", "CreateGrant", "PutKeyPolicy"),
}
#: Services that can call the kinds of resources above and have no business with ours.
UNLISTED = ("pipes", "iot", "ses", "apigateway", "config", "cloudtrail", "backup")
#: The services that a resource's own policy may name, by the kind of what holds the policy.
LISTED = {
    "S3::BucketPolicy": {"logging.s3"},
    "SQS::QueuePolicy": {"events", "s3"},
    "SNS::TopicPolicy": {"cloudwatch", "codestar-notifications"},
    "KMS::Key": {"cloudwatch", "codestar-notifications", "delivery.logs", "events", f"logs.{REGION}", "s3"},
    "Lambda::Permission": {"events"},
    "IAM::Role": {
        *("cloudformation", "codebuild", "codepipeline", "fis", "lambda", "redshift", "redshift-serverless"),
        *("sagemaker", "scheduler", "ssm", "states"),
    },
}


def whole(name: str) -> Stack:
    """The stack of a template with all that its parameters can add."""
    given = {"delivery": {**PARAMETERS, "Name": "labelmill-delivery", "WithFaults": "yes"}}
    return Stack(template(name), **given.get(name, {}))


def calls(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Every call of `ACTIONS`: the resource's logical name, the action, the ARN that it is on."""
    for kind, actions in ACTIONS.items():
        service = kind.partition("::")[0].lower()
        for logical, action in product(stack.of_type(kind), actions):
            inside = "/x" if action.endswith("Object") else ""
            yield logical, f"{service}:{action}", stack.arn(logical) + inside


@pytest.mark.parametrize("name", TEMPLATES)
def test_another_accounts_administrator_may_do_nothing(name):
    stack = whole(name)
    said = {"aws:PrincipalArn": ADMINISTRATOR}
    everything = person(stack, "", "").policies
    requests = {
        (logical, action): Request(ADMINISTRATOR, action, on, said, everything)
        for logical, action, on in calls(stack)
    }
    requests |= {
        (logical, action, service): Request(
            ADMINISTRATOR,
            action,
            on,
            {**said, "kms:ViaService": f"{service}.{REGION}.amazonaws.com"},
            everything,
        )
        for (logical, action, on), service in product(calls(stack), ("s3", "sqs", "sns", "ecr", "dynamodb"))
        if action.startswith("kms:")
    }
    assert len(requests) > 20
    assert allowed(stack, requests) == set()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_service_outside_the_list_may_do_nothing(name):
    stack = whole(name)
    requests = {
        (service, logical, action): Request(
            f"{service}.amazonaws.com", action, on, {"aws:SourceAccount": ACCOUNT}
        )
        for service, (logical, action, on) in product(UNLISTED, calls(stack))
    }
    assert allowed(stack, requests) == set()


def principals(value: Any) -> Iterator[tuple[dict, Any]]:
    """Every statement or permission inside `value` that names somebody, and whom."""
    if isinstance(value, dict):
        if "Principal" in value:
            yield value, value["Principal"]
        for inner in value.values():
            yield from principals(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from principals(inner)


def strangers(kind: str, statement: dict, principal: Any) -> set[str]:
    """Whom a statement lets in who is neither of this account nor a listed service."""
    if isinstance(principal, str):
        principal = {"AWS": principal} if principal == "*" else {"Service": principal}
    named = {
        (what, who)
        for what, given in principal.items()
        for who in (given if isinstance(given, list) else [given])
    }
    known = {("Service", f"{service}.amazonaws.com") for service in LISTED.get(kind, set())}
    if kind == "KMS::Key":
        known.add(("AWS", f"arn:aws:iam::{ACCOUNT}:root"))
        # KMS refuses a role that IAM has not told it of yet, so roles are named by a condition.
        who = [keys.get("aws:PrincipalArn", []) for keys in statement.get("Condition", {}).values()]
        arns = [arn for given in who for arn in (given if isinstance(given, list) else [given])]
        if arns and all(arn.startswith(f"arn:aws:iam::{ACCOUNT}:role/") for arn in arns):
            known.add(("AWS", "*"))
    return {who for what, who in named - known}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_policies_of_resources_name_the_account_and_the_listed_services_alone(name):
    stack = whole(name)
    found = {
        (logical, who)
        for logical, resource in stack.resources.items()
        for statement, principal in principals(stack.properties[logical])
        if statement.get("Effect") != "Deny"
        for who in strangers(resource["Type"].removeprefix("AWS::"), statement, principal)
    }
    assert found == set()


def _letting_in(policy: str, who: dict, action: str):
    """A fault: a statement more, by which `who` may do `action`."""

    def add(given: dict) -> None:
        document = given["KeyPolicy" if "KeyPolicy" in given else "PolicyDocument"]
        document["Statement"].append({"Effect": "Allow", "Principal": who, "Action": action, "Resource": "*"})

    return properties(policy, add)


THEM = {"AWS": f"arn:aws:iam::{OTHER}:root"}
PIPES = {"Service": "pipes.amazonaws.com"}
FAULTS = {
    "another account decrypts labels": ("LabelledKey", THEM, "kms:Decrypt"),
    "another account reads labels": ("LabelledBucketPolicy", THEM, "s3:GetObject"),
    "another account orders datasets": ("QueuePolicy", THEM, "sqs:SendMessage"),
    "another account subscribes": ("TopicPolicy", THEM, "sns:Subscribe"),
    "EventBridge Pipes orders datasets": ("QueuePolicy", PIPES, "sqs:SendMessage"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    planted = _letting_in(*FAULTS[fault])
    asking = {
        "AWS": test_another_accounts_administrator_may_do_nothing,
        "Service": test_a_service_outside_the_list_may_do_nothing,
    }
    [who] = FAULTS[fault][1]
    for check in (
        asking[who],
        test_the_policies_of_resources_name_the_account_and_the_listed_services_alone,
    ):
        assert_found(planted, lambda stack, check=check: check("template"))
