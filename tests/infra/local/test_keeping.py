"""What a stack held when it ended is there when it is started again, whether it ended well or was killed."""

import json
import shutil
import threading
import time
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from infra.local.endpoint import Connection
from infra.local.keeping import Keeper
from infra.local.stack import LocalStack, launch
from infra.local.warehouse import Warehouse
from tests.infra.local.conftest import policy, trust
from tests.infra.local.control_plane import control_plane, request

WORKER = ("--worker", "tests.infra.local.fake_worker:FakeWorker")
GROUP, TEXT = "DE-weee", "ü"


class Fake:
    """A part of a state."""

    def __init__(self, held):
        self.held = held

    def saved(self):
        return self.held

    def restore(self, saved):
        self.held = saved


def test_a_state_is_kept_with_its_times_and_bytes_and_parts_come_back_in_the_opposite_order(tmp_path):
    order = []
    held = {
        "at": datetime(2026, 11, 30, tzinfo=UTC),
        "b": b"\x00",
        "text": TEXT,
        "in": [{"$bytes": "", "x": 1}],
    }

    class Noting(Fake):
        def restore(self, saved):
            order.append(self.held)
            super().restore(saved)

    keeper = Keeper(tmp_path, {"one": Fake(held), "two": Fake([])})
    keeper.start()
    keeper.stop()
    later = {"one": Noting("one"), "two": Noting("two")}
    assert Keeper(tmp_path, later).restore()
    assert order == ["two", "one"]
    assert later["one"].held == held
    assert not list(tmp_path.glob("*.part"))


def test_nothing_is_saved_over_a_state_that_could_not_be_restored(tmp_path):
    (tmp_path / "state.json").write_text('{"format": 99}')
    keeper = Keeper(tmp_path, {"one": Fake(1)})
    with pytest.raises(ValueError, match=r"is of another version\. Fix: remove it, or use another --dir"):
        keeper.restore()
    keeper.stop()
    assert json.loads((tmp_path / "state.json").read_text()) == {"format": 99}


def of_objects(stack):
    """Every version of every object but the code, and its bytes."""
    s3, found = stack.client("s3"), {}
    for bucket in (
        bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "-code-" not in bucket["Name"]
    ):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for version in page.get("Versions", []):
                where = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
                answer = s3.get_object(**where)
                body = answer.pop("Body").read()
                answer.pop("ResponseMetadata")
                found[tuple(where.values())] = version, answer, body
            for marker in page.get("DeleteMarkers", []):
                found[bucket, marker["Key"], marker["VersionId"]] = marker
    return found


def of_runs(stack):
    """Every run: its description and history."""
    states, found = stack.client("stepfunctions"), {}
    for machine in states.list_state_machines()["stateMachines"]:
        for run in states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]:
            described = states.describe_execution(executionArn=run["executionArn"])
            events = states.get_execution_history(executionArn=run["executionArn"])["events"]
            found[run["executionArn"]] = (
                without_answer(described),
                run,
                [of_json(event) for event in events],
            )
    return found


def without_answer(answer):
    return {
        name: json.loads(value) if name in ("input", "output") else value
        for name, value in answer.items()
        if name not in ("ResponseMetadata", "outputDetails")
    }


def of_json(value):
    """With JSON texts read, however they are laid out."""
    if isinstance(value, dict):
        return {name: of_json(item) for name, item in value.items()}
    if isinstance(value, str) and value[:1] in ("{", "["):
        return of_json(json.loads(value))
    return value


def of_messages(stack):
    sqs, queue = stack.client("sqs"), stack.names["FailureQueueUrl"]
    received = sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"], VisibilityTimeout=0
    )
    return sorted(
        (message["MessageId"], message["Body"], message["Attributes"]["SentTimestamp"])
        for message in received["Messages"]
    )


def of_everything(stack):
    items = stack.client("dynamodb").scan(TableName=stack.names["LedgerTable"])["Items"]
    jobs = stack.client("sagemaker").list_processing_jobs()["ProcessingJobSummaries"]
    addresses = {name: value for name, value in stack.names.items() if not name.endswith("QueueUrl")}
    return addresses, items, jobs, of_objects(stack), of_runs(stack), of_messages(stack)


def fill(stack):
    """A run that fails, objects with versions, an item, jobs."""
    s3, work = stack.client("s3"), stack.names["WorkBucket"]
    landing = stack.names["LandingBucket"]
    s3.put_object(Bucket=landing, Key=f"training/{GROUP}/2026-10/d1/manifest", Body=b'{"entries": []}')
    for number in range(3):
        s3.put_object(
            Bucket=work,
            Key="a/b",
            Body=str(number).encode(),
            Metadata={"number": str(number)},
            ContentType="text/csv",
        )
    s3.put_object(Bucket=work, Key="gone", Body=b"x", ChecksumAlgorithm="SHA256")
    s3.delete_object(Bucket=work, Key="gone")
    s3.put_object(Bucket=work, Key="folder/", Body=b"")
    item = {
        "group": {"S": GROUP},
        "entry": {"S": "GROUP"},
        "number": {"N": "1.5"},
        "blob": {"B": b"\x00\xff"},
    }
    stack.client("dynamodb").put_item(TableName=stack.names["LedgerTable"], Item=item)
    iam, everything = stack.client("iam"), {"Effect": "Allow", "Action": "*", "Resource": "*"}
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))["Role"]
    iam.put_role_policy(RoleName="any", PolicyName="all", PolicyDocument=policy(everything))
    job = request("CreateProcessingJob", RoleArn=role["Arn"])
    stack.client("sagemaker").create_processing_job(**job)
    stack.wait_until_quiet(timeout_seconds=60)


