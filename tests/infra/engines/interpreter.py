"""A state machine executed by aws-local-stepfunctions (execute.mjs).

Only the interpreter is another one than in tests/pipelines/machines. An account of theirs answers the tasks,
in the form in which Step Functions passes answers and errors on.
"""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

from botocore import xform_name
from botocore.exceptions import ClientError

from infra.local.aws_models import to_text
from tests.definition_checks import as_sent
from tests.pipelines.machines.conftest import Cloud, client
from tests.pipelines.machines.definition_examples import ACCOUNT, REGION

FOLDER = Path(__file__).parent
#: Job kinds of the fake SageMaker, by the resource that is made.
KINDS = {
    "ProcessingJob": "processing",
    "TrainingJob": "training",
    "HyperParameterTuningJob": "tuning",
    "TransformJob": "transform",
}
#: What Step Functions calls those errors of services that the scenarios meet; any other ends the test.
ERRORS = {
    "ResourceLimitExceeded": "SageMaker.ResourceLimitExceededException",
    "TransactionCanceledException": "DynamoDb.TransactionCanceledException",
    "ConditionalCheckFailedException": "DynamoDB.ConditionalCheckFailedException",
}


class _TaskFailed(Exception):
    """Error name and cause, as a Catch sees them."""


def run(cloud: Cloud, machine: str, given: dict, approval: dict | None) -> SimpleNamespace:
    """Execute to the end: status, output, error, cause, and the names of the states in order.

    Args:
        cloud: The account whose services answer.
        machine: Name of the definition.
        given: The execution's input.
        approval: What a person answers to AwaitApproval; None for nobody, so that it runs into its timeout.
    """
    context = {
        "Execution": {
            "Id": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{machine}:{given['run']}",
            "Name": given["run"],
        },
        "State": {"EnteredTime": "2026-10-03T08:00:00.000Z"},
        "Task": {"Token": "the-token"},
    }
    definition = json.loads(json.dumps(cloud.definition(machine)), object_hook=_readable)
    start = {"definition": definition, "input": given, "context": context}
    with subprocess.Popen(
        ["node", FOLDER / "execute.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as node:
        said = start
        while True:
            print(json.dumps(said), file=node.stdin, flush=True)
            told = json.loads(node.stdout.readline())
            if "task" not in told:
                break
            try:
                said = {"result": _answer(cloud, **told["task"], approval=approval)}
            except _TaskFailed as failed:
                said = dict(zip(("error", "cause"), failed.args, strict=True))
    return SimpleNamespace(
        status="FAILED" if "error" in told else "SUCCEEDED",
        output=told.get("output"),
        error=told.get("error"),
        cause=told.get("cause"),
        states=told["states"],
    )


def _readable(part: dict) -> dict:
    """`IsPresent: false`, a rule that in this engine never holds, as `Not` of `IsPresent: true`."""
    if part.get("IsPresent") is not False:
        return part
    rest = {"Next": part["Next"]} if "Next" in part else {}
    return {"Not": {"Variable": part["Variable"], "IsPresent": True}, **rest}


def _answer(cloud: Cloud, resource: str, parameters: dict, approval: dict | None) -> dict:
    called, _, pattern = resource.rpartition(":")[2].partition(".")
    service = resource.split(":")[-2]
    try:
        if service == "sagemaker":
            cloud.sagemaker.create(called[0].upper() + called[1:], parameters)
            answer = {}
        else:
            answer = getattr(client(service), xform_name(called))(**as_sent(called, parameters))
            del answer["ResponseMetadata"]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise _TaskFailed(ERRORS[code], error.response["Error"]["Message"]) from error
    if pattern == "sync":
        return _end_of_job(cloud, called.removeprefix("create"), parameters)
    if pattern == "waitForTaskToken":
        if approval is None:
            raise _TaskFailed("States.Timeout", "")
        return approval
    return to_text(answer)


def _end_of_job(cloud: Cloud, resource: str, parameters: dict) -> dict:
    job = cloud.sagemaker.wait(KINDS[resource], parameters[f"{resource}Name"], still_wanted=lambda: True)
    if job[f"{resource}Status"] != "Completed":
        raise _TaskFailed("States.TaskFailed", json.dumps(job))
    return job
