"""What follows from something recorded and cannot be sent or copied is kept, and the run succeeds."""

import pytest
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend
from moto.sns.exceptions import InternalError
from moto.sns.models import SNSBackend
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint

from pipelines.handlers import notices
from tests.pipelines.machines.conftest import client
from tests.pipelines.machines.definition_examples import (
    GROUP,
    GROUP_ITEM,
    INPUTS,
    MODEL,
    MODEL_ITEM,
    MONTH_ITEM,
    OLD_MODEL,
    OLD_MODEL_ITEM,
    PERIOD,
    TRAINED_ITEM,
    WINNER,
)
from tests.pipelines.machines.labelled_months import labels_of

MONTH, TEST, REVIEW = INPUTS["inference"], INPUTS["test"], INPUTS["review"]


@pytest.fixture
def cloud(cloud):
    """With a winner, a challenger, and what Publish leaves."""
    cloud.put(WINNER, MODEL_ITEM, OLD_MODEL_ITEM)
    for bucket, run in (("labelled", MONTH), ("labelled", REVIEW), ("work-bucket", TEST)):
        cloud.s3.put_object(Bucket=bucket, Key=f"runs/{GROUP}/{run['run']}/manifest/manifest.json")
    for run in (MONTH, REVIEW):
        labels = f"labels/{GROUP}/{PERIOD}/{run['run']}/labels.parquet"
        cloud.s3.put_object(Bucket="labelled", Key=labels, Body=run["run"])
    cloud.sagemaker.messages["processing.publish"] |= {"alarms": 1, "attention": "Fewer items."}
    return cloud


def take_nothing(patch: pytest.MonkeyPatch) -> None:
    """From here on neither topics nor the bus take anything."""

    def refuse(error: Exception):
        def call(*args, **kwargs):
            raise error

        return call

    patch.setattr(SNSBackend, "publish", refuse(InternalError("not today")))
    patch.setattr(EventsBackend, "put_events", refuse(ValidationException("not today")))


@pytest.fixture
def down(monkeypatch):
    """Call it, and neither topics nor the bus take anything any more."""
    return lambda: take_nothing(monkeypatch)


def kept(cloud) -> list[str]:
    return sorted(notice["entry"].rpartition("#")[2] for notice in notices.kept(cloud.dynamodb, "ledger"))


def test_a_month_whose_notices_cannot_be_sent_is_labelled_all_the_same_and_they_are_kept(cloud, down):
    down()
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert kept(cloud) == ["Announce", "NotifyMlops", "NotifyStakeholders"]
    assert cloud.received("failures") == []


def test_what_is_kept_is_sent_as_the_run_would_have_sent_it(cloud, monkeypatch):
    with monkeypatch.context() as patch:
        take_nothing(patch)
        cloud.run("inference", MONTH)
    notices.send_all(cloud.dynamodb, "ledger", client("sns"), client("events"), cloud.s3)
    assert kept(cloud) == []
    [ready], [attention], [(kind, detail)] = (
        *(cloud.received(queue) for queue in ("Stakeholders", "Mlops")),
        cloud.events(),
    )
    assert ready["Subject"] == f"Labels ready: {GROUP} {PERIOD}"
    assert "Items: 100. Labelled: 89 (7 by people). To review: 8. No code fits: 1." in ready["Message"]
    assert attention["Subject"] == f"Labels need attention: {GROUP} {PERIOD}"
    assert attention["MessageAttributes"]["group"] == {"Type": "String", "Value": GROUP}
    assert kind == "Inference Completed"
    assert (detail["run"], detail["model"], detail["challenger"]) == (MONTH["run"], OLD_MODEL, "")


def test_a_test_set_whose_event_cannot_be_sent_fails_as_nothing_would_compare_it(cloud, down):
    down()
    run = cloud.run("inference", TEST)
    assert run.status == "FAILED"
    assert cloud.received("failures")[0]["run"] == TEST["run"]
    assert kept(cloud) == []


def test_a_decision_stands_though_mlops_cannot_be_told(cloud, down):
    down()
    run = cloud.run("comparison", INPUTS["comparison"])
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.items("WINNER")[0]["model"] == MODEL
    assert kept(cloud) == ["NotifyMlops"]


def test_a_model_is_recorded_though_its_event_cannot_be_sent(cloud, down):
    down()
    run = cloud.run("training", INPUTS["training"])
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["RecordTrained", "Announce", "AnnounceLater"]
    assert kept(cloud) == ["Announce"]


