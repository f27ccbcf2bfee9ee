"""From a message in a queue to an execution: start_training and start_inference."""

import copy
import json

import boto3
import pytest
from botocore.stub import Stubber

from pipelines.handlers import start_inference, start_training
from tests.pipelines.handlers.event_samples import sample

LANDING = "labelmill-landing-123456789012-eu-central-1"


def batch(*bodies: str) -> dict:
    """An SQS event like the sample, one message for each body, with ids m0, m1, ..."""
    message = sample("training_landed")["Records"][0]
    return {"Records": [{**message, "messageId": f"m{n}", "body": body} for n, body in enumerate(bodies)]}


def notification(key: str, version: str | None = "v1") -> str:
    """S3's notification of one object, as in the sample."""
    body = json.loads(sample("training_landed")["Records"][0]["body"])
    item = body["Records"][0]["s3"]["object"]
    item["key"] = key
    item.pop("versionId")
    if version:
        item["versionId"] = version
    return json.dumps(body)


def test_a_training_dataset_starts_one_training_run(machines):
    assert start_training.handler(sample("training_landed")) == {"batchItemFailures": []}
    assert machines.started("training") == [
        {
            # printf 'bucket\nkey\nversion' | sha256sum | head -c 12
            "run": "DE-weee-training-2026-10-294148db2470",
            "group": "DE-weee",
            "period": "2026-10",
            "purpose": "training",
            "dataset": f"s3://{LANDING}/training/DE-weee/2026-10/d1/",
            "delivered": "2026-10-03T04:05:06.789Z#096fKKXTRTtl3on89fVO.nfljtsv6qko",
        }
    ]


def test_a_dataset_to_label_starts_one_inference_run(machines):
    event = batch(notification("inference/FR-packaging/2026-11/d.1_b/manifest"))
    assert start_inference.handler(event) == {"batchItemFailures": []}
    [run] = machines.started("inference")
    assert run["purpose"] == "inference"
    assert run["dataset"] == f"s3://{LANDING}/inference/FR-packaging/2026-11/d.1_b/"


def test_a_notification_that_comes_twice_starts_nothing_more(machines):
    for _ in range(2):
        assert start_training.handler(sample("training_landed")) == {"batchItemFailures": []}
    assert len(machines.started("training")) == 1


def test_a_run_that_has_ended_is_not_started_again_by_its_notification(machines):
    start_training.handler(sample("training_landed"))
    [execution] = machines.client.list_executions(stateMachineArn=machines.arns["training"])["executions"]
    machines.client.stop_execution(executionArn=execution["executionArn"])
    assert start_training.handler(sample("training_landed")) == {"batchItemFailures": []}
    assert len(machines.started("training")) == 1


def test_a_new_version_of_the_manifest_is_a_new_run(machines):
    key = "training/DE-weee/2026-10/d1/manifest"
    start_training.handler(batch(notification(key, "v1"), notification(key, "v2")))
    assert len(machines.started("training")) == 2


def test_in_a_bucket_without_versions_the_contents_tag_tells_runs_apart(machines):
    body = notification("training/DE-weee/2026-10/d1/manifest", version=None)
    start_training.handler(batch(body, body.replace("d41d8cd9", "deadbeef"), body))
    assert len(machines.started("training")) == 2


def at(time: str, version: str = "v1") -> str:
    """The notification of a manifest that S3 took at `time`."""
    body = json.loads(notification("inference/DE-weee/2026-10/d1/manifest", version))
    body["Records"][0]["eventTime"] = time
    return json.dumps(body)


def test_deliveries_of_a_month_are_ordered_as_s3_took_them_whichever_message_comes_first(machines):
    times = ("2026-11-02T00:00:00.000Z", "2026-11-01T23:59:59.999Z", "2026-11-01T09:00:00.000Z")
    event = batch(*(at(time, version) for time, version in zip(times, ("v0", "v1", "v2"), strict=True)))
    assert start_inference.handler(event) == {"batchItemFailures": []}
    delivered = sorted(run["delivered"] for run in machines.started("inference"))
    assert [text.partition("#")[2] for text in delivered] == ["v2", "v1", "v0"]


@pytest.mark.parametrize("time", ["2026-11-01T09:00:00Z", "2026-11-01T10:00:00.0000+01:00"])
def test_times_are_always_written_alike_so_that_they_compare_as_text(machines, time):
    assert start_inference.handler(batch(at(time))) == {"batchItemFailures": []}
    [run] = machines.started("inference")
    assert run["delivered"] == "2026-11-01T09:00:00.000Z#v1"


@pytest.mark.parametrize("time", ["now", "", None])
def test_a_notification_without_a_time_is_refused(machines, time):
    assert start_inference.handler(batch(at(time))) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert machines.started("inference") == []


