"""Following runs to their end, and ending at the first that fails; the stack is a fake with real records."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local.executions import write_execution
from infra.local.follow import Follower, RunFailed

ACCOUNT = "arn:aws:states:eu-central-1:123456789012:execution"


class FakeStack:
    """Its folder holds records of ended executions, as the server writes them before it tells of the end."""

    def __init__(self, folder):
        self.folder = folder
        self.sent = []

    def events(self):
        yield from self.sent

    def ended(self, machine, name, status, *history, **outcome):
        description = {"executionArn": f"{ACCOUNT}:{machine}:{name}", "name": name, "status": status}
        write_execution(self.folder / "executions", description | outcome, list(history))
        self.sent.append({"kind": "execution", "machine": machine, "name": name, "status": status})


@pytest.fixture
def stack(tmp_path):
    return FakeStack(tmp_path)


def task_failed(cause):
    failure = {"error": "States.TaskFailed", "cause": cause}
    return {
        "type": "TaskFailed",
        "timestamp": datetime(2026, 10, 1, tzinfo=UTC),
        "taskFailedEventDetails": failure,
    }


def test_each_groups_goal_is_waited_for_and_what_comes_later_is_left(stack):
    for purpose, group in [("training", "DE-weee"), ("test", "IT-weee"), ("test", "DE-weee")]:
        stack.ended("m", f"{group}-{purpose}-2026-10-0f3a9c21d4e5", "SUCCEEDED")
    stack.ended("m", "IT-weee-inference-2026-10-0f3a9c21d4e5", "SUCCEEDED")
    seen = []
    follower = Follower(stack, seen.append)
    follower.until_ended({"DE-weee": "test", "IT-weee": "test"})
    assert len(seen) == 3
    follower.until_ended({"IT-weee": "inference"})
    assert len(seen) == 4


def test_the_first_run_that_fails_ends_the_wait_whichever_group_is_waited_for(stack):
    stack.ended("m", "DE-weee-training-2026-10-0f3a9c21d4e5", "RUNNING")
    stack.ended("m", "IT-weee-training-2026-10-0f3a9c21d4e5", "FAILED", cause="Row 7 has no title.")
    stack.ended("m", "DE-weee-training-2026-10-0f3a9c21d4e5", "SUCCEEDED")
    with pytest.raises(
        RunFailed, match="IT-weee-training-2026-10-0f3a9c21d4e5 has ended as FAILED: Row 7 has no title"
    ):
        Follower(stack).until_ended({"DE-weee": "training", "IT-weee": "training"})


def test_a_manifest_under_a_wrong_key_ends_the_wait_for_a_run_that_does_not_come(stack):
    stack.sent.append({"kind": "misplaced", "key": "trainig/x", "problem": "it is no manifest. Fix: move it"})
    with pytest.raises(RunFailed, match=r"no run starts: it is no manifest\. Fix: move it"):
        Follower(stack).until_ended({"DE-weee": "training"})


def test_a_statement_that_fails_ends_the_wait_for_the_dataset_that_does_not_come(stack):
    name = "labelmill/training/DE-weee/2026-10/d1"
    stack.sent += [
        {"kind": "statement", "name": name, "status": "STARTED", "error": None},
        {"kind": "statement", "name": name, "status": "FAILED", "error": 'column "brand" does not exist'},
    ]
    with pytest.raises(
        RunFailed, match=f'{name} has ended as FAILED, so that no run follows: column "brand" does not exist'
    ):
        Follower(stack).until_ended({"DE-weee": "training"})


def test_a_job_that_failed_is_told_of_with_its_machine_its_sentence_and_its_log(stack):
    history = task_failed('{"ProcessingJobName": "prepare-1", "ExitMessage": "Row 7 has no title."}')
    stack.ended(
        "labelmill-training",
        "DE-weee-training-2026-10-0f3a9c21d4e5",
        "FAILED",
        history,
        cause="Row 7 has no title.",
    )
    with pytest.raises(RunFailed) as failure:
        Follower(stack).until_ended({"DE-weee": "training"})
    assert str(failure.value) == (
        "labelmill-training: the run DE-weee-training-2026-10-0f3a9c21d4e5 has ended as FAILED: "
        "Row 7 has no title.\n"
        f"Its log: {stack.folder}/jobs/prepare-1/log.txt"
    )


@pytest.mark.parametrize(
    ("status", "history", "outcome", "sentence"),
    [
        ("FAILED", [], {"cause": "The group is not known.", "error": "RunFailed"}, "The group is not known."),
        ("FAILED", [task_failed("no such table")], {"cause": "no such table"}, "no such table"),
        ("TIMED_OUT", [], {"error": "States.Timeout"}, "States.Timeout"),
        ("ABORTED", [], {}, "it was stopped"),
    ],
)
def test_without_a_failed_job_the_log_is_the_record_of_the_run(status, history, outcome, sentence, stack):
    stack.ended("labelmill-training", "DE-weee-training-2026-10-0f3a9c21d4e5", status, *history, **outcome)
    with pytest.raises(RunFailed) as failure:
        Follower(stack).until_ended({"DE-weee": "training"})
    record = stack.folder / "executions/labelmill-training/DE-weee-training-2026-10-0f3a9c21d4e5.json"
    assert record.exists()
    assert str(failure.value).endswith(f"{sentence}\nIts log: {record}")


def test_the_record_of_an_execution_is_there_whole_or_not_at_all(stack, monkeypatch):
    def killed(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        stack.ended("labelmill-training", "run-1", "SUCCEEDED")
    assert not list(stack.folder.rglob("*.json"))