@pytest.mark.parametrize(
    ("decided", "left"), [(True, ["NotifyMlops"]), (False, ["AnnounceAgain", "NotifyUndecided"])]
)
def test_nothing_new_to_learn_is_kept_where_it_cannot_be_told(cloud, down, decided, left):
    cloud.put(TRAINED_ITEM | {"rows_digest": {"S": "d2" * 32}})
    if decided:
        decision = {"group": GROUP, "entry": "DECISION#2026-10-02T08:00:00.000Z#run", "model": OLD_MODEL}
        cloud.put({name: {"S": value} for name, value in decision.items()})
    down()
    assert cloud.run("training", INPUTS["training"]).status == "SUCCEEDED"
    assert kept(cloud) == left


def test_a_comparison_waits_for_a_person_though_the_question_could_not_be_sent(cloud, down, monkeypatch):
    monkeypatch.setattr(CallbackEndpoint, "wait", lambda self, timeout=None: None)
    cloud.put(GROUP_ITEM | {"policy": {"S": '{"approval": true}'}})
    cloud.sagemaker.messages["processing.compare"]["approval"] = True
    down()
    run = cloud.run("comparison", INPUTS["comparison"])
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[run.states.index("AskMlops") :][:4] == [
        *("AskMlops", "AskMlopsLater", "AwaitApproval", "Expired")
    ]
    assert "AskMlops" in kept(cloud)


def test_a_message_that_can_be_neither_sent_nor_kept_fails_the_run(cloud, down, monkeypatch):
    put_item = DynamoDBBackend.put_item

    def refuse(self, name, item, *args, **kwargs):
        if item["entry"]["S"].startswith("NOTICE"):
            raise MockValidationException("not today")
        return put_item(self, name, item, *args, **kwargs)

    monkeypatch.setattr(DynamoDBBackend, "put_item", refuse)
    down()
    run = cloud.run("comparison", INPUTS["comparison"])
    assert (run.status, run.states[-1]) == ("FAILED", "Failed")
    assert cloud.received("failures")[0]["run"] == INPUTS["comparison"]["run"]


def copies_fail(monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    """From here on S3 copies nothing to keys that start so."""
    copy_object = S3Backend.copy_object

    def refuse(self, src_key, dest_bucket_name, dest_key_name, *args, **kwargs):
        if dest_key_name.startswith(start):
            raise S3ClientError("SlowDown", "not today")
        return copy_object(self, src_key, dest_bucket_name, dest_key_name, *args, **kwargs)

    monkeypatch.setattr(S3Backend, "copy_object", refuse)


def make_what_is_kept(cloud) -> None:
    notices.send_all(cloud.dynamodb, "ledger", client("sns"), client("events"), cloud.s3)


def test_a_month_that_cannot_be_copied_for_athena_is_published_and_told_and_copied_later(cloud, monkeypatch):
    with monkeypatch.context() as patch:
        copies_fail(patch, "current/")
        run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.received("Stakeholders")[0]["Subject"] == f"Labels ready: {GROUP} {PERIOD}"
    assert kept(cloud) == ["PublishTable"] and cloud.received("failures") == []
    make_what_is_kept(cloud)
    assert kept(cloud) == []
    assert body(cloud, "labelled", f"current/{GROUP}/{PERIOD}/labels.parquet") == MONTH["run"]


def test_the_copy_that_is_made_later_is_of_the_labels_that_are_the_months_then(cloud, monkeypatch):
    with monkeypatch.context() as patch:
        copies_fail(patch, "current/")
        cloud.run("inference", MONTH)
    [month] = cloud.items("MONTH#")
    newer = {"run": REVIEW["run"], "table": f"labelled/{labels_of(REVIEW)}labels.parquet"}
    cloud.put({name: {"S": value} for name, value in (month | newer).items()})
    make_what_is_kept(cloud)
    assert body(cloud, "labelled", f"current/{GROUP}/{PERIOD}/labels.parquet") == REVIEW["run"]


def test_decisions_that_cannot_be_copied_to_where_training_reads_are_copied_later(cloud, monkeypatch):
    cloud.put(MONTH_ITEM)
    sheet = f"{GROUP}/{REVIEW['sheet']}/decisions.jsonl"
    cloud.s3.put_object(Bucket="work-bucket", Key=f"sheets/{sheet}", Body="decided")
    with monkeypatch.context() as patch:
        copies_fail(patch, "reviewed/")
        run = cloud.run("inference", REVIEW)
    assert run.status == "SUCCEEDED", run.cause
    assert kept(cloud) == ["KeepDecisions"]
    make_what_is_kept(cloud)
    assert kept(cloud) == []
    assert body(cloud, "work-bucket", f"reviewed/{sheet}") == "decided"


def body(cloud, bucket: str, key: str) -> str:
    return cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
