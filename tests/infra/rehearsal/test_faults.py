"""What is said of a run under a fault that does not end as it must; all else: test_on_the_local_stack.py."""

import pytest
from botocore.exceptions import ClientError

from infra.rehearsal import faults
from infra.rehearsal.claims import Claim
from infra.rehearsal.history import History, Task
from infra.rehearsal.proofs import PROVEN, REFUSED, Seen

PREPARE = Task("Prepare", {"ProcessingJobName": "prepare-1"}, accepted=True)
NOTIFIED = Task("NotifyOperators", {}, done=True)
FAILED = {"status": "FAILED", "cause": "The job is Stopped"}
SUCCEEDED = {"status": "SUCCEEDED"}
MESSAGE = {"run": "run 1"}


class FakeRuns:
    """A stack whose runs end as `ends` says, one after the other; also its clients."""

    def __init__(self, *ends: dict, tasks=(PREPARE, NOTIFIED), told=MESSAGE):
        self.ends, self.tasks, self.told = list(ends), tasks, told
        self.stack, self.clock, self.calls = self, {"sleep": lambda seconds: None, "now": lambda: 0.0}, []
        self.names = {"LedgerTable": "ledger"}

    def client(self, service: str):
        return self

    def put_item(self, TableName: str, Item: dict, **conditions) -> None:
        self.calls.append("dismiss")

    def stop_processing_job(self, ProcessingJobName: str) -> None:
        self.calls.append(f"stop {ProcessingJobName}")

    def start_experiment(self, experimentTemplateId: str, clientToken: str) -> dict:
        self.calls.append("take keys")
        return {"experiment": {"id": "EXP1"}}

    def get_experiment(self, id: str) -> dict:
        self.calls.append("keys are back")
        return {"experiment": {"state": {"status": "completed"}}}

    def pause(self, seconds: float) -> None:
        self.calls.append("pause")

    def start(self, purpose: str, delivery: str, why: str) -> str:
        self.calls.append(f"start {purpose}")
        return f"arn:{why}"

    def describe(self, arn: str) -> dict:
        return self.ends[0]

    def end(self, arn: str, timeout_seconds: float) -> dict:
        return self.ends.pop(0)

    def history(self, arn: str) -> History:
        return History(arn, "FAILED", self.tasks)

    def message(self, arn: str) -> dict | None:
        return self.told


@pytest.fixture
def published(monkeypatch) -> list[dict]:
    """The manifests of what is published."""
    manifests = [{"run": "an earlier one"}]
    monkeypatch.setattr(faults.results, "published", lambda stack, group: manifests)
    return manifests


def test_the_job_is_stopped_and_the_run_started_again_after_it_has_failed(published):
    runs, seen = FakeRuns(FAILED, SUCCEEDED), Seen()
    faults.stop_job(runs, seen, "first-1", 60)
    told = "prepare-1 was stopped, and job stopped failed: The job is Stopped"
    assert seen.told[Claim.STOPPED_JOB] == (PROVEN, told)
    assert runs.calls == ["start inference", "stop prepare-1", "dismiss", "start inference"]


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        (FakeRuns(SUCCEEDED), "job stopped is SUCCEEDED, and should have failed"),
        (FakeRuns(FAILED, tasks=(PREPARE,)), "job stopped failed, and the operators were not told"),
        (FakeRuns(FAILED, told=None), "the failure queue was told nothing in 300 s"),
        (FakeRuns(FAILED, FAILED), "after a job stopped is FAILED after the fault: The job is Stopped"),
        (FakeRuns(FAILED, tasks=()), "job stopped was FAILED before it made a job"),
    ],
)
def test_a_run_that_ends_otherwise_than_it_must_is_a_refusal(runs, said, published):
    seen = Seen()
    faults.stop_job(runs, seen, "first-1", 60)
    verdict, evidence = seen.told[Claim.STOPPED_JOB]
    assert verdict == REFUSED and evidence.endswith(said)


def test_labels_of_a_run_that_failed_are_a_refusal(published):
    published.append({"run": "job stopped"})
    seen = Seen()
    faults.stop_job(FakeRuns(FAILED), seen, "first-1", 60)
    assert seen.told[Claim.STOPPED_JOB] == (
        REFUSED,
        "job stopped failed, and labels were published all the same",
    )


def test_keys_are_back_before_the_run_is_started_again(published):
    runs, seen = FakeRuns(FAILED, SUCCEEDED), Seen()
    faults.take_keys(runs, seen, "first-1", "EXT1", 60)
    assert seen.told[Claim.WITHOUT_KEYS] == (PROVEN, "without keys failed: The job is Stopped")
    assert runs.calls == [
        *("take keys", "pause", "start inference", "dismiss"),
        *("keys are back", "pause", "start inference"),
    ]


def test_keys_are_waited_for_also_where_the_run_did_not_fail(published):
    runs, seen = FakeRuns(SUCCEEDED), Seen()
    faults.take_keys(runs, seen, "first-1", "EXT1", 60)
    assert seen.told[Claim.WITHOUT_KEYS] == (REFUSED, "without keys is SUCCEEDED, and should have failed")
    assert runs.calls[-1] == "keys are back"


def test_an_experiment_that_may_not_be_started_is_a_refusal_and_ends_nothing_else(monkeypatch):
    def denied(*_, **__):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "StartExperiment")

    runs, seen = FakeRuns(), Seen()
    monkeypatch.setattr(runs, "start_experiment", denied)
    faults.take_keys(runs, seen, "first-1", "EXT1", 60)
    verdict, evidence = seen.told[Claim.WITHOUT_KEYS]
    assert verdict == REFUSED and "AccessDeniedException" in evidence
