"""The deployed templates on the local AWS, with a fake worker for the jobs: what starts what."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from infra.local.stack import LocalStack
from infra.local.warehouse_samples import load
from infra.samples import generate
from infra.samples.deliver import publish

FAKE_WORKER = ("--worker", "tests.infra.local.fake_worker:FakeWorker")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with LocalStack(tmp_path_factory.mktemp("stack"), options=FAKE_WORKER) as running:
        yield running


def names_of_executions(stack, machine):
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    listed = pages.paginate(stateMachineArn=stack.names[machine])
    return [execution["name"] for page in listed for execution in page["executions"]]


def test_sixty_datasets_at_once_start_sixty_runs_and_each_ends(stack):
    before = len(names_of_executions(stack, "TrainingMachineArn"))
    s3 = stack.client("s3")
    for number in range(60):
        key = f"training/{'ABCDEFGHIJ'[number // 10]}{'ABCDEFGHIJ'[number % 10]}-weee/2026-10/d1/manifest"
        s3.put_object(Bucket=stack.names["LandingBucket"], Key=key, Body=b'{"entries": []}')
    stack.wait_until_quiet(120)
    runs = names_of_executions(stack, "TrainingMachineArn")
    assert len(runs) - before == 60
    assert len(set(runs)) == len(runs)
    kept = {path.stem for path in (stack.folder / "executions" / "labelmill-training").glob("*.json")}
    assert kept == set(runs)


def test_only_the_manifest_starts_a_run(stack):
    s3, bucket = stack.client("s3"), stack.names["LandingBucket"]
    s3.put_object(Bucket=bucket, Key="inference/NL-weee/2026-10/d1/part-0.csv", Body=b"item_id,title\n")
    stack.wait_until_quiet(60)
    assert names_of_executions(stack, "InferenceMachineArn") == []
    s3.put_object(Bucket=bucket, Key="inference/NL-weee/2026-10/d1/manifest", Body=b'{"entries": []}')
    stack.wait_until_quiet(60)
    (run,) = names_of_executions(stack, "InferenceMachineArn")
    assert run.startswith("NL-weee-inference-2026-10-")


def test_a_manifest_under_a_wrong_key_is_told_at_once_and_by_the_status_until_it_is_gone(stack):
    s3, bucket = stack.client("s3"), stack.names["LandingBucket"]
    for key in ("trainig/DE-weee/2026-10/d1/manifest", "training/DE-weee/2026-10/d2/part-0.csv"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")
    event = next(event for event in stack.events() if event["kind"] == "misplaced")
    assert event["key"] == "trainig/DE-weee/2026-10/d1/manifest"
    sentence = f"s3://{bucket}/{event['key']} is not the manifest of a dataset for training. Fix: put"
    assert event["problem"].startswith(sentence)
    assert sentence in labelmill("local", "status", folder=stack.folder).stdout
    s3.delete_object(Bucket=bucket, Key=event["key"])
    assert "no run has started" not in labelmill("local", "status", folder=stack.folder).stdout


def test_a_schedule_makes_the_warehouse_deliver_what_starts_runs_and_a_failed_statement_is_told(stack):
    group, lacking = "DE-weee", "FR-packaging"  # nothing in the warehouse has FR-packaging's attributes
    for known in (group, lacking):
        publish(stack, generate.codebook(known, "1"))
    load(stack, group, "2026-10", 0, 20, labelled=True)
    before = names_of_executions(stack, "TrainingMachineArn")
    for _ in range(2):
        done = labelmill(
            "local", "schedule", "labelmill-training", "--at", "2026-11-01T02:00", folder=stack.folder
        )
        assert done.returncode == 0, done.stderr
        stack.wait_until_quiet(120)
    (run,) = set(names_of_executions(stack, "TrainingMachineArn")) - set(before)
    assert run.startswith(f"{group}-training-2026-10-")
    delivery = "20261101T020000Z"
    listed = stack.client("s3").list_objects_v2(
        Bucket=stack.names["LandingBucket"], Prefix=f"training/{group}/"
    )
    keys = [entry["Key"].rpartition("/")[2] for entry in listed["Contents"] if delivery in entry["Key"]]
    assert keys == ["0000_part_00.parquet", "manifest"]
    sqs, queue = stack.client("sqs"), stack.names["FailureQueueUrl"]
    bodies = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
    (failure,) = [body for body in bodies if body["machine"] == "unload"]
    assert failure["input"] == {
        "purpose": "training",
        "period": "2026-10",
        "delivery": f"{delivery}-2",
        "groups": [lacking],
    }
    (notice,) = (stack.folder / "mailbox").glob("*unload-failed*.txt")
    assert failure["cause"] in notice.read_text()


def test_a_schedule_that_is_not_there_is_a_clear_error(stack):
    done = labelmill("local", "schedule", "lunch", folder=stack.folder)
    assert done.returncode == 1
    assert "labelmill-training" in done.stderr


def labelmill(*words, folder):
    command = [sys.executable, "-m", "pipelines.cli", *words, "--dir", str(folder)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_notification_that_comes_twice_starts_one_run(stack):
    sqs, bucket = stack.client("sqs"), stack.names["LandingBucket"]
    entity = {
        "bucket": {"name": bucket},
        "object": {"key": "training/PL-weee/2026-10/d1/manifest", "versionId": "v1"},
    }
    body = json.dumps(
        {"Records": [{"eventSource": "aws:s3", "eventTime": "2026-11-01T02:00:00.123Z", "s3": entity}]}
    )
    for _ in range(3):
        sqs.send_message(QueueUrl=stack.names["TrainingQueueUrl"], MessageBody=body)
    stack.wait_until_quiet(60)
    runs = names_of_executions(stack, "TrainingMachineArn")
    assert sum(run.startswith("PL-weee-training-2026-10-") for run in runs) == 1


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_the_aws_cli_drops_a_dataset(stack, tmp_path):
    (tmp_path / "manifest").write_text('{"entries": []}')
    target = f"s3://{stack.names['LandingBucket']}/training/SE-weee/2026-10/d1/manifest"
    command = ["aws", "s3", "cp", str(tmp_path / "manifest"), target]
    done = subprocess.run(
        command, env={**os.environ, **stack.connection.settings}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    stack.wait_until_quiet(60)
    runs = names_of_executions(stack, "TrainingMachineArn")
    assert sum(run.startswith("SE-weee-training-2026-10-") for run in runs) == 1


def test_an_event_starts_the_inference_of_a_new_model_on_its_test_set(stack):
    detail = {
        "group": "DE-weee",
        "period": "2026-10",
        "run": "DE-weee-training-2026-10-0f3a9c21d4e5",
        "model": "DE-weee-2026-10-1a2b3c4d",
        "test_set": "DE-weee-training-2026-10-0f3a9c21d4e5",
        "dataset": f"s3://{stack.names['WorkBucket']}/runs/DE-weee/DE-weee-training-2026-10-0f3a9c21d4e5/test/",
    }
    entry = {"Source": "labelmill", "DetailType": "Model Trained", "Detail": json.dumps(detail)}
    for _ in range(2):
        stack.client("events").put_events(Entries=[entry])
    stack.wait_until_quiet(60)
    runs = names_of_executions(stack, "InferenceMachineArn")
    assert sum(run.startswith("DE-weee-test-2026-10-") for run in runs) == 1


def test_what_cloudformation_makes_here_has_the_properties_of_the_template(stack):
    s3, bucket = stack.client("s3"), stack.names["LandingBucket"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == stack.names["LandingKeyArn"]
    machine = stack.client("stepfunctions").describe_state_machine(
        stateMachineArn=stack.names["TrainingMachineArn"]
    )
    assert "${" not in machine["definition"]
    assert stack.names["LedgerTable"] in machine["definition"]
    assert stack.names["TrainingQueueUrl"] == f"{stack.endpoint}/123456789012/labelmill-training"
