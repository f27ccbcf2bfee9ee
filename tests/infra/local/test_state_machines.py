"""SageMaker jobs in state machines, with a fake worker: what Step Functions does with them on AWS."""

import json
import re

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.memory import read_from_proc, resident_mib

PROCESSING = "arn:aws:states:::sagemaker:createProcessingJob.sync"


def processing_request(**changes):
    request = {
        "ProcessingJobName.$": "States.Format('j-{}', States.UUID())",
        "RoleArn": "arn:aws:iam::123456789012:role/prepare",
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/image:1"},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
        },
    }
    for name in changes:
        request.pop(f"{name}.$", None)
    return request | changes


def test_a_processing_state_ends_with_the_jobs_description(run_machine):
    job = {"Type": "Task", "Resource": PROCESSING, "Parameters": processing_request(), "End": True}
    ended = run_machine({"Prepare": job})
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    output = json.loads(ended["output"])
    assert output["ProcessingJobStatus"] == "Completed"
    assert json.loads(output["ExitMessage"]) == {"rows": 3}
    assert output["CreationTime"].startswith("20")


def test_a_failed_job_can_be_caught_with_its_description_as_the_cause(run_machine):
    states = {
        "Prepare": {
            "Type": "Task",
            "Resource": PROCESSING,
            "Parameters": processing_request(ProcessingJobName="this-fails"),
            "Catch": [{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": "Tell"}],
            "End": True,
        },
        "Tell": {
            "Type": "Pass",
            "Parameters": {"cause.$": "States.StringToJson($.error.Cause)"},
            "End": True,
        },
    }
    ended = run_machine(states)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"])["cause"]["FailureReason"] == "it was asked to"


def test_a_retry_makes_a_new_job_name(run_machine, client, name):
    retry = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}
    job_name = {"ProcessingJobName.$": f"States.Format('{name}-fails-{{}}', States.UUID())"}
    parameters = {**processing_request(), **job_name}
    ended = run_machine(
        {
            "Prepare": {
                "Type": "Task",
                "Resource": PROCESSING,
                "Parameters": parameters,
                "Retry": [retry],
                "End": True,
            }
        }
    )
    assert ended["status"] == "FAILED"
    assert ended["error"] == "States.TaskFailed"
    jobs = client("sagemaker").list_processing_jobs(NameContains=f"{name}-fails")["ProcessingJobSummaries"]
    assert len({job["ProcessingJobName"] for job in jobs}) == 2


def test_a_state_that_times_out_stops_its_job(run_machine, aws, client, name):
    state = {
        "Type": "Task",
        "Resource": PROCESSING,
        "Parameters": processing_request(ProcessingJobName=f"{name}-hangs"),
        "TimeoutSeconds": 1,
        "End": True,
    }
    ended = run_machine({"Prepare": state})
    assert ended["error"] == "States.Timeout"
    aws.wait_until_quiet(30)
    job = client("sagemaker").describe_processing_job(ProcessingJobName=f"{name}-hangs")
    assert job["ProcessingJobStatus"] == "Stopped"


def test_a_stopped_job_fails_its_state(client, aws, name):
    job = f"{name}-hangs"
    state = {
        "Type": "Task",
        "Resource": PROCESSING,
        "Parameters": processing_request(ProcessingJobName=job),
        "End": True,
    }
    execution = start(client, name, state)
    while not client("sagemaker").list_processing_jobs(NameContains=job)["ProcessingJobSummaries"]:
        pass
    client("sagemaker").stop_processing_job(ProcessingJobName=job)
    ended = aws.wait_for_execution(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(ended["cause"])["ProcessingJobStatus"] == "Stopped"


def test_a_run_that_is_stopped_is_aborted_whatever_its_state_was_about_to_do(client, aws, name):
    key = {"group": {"S": "DE-weee"}, "entry": {"S": "GROUP"}}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:getItem",
        "Parameters": {"TableName": "nowhere", "Key": key},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 30}],
        "End": True,
    }
    statuses = []
    for number in range(6):  # the moment of the stop is another each time
        execution = start(client, f"{name}-{number}", state)
        client("stepfunctions").stop_execution(executionArn=execution)
        statuses.append(aws.wait_for_execution(execution)["status"])
    assert statuses == ["ABORTED"] * 6


def start(client, name, state):
    """Start a machine of one state; the execution's ARN."""
    machine = client("stepfunctions").create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "Only", "States": {"Only": state}}),
        roleArn="arn:aws:iam::123456789012:role/any",
    )["stateMachineArn"]
    execution = client("stepfunctions").start_execution(stateMachineArn=machine, name="run", input="{}")
    return execution["executionArn"]


def test_a_request_that_the_service_refuses_is_an_error_of_the_service(run_machine):
    state = {"Type": "Task", "Resource": PROCESSING, "Parameters": processing_request(), "End": True}
    state["Parameters"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 0}
    ended = run_machine({"Prepare": state})
    assert ended["error"] == "SageMaker.AmazonSageMakerException"
    assert "maxRuntimeInSeconds" in ended["cause"]
    assert "ValidationException" in ended["cause"]


def test_a_job_name_met_again_is_an_error_that_can_be_told_apart(run_machine, name):
    state = {"Type": "Task", "Resource": PROCESSING, "End": True}
    state["Parameters"] = processing_request(ProcessingJobName=name)
    assert run_machine({"Prepare": state})["status"] == "SUCCEEDED"
    assert run_machine({"Prepare": state})["error"] == "SageMaker.ResourceInUseException"


