"""The templates and the handlers on an emulator that shares no code with moto, and enforces policies."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from infra.deploy import bundle
from infra.local.stacks import WAREHOUSE_ARN
from tests.infra.engines import ministack
from tests.infra.policies import VALUES
from tests.infra.templates import ROOT, template

pytestmark = pytest.mark.skipif(
    not ministack.PYTHON.exists(), reason="ministack is not installed: make ministack"
)

EVENTS = ROOT / "tests/events"


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    with ministack.running(tmp_path_factory.mktemp("ministack")) as account:
        yield account


@pytest.fixture(scope="module")
def code(aws, tmp_path_factory) -> dict[str, str]:
    """Values of the template's parameters, once the code is where they say."""
    body = (ROOT / "infra/bootstrap.yaml").read_text(encoding="utf-8")
    made = create(aws, "labelmill-code", {"TemplateBody": body}, template("bootstrap"), VALUES)
    built = bundle.build(tmp_path_factory.mktemp("code") / "bundle")
    prefix = built.upload(aws.client("s3"), made["CodeBucket"])
    found = {"CodePrefix": prefix, "CodeDigest": built.digest, "WarehouseArn": WAREHOUSE_ARN}
    return {**VALUES, **{name: made[name] for name in ("CodeBucket", "CodeKeyArn")}, **found}


@pytest.fixture(scope="module")
def stack(aws, code) -> dict[str, str]:
    """Outputs of the stack."""
    return create_stack(aws, code, "labelmill", without_what_ministack_lacks)


def create_stack(
    aws: ministack.Aws, code: dict[str, str], name: str, change: Callable[[dict], object]
) -> dict[str, str]:
    """Make a stack of template.yaml with a `change` to its resources; its outputs. Raises NotMade."""
    taken = copy.deepcopy(template())
    change(taken["Resources"])
    key = f"{name}.json"
    aws.client("s3").put_object(Bucket=code["CodeBucket"], Key=key, Body=json.dumps(taken).encode())
    address = {"TemplateURL": f"{aws.endpoint}/{code['CodeBucket']}/{key}"}
    return create(aws, name, address, taken, {**code, "Name": name})


def without_what_ministack_lacks(resources: dict) -> None:
    """No schema registry; alarms on metric math: "Properties.Metrics (metric math) is not supported"."""
    without_schemas(resources)
    for name in [name for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})]:
        del resources[name]


def without_schemas(resources: dict) -> None:
    for name in [name for name, one in resources.items() if one["Type"].startswith("AWS::EventSchemas::")]:
        del resources[name]


class NotMade(Exception):
    """A stack that was rolled back; the text has why."""


def create(
    aws: ministack.Aws, name: str, body: dict[str, str], taken: dict, values: dict[str, Any]
) -> dict[str, str]:
    """Make a stack with those `values` that it has parameters for; its outputs. Raises NotMade."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": parameter, "ParameterValue": values[parameter]}
            for parameter in taken["Parameters"]
            if values.get(parameter) is not None
        ],
        **body,
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    except WaiterError:
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        events = [event for page in pages for event in page["StackEvents"]]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        raise NotMade(
            "; ".join(f"{e['LogicalResourceId']}: {e['ResourceStatusReason']}" for e in failed)
        ) from None
    [made] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}


def failure_of(aws: ministack.Aws, stack: dict[str, str], machine: str) -> dict:
    """What comes next into the failure queue, from a run of `machine`.

    That is every run that starts, as no group has a codebook.
    """
    queue = {"QueueUrl": stack["FailureQueueUrl"]}
    sqs = aws.client("sqs")
    messages: list[dict] = []
    for _ in range(3):  # times the longest that SQS waits
        messages = messages or sqs.receive_message(**queue, WaitTimeSeconds=20).get("Messages", [])
    assert messages, f"no run of {machine} has failed"
    [message] = messages
    sqs.delete_message(**queue, ReceiptHandle=message["ReceiptHandle"])
    failure = json.loads(message["Body"])
    arn = stack[f"{machine.capitalize()}MachineArn"]
    executions = aws.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert failure["machine"] == machine
    assert failure["run"] in [execution["name"] for execution in executions]
    return failure


@pytest.mark.parametrize(
    ("purpose", "lacks"), [("training", "publish its codebook"), ("inference", "publish its codebook")]
)
def test_a_dataset_starts_its_run_which_says_what_it_lacks(aws, stack, purpose, lacks):
    folder = f"{purpose}/DE-weee/2026-10/d1/"
    aws.client("s3").put_object(
        Bucket=stack["LandingBucket"], Key=f"{folder}manifest", Body=b'{"entries": []}'
    )
    failure = failure_of(aws, stack, purpose)
    assert failure["run"].startswith(f"DE-weee-{purpose}-2026-10-")
    assert failure["input"].pop("delivered"), "its place among the deliveries of the month"
    assert failure["input"] == {
        **{"run": failure["run"], "group": "DE-weee", "period": "2026-10", "purpose": purpose},
        "dataset": f"s3://{stack['LandingBucket']}/{folder}",
    }
    assert lacks in failure["cause"]


def test_a_trained_model_starts_the_inference_of_its_test_set(aws, stack):
    event = json.loads((EVENTS / "model_trained.json").read_text(encoding="utf-8"))
    entry = {"Source": event["source"], "DetailType": event["detail-type"]}
    aws.client("events").put_events(Entries=[{**entry, "Detail": json.dumps(event["detail"])}])
    given = failure_of(aws, stack, "inference")["input"]
    assert {name: given[name] for name in ("purpose", "model", "dataset")} == {
        "purpose": "test",
        **{name: event["detail"][name] for name in ("model", "dataset")},
    }


def test_ministack_lacks_alarms_on_metric_math(aws, code):
    with pytest.raises(NotMade, match=r"Alarm: .*\(metric math\) is not supported"):
        create_stack(aws, code, "whole", without_schemas)


def test_ministack_lacks_eventbridges_schema_registry(aws, code):
    with pytest.raises(ClientError, match=r"Unrecognized resource types: .*AWS::EventSchemas::Registry"):
        create_stack(aws, code, "whole", lambda resources: None)


def test_s3_cannot_notify_a_queue_whose_policy_does_not_let_it(aws, code):
    with pytest.raises(NotMade, match=r"LandingBucket: .*Unable to validate the following destination"):
        create_stack(aws, code, "unnotified", without_first_statement("QueuePolicy"))


def test_a_function_cannot_start_a_machine_that_its_role_may_not_start(aws, code):
    create_stack(aws, code, "unstarted", without_first_statement("StartTrainingPolicy"))
    event = (EVENTS / "training_landed.json").read_bytes()
    answer = aws.client("lambda").invoke(FunctionName="unstarted-start-training", Payload=event)
    [message] = json.loads(event)["Records"]
    failures = json.load(answer["Payload"])["batchItemFailures"]
    assert failures == [{"itemIdentifier": message["messageId"]}]


def without_first_statement(policy: str) -> Callable[[dict], None]:
    """A change to the template's resources: the policy loses what it is there for."""

    def change(resources: dict) -> None:
        without_what_ministack_lacks(resources)
        resources[policy]["Properties"]["PolicyDocument"]["Statement"].pop(0)

    return change