def put(s3, file: str) -> None:
    s3.put_object(Bucket=LANDING, Key=f"training/DE-weee/2026-10/d1/{file}", Body=b"some rows")


def test_a_dataset_with_a_file_that_was_replaced_after_its_manifest_starts_no_run(machines, landing, caplog):
    """The sample's manifest is of an earlier day than this file."""
    put(landing, "part-000.csv")
    put(landing, "manifest")
    assert len(start_training.handler(sample("training_landed"))["batchItemFailures"]) == 1
    assert machines.started("training") == []
    [line] = caplog.records
    assert f"s3://{LANDING}/training/DE-weee/2026-10/d1/part-000.csv is from 20" in line.getMessage()
    assert "replaced after it was listed. Fix: deliver the dataset under a new folder" in line.getMessage()


def test_a_dataset_whose_files_are_older_than_its_manifest_starts_its_run(machines, landing):
    for file in ("part-000.csv", "manifest"):
        put(landing, file)
    body = json.loads(notification("training/DE-weee/2026-10/d1/manifest"))
    body["Records"][0]["eventTime"] = "2999-01-01T00:00:00.000Z"
    assert start_training.handler(batch(json.dumps(body))) == {"batchItemFailures": []}
    assert len(machines.started("training")) == 1


def test_files_of_other_datasets_may_be_newer(machines, landing):
    landing.put_object(Bucket=LANDING, Key="training/DE-weee/2026-10/d10/part-000.csv", Body=b"rows")
    assert start_training.handler(sample("training_landed")) == {"batchItemFailures": []}
    assert len(machines.started("training")) == 1


def test_s3s_own_test_message_is_taken_and_starts_nothing(machines):
    event = batch(json.dumps(sample("s3_test_event")))
    assert start_training.handler(event) == {"batchItemFailures": []}
    assert machines.started("training") == []


def test_keys_are_form_encoded_in_notifications(machines):
    event = batch(notification("training%2FDE-weee%2F2026-10%2Fd1%2Fmanifest"))
    assert start_training.handler(event) == {"batchItemFailures": []}
    assert len(machines.started("training")) == 1


def test_only_the_bad_messages_of_a_batch_come_back(machines):
    good = notification("training/DE-weee/2026-10/d1/manifest")
    other = notification("training/DK-weee/2026-10/d1/manifest")
    event = batch(good, notification("training/manifest"), "not JSON", "[]", '{"Records": [{}]}', other)
    assert start_training.handler(event) == {
        "batchItemFailures": [{"itemIdentifier": f"m{n}"} for n in (1, 2, 3, 4)]
    }
    assert {run["group"] for run in machines.started("training")} == {"DE-weee", "DK-weee"}


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (
            "training/de-weee/2026-10/d1/manifest",
            "'de-weee' is not a model group. Fix: name that folder like",
        ),
        (
            "training/DE-weee/2026-13/d1/manifest",
            "'2026-13' is not a period. Fix: name that folder like 2026-10",
        ),
        ("training/DE-weee/0000-01/d1/manifest", "'0000-01' is not a period. Fix: name that folder like"),
        (
            "training/DE-weee/2026-10/./manifest",
            "'.' is not a delivery. Fix: name that folder 1 to 64 letters",
        ),
        ("training/DE-weee/2026-10/../manifest", "'..' is not a delivery. Fix: name that folder 1 to 64"),
        ("training/DE-weee/2026-10/a b/manifest", "'a b' is not a delivery. Fix: name that folder 1 to 64"),
        ("training/DE-weee/2026-10/" + "a" * 65 + "/manifest", "is not a delivery"),
        (
            "training/DE-weee/2026-10/d1/sub/manifest",
            "is not the manifest of a dataset for training. Fix: put",
        ),
        ("training/DE-weee/2026-10/d1/data.csv", "is not the manifest of a dataset for training. Fix: put"),
        ("inference/DE-weee/2026-10/d1/manifest", "is not the manifest of a dataset for training. Fix: put"),
    ],
)
def test_a_bad_key_fails_its_message_and_the_log_names_key_and_fix(key, sentence, machines, caplog):
    event = batch(notification(key.replace(" ", "+")))
    assert start_training.handler(event) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert machines.started("training") == []
    [line] = caplog.records
    assert f"s3://{LANDING}/{key}" in line.getMessage()
    assert sentence in line.getMessage()
    assert line.levelname == "ERROR" and line.exc_info is None


def test_a_call_that_is_throttled_leaves_its_message_for_the_next_try(machines):
    states = boto3.client("stepfunctions")
    event = copy.deepcopy(sample("training_landed"))
    with Stubber(states) as stub:
        stub.add_client_error("start_execution", "ThrottlingException")
        failed = start_training.handler(event, states=states)
    assert failed == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