def test_a_state_is_entered_at_a_time_as_aws_writes_it(run_machine):
    """The ledger compares such times as text with those that commands write.

    "EnteredTime": "2019-03-26T20:14:13.192Z" (Step Functions Developer Guide, "Accessing execution data from
    the Context object").
    """
    state = {"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime"}, "End": True}
    at = json.loads(run_machine({"Only": state})["output"])["at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", at)


def test_an_execution_that_has_ended_still_answers_though_little_of_it_is_kept(run_machine, client):
    state = {"Type": "Pass", "Result": {"text": "x" * 10}, "End": True}
    ended = run_machine({"Only": state}, data={"run": "r1"})
    states = client("stepfunctions")
    asked = {"executionArn": ended["executionArn"]}
    again = states.describe_execution(**asked)
    assert (json.loads(again["input"]), json.loads(again["output"])) == ({"run": "r1"}, {"text": "x" * 10})
    events = states.get_execution_history(**asked)["events"]
    assert [event["type"] for event in events][-1] == "ExecutionSucceeded"
    assert json.loads(events[-1]["executionSucceededEventDetails"]["output"]) == {"text": "x" * 10}
    states.stop_execution(**asked)
    assert states.describe_execution(**asked)["status"] == "SUCCEEDED"
    with pytest.raises(states.exceptions.InvalidToken):
        states.send_task_failure(taskToken="of nobody")


@read_from_proc
def test_the_memory_of_the_server_stays_when_executions_end(run_machine, aws):
    """Each of these has a history of 2 MB."""
    states = {f"S{at}": {"Type": "Pass", "Next": f"S{at + 1}"} for at in range(10)}
    states["S0"]["Result"] = "x" * 100_000
    states["S10"] = {"Type": "Pass", "Result": "done", "End": True}
    for _ in range(5):
        run_machine(states)
    before = resident_mib(aws.pid)
    for _ in range(30):
        run_machine(states)
    assert resident_mib(aws.pid) < before + 20


def test_an_ended_execution_lies_in_the_folder_with_its_history(run_machine, aws):
    ended = run_machine({"Only": {"Type": "Pass", "End": True}}, data={"run": "r1"})
    machine, name = ended["executionArn"].split(":")[-2:]
    record = json.loads((aws.folder / "executions" / machine / f"{name}.json").read_text())
    assert record["status"] == "SUCCEEDED"
    assert record["input"] == {"run": "r1"}
    assert [event["type"] for event in record["history"]] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]


def test_a_message_to_a_topic_lands_in_the_mailbox(run_machine, aws, client, name):
    topic = client("sns").create_topic(Name=name)["TopicArn"]
    parameters = {"TopicArn": topic, "Subject": "Labels ready", "Message": {"rows": 7}}
    run_machine(
        {
            "Tell": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sns:publish",
                "Parameters": parameters,
                "End": True,
            }
        }
    )
    (path,) = (aws.folder / "mailbox").glob(f"*-{name}-Labels-ready.txt")
    assert f"Topic: {name}" in path.read_text()
    assert '"rows": 7' in path.read_text()


def test_a_state_can_invoke_a_function_and_catch_its_exception_by_name(run_machine, make_function):
    arn = make_function(
        "class Unknown(Exception): pass\ndef handler(event, context): raise Unknown(event['group'])"
    )
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": arn, "Payload.$": "$"},
            "Catch": [{"ErrorEquals": ["Unknown"], "ResultPath": "$.error", "Next": "Done"}],
            "End": True,
        },
        "Done": {"Type": "Pass", "End": True},
    }
    ended = run_machine(states, data={"group": "XX-none"})
    assert "XX-none" in json.loads(ended["output"])["error"]["Cause"]


def test_an_execution_that_waits_for_an_answer_is_quiet_until_it_comes(
    aws, client, name, make_queue, receive
):
    url, _ = make_queue()
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}},
        "TimeoutSeconds": 600,
        "Next": "Work",
    }
    work = {"Type": "Task", "Resource": PROCESSING, "Parameters": processing_request(), "End": True}
    states = client("stepfunctions")
    machine = states.create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "Ask", "States": {"Ask": ask, "Work": work}}),
        roleArn="arn:aws:iam::123456789012:role/any",
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    aws.wait_until_quiet(30)
    assert states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    states.send_task_success(taskToken=receive(url)["token"], output="{}")
    aws.wait_until_quiet(30)
    assert states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED"


def test_a_state_whose_output_is_over_256_kb_fails_as_on_aws(run_machine):
    """Step Functions Developer Guide, "Service quotas": 256 KiB as UTF-8 for a state's input or output."""
    double = {"Type": "Pass", "Parameters": {"a.$": "$.a", "b.$": "$.a"}, "End": True}
    assert run_machine({"Double": double}, data={"a": "x" * 130_000})["status"] == "SUCCEEDED"
    ended = run_machine({"Double": double}, data={"a": "x" * 132_000})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_a_job_whose_result_is_put_beside_too_much_fails_as_on_aws(run_machine):
    job = {"Type": "Task", "Resource": PROCESSING, "Parameters": processing_request(), "ResultPath": "$.job"}
    ended = run_machine({"Prepare": {**job, "End": True}}, data={"a": "x" * 262_000})
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_an_execution_with_more_than_256_kb_of_input_is_refused(run_machine):
    """As botocore's model of StartExecution says: 262,144 characters at most."""
    with pytest.raises(ClientError, match="less than or equal to 262144") as refused:
        run_machine({"Only": {"Type": "Pass", "End": True}}, data={"a": "x" * 262_144})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
