"""What comes of a dataset that was sent: executions that a test ends, and a real ledger."""

import json

import boto3
import pytest

from pipelines.failures import failed_runs
from pipelines.failures.failure import Stack
from pipelines.monitoring.outcome import Outcome, outcome
from tests import stack_with_ledger
from tests.pipelines.failures.fake_states import ACCOUNT, FakeStates

RUN = "DE-weee-training-2026-10-0123456789ab"
TEST = "DE-weee-test-2026-10-aaaaaaaaaaaa"
MODEL = "DE-weee-2026-10-0a1b2c3d"
MACHINES = {
    name: f"{ACCOUNT}:stateMachine:labelmill-{name}" for name in ("training", "inference", "comparison")
}


class Account:
    """A stack, and what a test lets happen in it."""

    def __init__(self, purpose: str):
        outputs = stack_with_ledger.create()
        outputs |= {f"{name.capitalize()}MachineArn": arn for name, arn in MACHINES.items()}
        self.states, self.table, self.bucket = FakeStates(), outputs["LedgerTable"], outputs["WorkBucket"]
        self.stack = Stack(
            outputs, lambda service: self.states if service == "stepfunctions" else boto3.client(service)
        )
        self.run = RUN.replace("training", purpose)
        self.put("GROUP", codebook_version="2026-10")

    def put(self, entry: str, **values: str) -> None:
        item = {"group": "DE-weee", "entry": entry, **values}
        boto3.client("dynamodb").put_item(
            TableName=self.table, Item={name: {"S": value} for name, value in item.items()}
        )

    def start(self, machine: str, name: str, **given: str) -> None:
        self.states.start_execution(MACHINES[machine], name, json.dumps(given))

    def outcome(self) -> Outcome | None:
        return outcome(failed_runs.read(self.stack), self.run)


@pytest.fixture
def training(emulated_aws):
    return Account("training")


@pytest.fixture
def inference(emulated_aws):
    return Account("inference")


def test_of_a_training_nothing_has_come_until_its_model_was_tested_and_compared(training):
    assert training.outcome() is None, "its run is still to start"
    training.start("training", RUN)
    assert training.outcome() is None
    training.states.end(RUN, "SUCCEEDED")
    training.put(f"MODEL#{MODEL}", run=RUN)
    assert training.outcome() is None, "its test is still to start"
    training.start("inference", TEST, challenger=MODEL)
    assert training.outcome() is None
    training.put(
        "DECISION#2026-11-03T09:00:00Z#the-run", verdict="FIRST", reason="It is the first.", model=MODEL
    )
    ended = training.outcome()
    assert (ended.well, ended.sentence) == (True, "FIRST: It is the first.")
    assert ended.next_steps[0] == "labelmill report comparison the-run"


def test_a_model_that_waits_for_a_person_is_an_outcome(training):
    training.start("training", RUN)
    training.states.end(RUN, "SUCCEEDED")
    training.put(f"MODEL#{MODEL}", run=RUN)
    training.put("APPROVAL#the-run", model=MODEL, verdict="PROMOTE", asked_at="2026-11-03T09:00:00+00:00")
    ended = training.outcome()
    assert ended.well
    assert "labelmill approve the-run" in ended.next_steps


def test_a_run_that_fails_says_its_own_sentence(training):
    training.start("training", RUN)
    training.states.end(RUN, "FAILED", cause="items.parquet has no row. Fix: deliver some.")
    ended = training.outcome()
    assert not ended.well
    assert ended.sentence.endswith("has failed. items.parquet has no row. Fix: deliver some.")


def test_a_test_that_fails_is_the_trainings_failure_and_that_of_another_model_is_not(training):
    training.start("training", RUN)
    training.states.end(RUN, "SUCCEEDED")
    training.put(f"MODEL#{MODEL}", run=RUN)
    training.start("inference", TEST, challenger="DE-weee-2026-10-ffffffff")
    training.states.end(TEST, "FAILED", cause="another's")
    mine = TEST.replace("a", "b")

    assert training.outcome() is None
    training.start("inference", mine, challenger=MODEL)
    training.states.end(mine, "FAILED", cause="mine")
    assert training.outcome().sentence == f"The run {mine} has failed. mine"


def test_a_training_that_finds_the_rows_of_before_says_that_there_is_no_new_model(training):
    training.start("training", RUN)
    training.states.end(RUN, "SUCCEEDED")
    ended = training.outcome()
    assert ended.well
    assert ended.sentence.startswith("No new model")


def test_a_month_ends_with_its_counts_and_what_to_open(inference):
    folder = f"labels/DE-weee/2026-10/{inference.run}/"
    boto3.client("s3").put_object(
        Bucket=inference.bucket,
        Key=f"{folder}manifest.json",
        Body=json.dumps({"labelled": 1734, "review": 266, "rejected": 0}),
    )
    inference.start("inference", inference.run)
    inference.states.end(inference.run, "SUCCEEDED")
    inference.put(
        f"LABELS#2026-10#{inference.run}",
        run=inference.run,
        labels=f"s3://{inference.bucket}/{folder}",
        recorded_at="2026-11-03",
    )
    ended = inference.outcome()
    assert ended.sentence == "1,734 items labelled, 266 to review, 0 rejected."
    assert ended.next_steps[0] == "labelmill report workbook DE-weee 2026-10"


def test_a_month_that_a_newer_delivery_has_overtaken_says_so(inference):
    inference.start("inference", inference.run)
    inference.states.end(inference.run, "SUCCEEDED")
    inference.put(
        f"LABELS#2026-10#{inference.run}", run=inference.run, superseded_by="newer", recorded_at="2026-11-03"
    )
    assert inference.outcome().sentence == "Labelled, but a newer delivery is the month: newer."


def test_a_month_without_recorded_labels_did_not_end_well(inference):
    inference.start("inference", inference.run)
    inference.states.end(inference.run, "SUCCEEDED")
    assert inference.outcome().next_steps == ("labelmill failures",)
