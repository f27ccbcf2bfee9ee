"""`labelmill failures`, `retry` and `dismiss` on the local stack, called as they are on AWS."""

import json

import pytest

from infra.local.stack import LocalStack
from pipelines import cli

SUCCEED = {"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}}
BAD_EVENT = {"Source": "labelmill", "DetailType": "Model Trained"}


def keep(local: LocalStack, audience: str, subject: str) -> None:
    """A notice, as a run keeps it that cannot send it."""
    request = {"TopicArn": local.names[f"{audience}TopicArn"], "Subject": subject, "Message": "all of it"}
    item = {
        "group": "DE-weee",
        "entry": f"NOTICE#DE-weee-inference-2026-09-0f3a9c21d4e5#Notify{audience}",
        **{"call": "sns:publish", "why": "SNS.InternalErrorException", "kept_at": "2026-10-03T09:00:00.000Z"},
    }
    typed = {name: {"S": value} for name, value in item.items()}
    typed["request"] = {"M": {name: {"S": value} for name, value in request.items()}}
    local.client("dynamodb").put_item(TableName=local.names["LedgerTable"], Item=typed)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """A stack with a run that failed, a message and an event that no function takes, and a kept notice."""
    with LocalStack(tmp_path_factory.mktemp("failures")) as local:
        inbox = local.names["InferenceQueueUrl"]
        local.client("sqs").set_queue_attributes(QueueUrl=inbox, Attributes={"VisibilityTimeout": "0"})
        for key in ("training/DE-weee/2026-10/d1/manifest", "inference/DE/2026-10/d1/manifest"):
            local.client("s3").put_object(Bucket=local.names["LandingBucket"], Key=key, Body=b"{}")
        detail = {"dataset": f"s3://{local.names['WorkBucket']}/runs/"}
        local.client("events").put_events(Entries=[BAD_EVENT | {"Detail": json.dumps(detail)}])
        for queue in ("InferenceDeadLetterQueueUrl", "EventsDeadLetterQueueUrl", "FailureQueueUrl"):
            received = local.client("sqs").receive_message(
                QueueUrl=local.names[queue], WaitTimeSeconds=20, VisibilityTimeout=0
            )
            assert received["Messages"], queue
        keep(local, "Stakeholders", "Late")
        yield local


@pytest.fixture
def labelmill(local, monkeypatch, capsys):
    for name, value in local.connection.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def run(*words: str) -> tuple[int, str]:
        code = cli.main(list(words))
        return code, capsys.readouterr().out

    return run


def listed(labelmill) -> dict[str, dict]:
    """The list, by what failed."""
    return {one["what"]: one for one in json.loads(labelmill("failures", "--json")[1])}


def test_the_list_has_them_all_and_each_leaves_it_once_it_is_done(local, labelmill):
    found = listed(labelmill)
    assert set(found) == {
        *("training run", "notification of a dataset for inference", "event: Model Trained"),
        "notice that was not sent",
    }
    run = found["training run"]
    assert (run["group"], run["error"]) == ("DE-weee", "UnknownGroup")
    assert "Model group DE-weee is not known: publish its codebook" in run["sentence"]
    assert "'DE' is not a model group. Fix:" in found["notification of a dataset for inference"]["sentence"]
    assert "the event lacks" in found["event: Model Trained"]["sentence"]

    training = local.names["TrainingMachineArn"]
    states = local.client("stepfunctions")
    states.update_state_machine(stateMachineArn=training, definition=json.dumps(SUCCEED))
    code, printed = labelmill("retry", "DE-weee")
    assert code == 0 and f"{run['name']}: started DE-weee-training-2026-10-" in printed
    local.wait_until_quiet(timeout_seconds=60)
    [mail] = (local.folder / "mailbox").glob("*-stakeholders-*.txt")
    assert "Subject: Late" in mail.read_text()
    for what in ("notification of a dataset for inference", "event: Model Trained"):
        assert labelmill("dismiss", found[what]["name"], "--reason", "a trial")[0] == 0
    assert labelmill("failures") == (0, "everything is done\n")
    for queue in ("FailureQueueUrl", "InferenceDeadLetterQueueUrl", "EventsDeadLetterQueueUrl"):
        attributes = local.client("sqs").get_queue_attributes(
            QueueUrl=local.names[queue], AttributeNames=["All"]
        )["Attributes"]
        counts = [attributes[f"ApproximateNumberOfMessages{kind}"] for kind in ("", "NotVisible")]
        assert counts == ["0", "0"], queue


def test_the_hourly_check_sends_what_was_kept(local):
    keep(local, "Mlops", "Later")
    event = {"scheduled_time": "2026-11-10T07:00:00Z", "overdue": False}
    answer = local.client("lambda").invoke(FunctionName="labelmill-check-month", Payload=json.dumps(event))
    assert "FunctionError" not in answer
    [mail] = (local.folder / "mailbox").glob("*-mlops-*.txt")
    assert "Subject: Later" in mail.read_text()
