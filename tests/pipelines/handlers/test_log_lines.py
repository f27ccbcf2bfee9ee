"""Every line that a function logs says which run and model group it is about, and nothing of items."""

import json
import logging

import pytest

from pipelines.handlers import start_comparison, start_inference, start_training, test_model
from pipelines.handlers.batch import take_each
from tests.pipelines.handlers.event_samples import sample

GROUP = "DE-weee"


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record for record in caplog.records if record.name.startswith("pipelines")]


def poison(body: str) -> dict:
    return {"Records": [{**sample("training_landed")["Records"][0], "body": body}]}


def test_a_run_that_starts_is_logged_by_name_and_group(machines, ledger, lines):
    for _ in range(2):
        start_training.handler(sample("training_landed"))
        test_model.handler(sample("model_trained"))
    start_comparison.handler(sample("inference_completed"))
    logged = lines()
    assert len(logged) == 5
    for line in logged:
        assert line.group == GROUP
        assert line.run.startswith(f"{GROUP}-")


def test_what_is_decided_upon_already_is_logged_by_group(machines, ledger, lines):
    event = sample("inference_completed")
    ledger.put(GROUP, "WINNER", model=event["detail"]["challenger"], decision="DECISION#x")
    start_comparison.handler(event)
    assert [(line.group, line.run) for line in lines()] == [(GROUP, event["detail"]["run"])]


def test_a_message_that_is_about_no_run_says_so_with_empty_fields(machines, lines):
    start_inference.handler(poison("no notification"))
    assert [(line.group, line.run) for line in lines()] == [("", "")]


def test_an_unexpected_exception_in_a_batch_is_logged_with_its_traceback(lines):
    def take(body: str) -> None:
        raise ZeroDivisionError("a defect")

    answer = take_each(sample("training_landed"), take, refusal=KeyError)
    [line] = lines()
    assert line.levelname == "ERROR" and line.exc_info[0] is ZeroDivisionError
    [message] = sample("training_landed")["Records"]
    assert message["messageId"] in line.getMessage()
    assert answer == {"batchItemFailures": [{"itemIdentifier": message["messageId"]}]}


def test_a_message_is_quoted_in_the_log_only_so_far_as_to_know_it_again(machines, lines):
    secret = "x" * 500 + "SECRET"
    start_inference.handler(poison(json.dumps({"Records": [{"s3": secret}]})))
    [line] = lines()
    assert "not an S3 notification" in line.getMessage()
    assert "SECRET" not in line.getMessage()


def test_boto_does_not_log_where_it_found_its_credentials():
    assert not logging.getLogger("botocore.credentials").isEnabledFor(logging.INFO)
