"""How far the month is: check_month, on a real table, bucket and topic of the emulator."""

import logging
import os

import boto3
import pytest

from pipelines.handlers import check_month
from tests import sent

LATE = {"scheduled_time": "2026-11-10T07:00:00Z", "overdue": True}


@pytest.fixture
def landing(aws, monkeypatch):
    """The landing bucket: call it with the keys to put."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="landing", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    monkeypatch.setenv("LANDING_BUCKET", "landing")
    monkeypatch.setenv("STACK_NAME", "labelmill")
    monkeypatch.setenv("TIME_ZONE", "Europe/Berlin")
    return lambda *keys: [s3.put_object(Bucket="landing", Key=key, Body=b"") for key in keys]


@pytest.fixture
def notices(aws, monkeypatch):
    """What operators are sent: a function that takes what has come."""
    queue = boto3.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    topic = boto3.client("sns").create_topic(Name="operators")["TopicArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    monkeypatch.setenv("OPERATORS_TOPIC_ARN", topic)

    return lambda: sent.received(boto3.client("sqs"), queue)


def check(event: dict) -> None:
    clients = {"table": "dynamodb", "s3": "s3", "sns": "sns", "events": "events"}
    check_month.handler(event, **{name: boto3.client(service) for name, service in clients.items()})


def test_a_group_without_labels_is_named_after_the_deadline_with_what_it_lacks(ledger, landing, notices):
    for group in ("DE-weee", "FR-weee", "IT-weee", "PL-weee"):
        ledger.put(group, "GROUP")
    ledger.put("FR-weee", "MONTH#2026-10")
    ledger.put("DE-weee", "MONTH#2026-09")
    landing("inference/IT-weee/2026-10/d1/manifest", "inference/PL-weee/2026-10/d1/part-0.csv")
    check(LATE)
    [sent] = notices()
    assert sent["Subject"] == "2026-10 is not finished: 3 of 4 model groups"
    assert "\nDE-weee: no dataset to label has landed\n" in sent["Message"]
    assert "\nIT-weee: its dataset has landed, but no labels are published\n" in sent["Message"]
    assert "\nPL-weee: no dataset to label has landed\n" in sent["Message"]
    assert "FR-weee" not in sent["Message"]


@pytest.mark.parametrize("decided", [True, False])
def test_a_model_trained_on_the_month_must_be_decided_upon(decided, ledger, landing, notices):
    model = "DE-weee-2026-10-1a2b3c4d"
    for group in ("DE-weee", "FR-weee"):
        ledger.put(group, "GROUP")
        ledger.put(group, "MONTH#2026-10")
    ledger.put("DE-weee", f"MODEL#{model}", period="2026-10")
    ledger.put("FR-weee", "MODEL#FR-weee-2026-09-1a2b3c4d", period="2026-09")
    ledger.put("DE-weee", "DECISION#2026-11-02T08:00:00.000Z#run", model=model if decided else "another")
    check(LATE)
    if decided:
        assert notices() == []
    else:
        [sent] = notices()
        assert f"DE-weee: labelled, but model {model} has not been decided on" in sent["Message"]
        assert "FR-weee" not in sent["Message"]


def test_a_group_of_which_nothing_was_sold_is_done_until_items_land_after_all(ledger, landing, notices):
    for group in ("DE-weee", "FR-weee", "IT-weee"):
        ledger.put(group, "GROUP")
        ledger.put(group, "NOITEMS#inference#2026-10")
    ledger.put("PL-weee", "GROUP")
    ledger.put("PL-weee", "NOITEMS#training#2026-10")
    ledger.put("IT-weee", "MODEL#IT-weee-2026-10-1a2b3c4d", period="2026-10")
    landing("inference/FR-weee/2026-10/d2/manifest")
    check(LATE)
    [sent] = notices()
    assert "DE-weee" not in sent["Message"]
    assert "FR-weee: its dataset has landed, but no labels are published\n" in sent["Message"]
    assert "IT-weee: no items to label, but model IT-weee-2026-10-1a2b3c4d" in sent["Message"]
    assert "PL-weee: no dataset to label has landed\n" in sent["Message"]


def test_a_retired_group_is_not_waited_for(ledger, landing, notices):
    for group in ("DE-weee", "GB-weee"):
        ledger.put(
            group, "GROUP", **({"retired_at": "2026-10-20T08:00:00.000Z"} if group == "GB-weee" else {})
        )
        ledger.put(group, f"MODEL#{group}-2026-10-1a2b3c4d", period="2026-10")
    landing("inference/GB-weee/2026-10/d1/manifest")
    check(LATE)
    [sent] = notices()
    assert sent["Subject"] == "2026-10 is not finished: 1 of 1 model groups"
    assert "GB-weee" not in sent["Message"]


def test_before_the_deadline_groups_are_counted_and_nobody_is_told(ledger, landing, notices, caplog):
    ledger.put("DE-weee", "GROUP")
    with caplog.at_level(logging.INFO):
        check(LATE | {"overdue": False})
    assert notices() == []
    [line] = [record for record in caplog.records if hasattr(record, "_aws")]
    assert line.GroupsUnfinished == 1
    assert not hasattr(line, "GroupsOverdue"), "it would end the alarm that a daily check has raised"


def kept(state: str, call: str, request: dict) -> dict:
    """A notice as a machine keeps it."""
    values = {"group": "DE-weee", "entry": f"NOTICE#DE-weee-inference-2026-10-0f3a9c21d4e5#{state}"}
    values |= {"call": call, "why": "States.TaskFailed", "kept_at": "2026-11-03T08:00:00.000Z"}
    return {name: {"S": value} for name, value in values.items()} | {"request": request}


def published(topic: str, subject: str) -> dict:
    filtered = {"kind": "labels-ready", "group": "DE-weee", "period": "2026-10", "run": "r"}
    attributes = {
        name: {"M": {"DataType": {"S": "String"}, "StringValue": {"S": value}}}
        for name, value in filtered.items()
    }
    texts = {"TopicArn": topic, "Subject": subject, "Message": "all of it"}
    return {
        "M": {name: {"S": text} for name, text in texts.items()} | {"MessageAttributes": {"M": attributes}}
    }


def test_what_a_run_kept_is_sent_once_and_what_cannot_be_sent_stays_and_is_logged(
    ledger, landing, notices, caplog
):
    topic = os.environ["OPERATORS_TOPIC_ARN"]
    for state, request in (
        ("Good", published(topic, "Labels ready")),
        ("Bad", published(f"{topic}-gone", "Lost")),
    ):
        ledger.client.put_item(TableName="ledger", Item=kept(state, "sns:publish", request))
    for _ in range(2):
        check(LATE | {"overdue": False})
    [notice] = notices()
    assert (notice["Subject"], notice["Message"]) == ("Labels ready", "all of it")
    assert sent.attributes(notice)["group"] == "DE-weee"
    [left] = ledger.client.scan(TableName="ledger")["Items"]
    assert left["entry"]["S"].endswith("#Bad")
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged and all(record.exc_info and record.group == "DE-weee" for record in logged)


class Bus:
    """EventBridge, which takes an event or, as its answer says, does not."""

    def __init__(self, failed: int):
        self.failed, self.entries = failed, []

    def put_events(self, Entries: list) -> dict:
        self.entries += Entries
        return {"FailedEntryCount": self.failed, "Entries": [{"ErrorMessage": "try later"}]}


@pytest.mark.parametrize("failed", [0, 1])
def test_an_event_that_a_run_kept_stays_until_the_bus_has_taken_it(failed, ledger, landing, notices):
    entry = {"Source": "labelmill", "DetailType": "Inference Completed"}
    request = {name: {"S": text} for name, text in entry.items()}
    request["Detail"] = {"M": {"run": {"S": "r"}, "challenger": {"S": ""}}}
    request = {"M": {"Entries": {"L": [{"M": request}]}}}
    ledger.client.put_item(TableName="ledger", Item=kept("Announce", "events:putEvents", request))
    bus = Bus(failed)
    check_month.handler(LATE | {"overdue": False}, events=bus)
    assert bus.entries == [entry | {"Detail": '{"run": "r", "challenger": ""}'}]
    assert len(ledger.client.scan(TableName="ledger")["Items"]) == failed


def test_a_month_begins_on_the_clocks_of_the_stacks_time_zone(ledger, landing, notices):
    ledger.put("DE-weee", "GROUP")
    ledger.put("DE-weee", "MONTH#2026-11")
    check(LATE | {"scheduled_time": "2026-11-30T23:30:00Z"})  # December has begun in Berlin
    assert notices() == []
