"""What comes of a dataset that was sent: followed on executions that a test ends, and on a real ledger."""

import json

import boto3
import pytest

from pipelines.failures.failure import Stack
from pipelines.own_data.following import IDLE_SECONDS, POLL_SECONDS, Ended, follow
from pipelines.own_data.sending import Sent
from tests import stack_with_ledger
from tests.pipelines.failures.fake_states import ACCOUNT, FakeStates

RUN = "DE-weee-training-2026-10-0123456789ab"
TEST = "DE-weee-test-2026-10-aaaaaaaaaaaa"
MODEL = "DE-weee-2026-10-0a1b2c3d"
MACHINES = {
    name: f"{ACCOUNT}:stateMachine:labelmill-{name}" for name in ("training", "inference", "comparison")
}


class Account:
    """A stack, and what a test lets happen in it while somebody waits."""

    def __init__(self, purpose: str):
        outputs = stack_with_ledger.create()
        outputs |= {f"{name.capitalize()}MachineArn": arn for name, arn in MACHINES.items()}
        self.states, self.table, self.bucket = FakeStates(), outputs["LedgerTable"], outputs["WorkBucket"]
        self.stack = Stack(
            outputs, lambda service: self.states if service == "stepfunctions" else boto3.client(service)
        )
        self.run = RUN.replace("training", purpose)
        self.sent = Sent("DE-weee", purpose, "2026-10", "s3://landing/x/", self.run)
        self.put("GROUP", codebook_version="2026-10")
        self.shown: list[str] = []
        self.waited = 0.0

    def put(self, entry: str, **values: str) -> None:
        item = {"group": "DE-weee", "entry": entry, **values}
        boto3.client("dynamodb").put_item(
            TableName=self.table, Item={name: {"S": value} for name, value in item.items()}
        )

    def start(self, machine: str, name: str, **given: str) -> None:
        self.states.start_execution(MACHINES[machine], name, json.dumps(given))

    def follow(self, *happens) -> Ended:
        """Wait for the one dataset; at each pause the next thing happens."""
        left = list(happens)

        def pause(seconds: float) -> None:
            self.waited += seconds
            if left:
                left.pop(0)()

        [ended] = follow(self.stack, [self.sent], lambda group, words: self.shown.append(words), pause)
        return ended


@pytest.fixture
def training(emulated_aws):
    return Account("training")


@pytest.fixture
def inference(emulated_aws):
    return Account("inference")


def test_a_training_is_followed_through_test_and_comparison_to_its_verdict(training):
    states = training.states

    def trained():
        states.end(RUN, "SUCCEEDED")
        training.put(f"MODEL#{MODEL}", run=RUN)
        training.start("inference", TEST, challenger=MODEL)

    ended = training.follow(
        lambda: training.start("training", RUN),
        trained,
        lambda: training.put(
            "DECISION#2026-11-03T09:00:00Z#the-run", verdict="FIRST", reason="It is the first.", model=MODEL
        ),
    )
    assert training.shown == ["waiting for the next run to start", "training: GetGroup", "test: GetGroup"]
    assert (ended.well, ended.sentence) == (True, "FIRST: It is the first.")
    assert ended.next_steps[0] == "labelmill report comparison the-run"


def test_a_model_that_waits_for_a_person_ends_the_waiting(training):
    training.start("training", RUN)
    training.states.end(RUN, "SUCCEEDED")
    training.put(f"MODEL#{MODEL}", run=RUN)
    training.put("APPROVAL#the-run", model=MODEL, verdict="PROMOTE", asked_at="2026-11-03T09:00:00+00:00")
    ended = training.follow()
    assert ended.well
    assert "labelmill approve the-run" in ended.next_steps


def test_a_run_that_fails_says_its_own_sentence(training):
    training.start("training", RUN)
    training.states.end(RUN, "FAILED", cause="items.parquet has no row. Fix: deliver some.")
    ended = training.follow()
    assert not ended.well
    assert ended.sentence.endswith("has failed. items.parquet has no row. Fix: deliver some.")


def test_a_test_that_fails_is_the_trainings_failure_and_that_of_another_model_is_not(training):
    training.start("training", RUN)
    training.states.end(RUN, "SUCCEEDED")
    training.put(f"MODEL#{MODEL}", run=RUN)
    training.start("inference", TEST, challenger="DE-weee-2026-10-ffffffff")
    training.states.end(TEST, "FAILED", cause="another's")
    mine = TEST.replace("a", "b")

    def fails():
        training.start("inference", mine, challenger=MODEL)
        training.states.end(mine, "FAILED", cause="mine")

    assert training.follow(fails).sentence == f"The run {mine} has failed. mine"


def test_a_training_that_finds_the_rows_of_before_says_that_there_is_no_new_model(training):
    training.start("training", RUN)
    training.states.end(RUN, "SUCCEEDED")
    ended = training.follow()
    assert ended.well
    assert ended.sentence.startswith("No new model")


def test_a_run_that_never_starts_is_not_waited_for_without_end(training):
    ended = training.follow()
    assert not ended.well
    assert ended.sentence == "Nothing has started for 15 minutes."
    assert training.waited == IDLE_SECONDS - POLL_SECONDS


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
    ended = inference.follow()
    assert ended.sentence == "1,734 items labelled, 266 to review, 0 rejected."
    assert ended.next_steps[0] == "labelmill report workbook DE-weee 2026-10"


def test_a_month_that_a_newer_delivery_has_overtaken_says_so(inference):
    inference.start("inference", inference.run)
    inference.states.end(inference.run, "SUCCEEDED")
    inference.put(
        f"LABELS#2026-10#{inference.run}", run=inference.run, superseded_by="newer", recorded_at="2026-11-03"
    )
    assert inference.follow().sentence == "Labelled, but a newer delivery is the month: newer."


def test_a_month_without_recorded_labels_did_not_end_well(inference):
    inference.start("inference", inference.run)
    inference.states.end(inference.run, "SUCCEEDED")
    assert inference.follow().next_steps == ("labelmill failures",)