def test_a_stack_that_ended_goes_on_where_it_was_as_does_a_copy_of_its_folder(tmp_path):
    folder, copy = tmp_path / "first", tmp_path / "copy"
    with LocalStack(folder, options=WORKER) as stack:
        fill(stack)
        before = of_everything(stack)
        assert all(before)
        [arn] = before[4]
    (folder / "s3" / "left").write_bytes(b"of nobody")
    shutil.copytree(folder, copy, copy_function=shutil.copy)  # as cp -r: no time of a file is kept
    with LocalStack(copy, options=WORKER) as stack:
        after = of_everything(stack)
        for was, now in zip(before, after, strict=True):
            assert now == was
        assert not (copy / "s3" / "left").exists()
        assert (copy / "s3" / ".lost" / "left").read_bytes() == b"of nobody"
        path = copy / "s3" / stack.names["WorkBucket"] / "a" / "b"
        assert path.read_bytes() == b"2"
        stack.client("s3").put_object(Bucket=stack.names["WorkBucket"], Key="a/b", Body=b"3")
        assert path.read_bytes() == b"3"
        states = stack.client("stepfunctions")
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            states.start_execution(
                stateMachineArn=before[4][arn][0]["stateMachineArn"],
                name=before[4][arn][0]["name"],
                input="{}",
            )


def test_of_a_killed_stack_what_ran_is_told_as_interrupted_and_what_was_saved_is_there(tmp_path):
    process, ready = launch(tmp_path, *WORKER, with_parent=False)
    connection, names = Connection(ready["endpoint"], ready["secret"]), ready["names"]
    states, s3 = connection.client("stepfunctions"), connection.client("s3")
    s3.put_object(Bucket=names["WorkBucket"], Key="kept", Body=b"first")
    definition = {"StartAt": "wait", "States": {"wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
    machine = states.describe_state_machine(stateMachineArn=names["TrainingMachineArn"])
    states.update_state_machine(stateMachineArn=machine["stateMachineArn"], definition=json.dumps(definition))
    run = {
        "run": f"{GROUP}-training-2026-10-0f3a9c21d4e5",
        "group": GROUP,
        "period": "2026-10",
        "purpose": "training",
    }
    started = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], name=run["run"], input=json.dumps(run)
    )["executionArn"]
    wait_until_saved(tmp_path, started)
    s3.put_object(Bucket=names["WorkBucket"], Key="kept", Body=b"others")  # perhaps after the last look
    process.kill()
    process.wait()
    with LocalStack(tmp_path, options=WORKER) as stack:
        states = stack.client("stepfunctions")
        assert stack.wait_for_execution(started)["status"] == "ABORTED"
        assert json.loads(states.describe_execution(executionArn=started)["input"]) == run
        record = json.loads(
            (tmp_path / "executions" / "labelmill-training" / f"{run['run']}.json").read_text()
        )
        assert record["cause"] == "The local stack ended while this ran."
        versions = stack.client("s3").list_object_versions(Bucket=names["WorkBucket"], Prefix="kept")[
            "Versions"
        ]
        assert [version["Size"] for version in versions] in ([5], [6, 5])
        stack.wait_until_quiet(timeout_seconds=60)
        [message] = stack.client("sqs").receive_message(QueueUrl=stack.names["FailureQueueUrl"])["Messages"]
        assert json.loads(message["Body"])["run"] == run["run"]


def wait_until_saved(folder, text):
    """Look at the state until it names something; the server writes it within seconds."""
    until = time.monotonic() + 60
    path = folder / "state.json"
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < until
        threading.Event().wait(0.1)


def test_a_statement_that_ran_when_its_stack_ended_is_aborted_and_its_token_still_known():
    begun = {"Sql": "x", "ClientToken": "token", "ClusterIdentifier": "c"}
    running = threading.Event()
    warehouse = Warehouse(lambda sql: int(running.wait()), lambda statement, with_event: None)
    statement = warehouse.answer("ExecuteStatement", begun)["Id"]
    later = Warehouse(lambda sql: pytest.fail("it was begun again"), lambda statement, with_event: None)
    later.restore(warehouse.saved())
    running.set()
    assert later.answer("ExecuteStatement", begun)["Id"] == statement
    assert later.answer("DescribeStatement", {"Id": statement})["Status"] == "ABORTED"
    assert [each["Id"] for each in later.interrupted] == [statement]
    assert later.running() == 0


def test_a_job_that_ran_when_its_stack_ended_has_failed(tmp_path):
    jobs = control_plane()
    jobs.answer("CreateProcessingJob", request("CreateProcessingJob"))
    jobs.answer("CreateModel", request("CreateModel"))
    later = control_plane()
    later.restore(jobs.saved())
    described = later.describe("processing", "prepare")
    assert described["ProcessingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("InternalServerError: the local stack ended")
    assert later.describe("model", "model")["ModelName"] == "model"
    assert later.under_way() == []
