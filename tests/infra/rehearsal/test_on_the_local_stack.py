"""The whole rehearsal on the local stack, with real jobs: "proven" is what its stand-ins take."""

import json
import time
from datetime import UTC, datetime

import pytest

from infra.local.stack import LocalStack
from infra.local.warehouse_samples import load
from infra.rehearsal import faults, run, runs
from infra.rehearsal.claims import Claim
from infra.rehearsal.proofs import NOT_TRIED, PROVEN, all_is_well, proofs
from pipelines.failures import listing
from pipelines.failures.failure import Stack
from pipelines.names import run_name
from tests.infra.rehearsal.faulty_worker import DELIVERY, NO_KEYS, NO_KEYS_FILE, SLOW_RUN

UNLOADED = 50
WORKER = ("--worker", "tests.infra.rehearsal.faulty_worker:FaultyWorker")


def sleep(seconds: float) -> None:
    """Of the half minute that is between two looks on AWS."""
    time.sleep(seconds / 150)


def fast() -> float:
    """Seconds as they are counted on AWS, so that what never comes is not waited for as long."""
    return time.monotonic() * 10


class WithFaults:
    """The local stack with an AWS FIS whose experiment takes the jobs their keys.

    The local stack refuses no call while it runs, so that the policy which the delivery's experiment attaches
    denies a role its keys is asked of a policy engine instead (test_delivery_permissions.py).
    """

    def __init__(self, stack: LocalStack):
        self.stack, self.names, self.flag = stack, stack.names, stack.folder / NO_KEYS_FILE

    def client(self, service: str):
        return self if service == "fis" else self.stack.client(service)

    def start_experiment(self, experimentTemplateId: str, clientToken: str) -> dict:
        self.flag.touch()
        return {"experiment": {"id": experimentTemplateId}}

    def get_experiment(self, id: str) -> dict:
        self.flag.unlink()
        return {"experiment": {"state": {"status": "completed"}}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with LocalStack(tmp_path_factory.mktemp("stack"), options=WORKER) as stack:
        load(stack, runs.GROUP, runs.PERIOD, 0, UNLOADED, labelled=False)
        yield stack
        stack.wait_until_quiet(timeout_seconds=60)


@pytest.fixture(scope="module")
def seen(stack):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "LABELLED_ROWS", 300)
        patch.setattr(run, "NEW_ROWS", 40)
        under = WithFaults(stack)
        return run.rehearse(under, DELIVERY, True, 1200, without_keys="EXT1", sleep=sleep, now=fast)


def test_every_claim_is_proven_by_something_that_was_seen(seen):
    told = proofs(seen)
    assert [proof.claim for proof in told] == list(Claim)
    assert {proof.claim.name: proof.verdict for proof in told} == dict.fromkeys(Claim.__members__, PROVEN)
    assert all(proof.evidence for proof in told)
    assert all_is_well(seen, told)


def test_of_what_it_caused_nothing_is_left_in_the_failure_queue_or_the_list(stack, seen):
    attributes = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.names["FailureQueueUrl"], AttributeNames=["All"]
    )["Attributes"]
    assert int(attributes["ApproximateNumberOfMessages"]) == 0
    with listing.opened(Stack(stack.names, stack.client), datetime.now(UTC)) as failures:
        assert failures == []


def test_each_fault_failed_one_run_which_said_why_and_the_run_after_it_published(stack, seen):
    assert f"{SLOW_RUN} failed: The job is Stopped" in seen.told[Claim.STOPPED_JOB][1]
    assert seen.told[Claim.WITHOUT_KEYS][1].endswith(f" failed: {NO_KEYS}")
    for why, status in (
        ("job stopped", "FAILED"),
        ("after a job stopped", "SUCCEEDED"),
        ("without keys", "FAILED"),
        ("with keys again", "SUCCEEDED"),
    ):
        name = run_name(runs.GROUP, "inference", runs.PERIOD, why, f"{DELIVERY}-1")
        [record] = (stack.folder / "executions").glob(f"*/{name}.json")
        assert json.loads(record.read_text())["status"] == status


def test_what_the_warehouse_does_not_have_was_not_tried(stack, seen, monkeypatch):
    (stack.folder / "warehouse" / "new_items" / f"{runs.GROUP}-{runs.PERIOD}.parquet").unlink()
    load(stack, runs.GROUP, "2026-09", 0, UNLOADED, labelled=False)
    monkeypatch.setattr(run._Rehearsal, "train_and_label", lambda self: None)
    monkeypatch.setattr(faults, "stop_job", lambda *_: None)
    seen = run.rehearse(stack, "second", True, 1200, sleep=sleep, now=fast)
    verdicts = {proof.claim: (proof.verdict, proof.evidence) for proof in proofs(seen)}
    assert verdicts[Claim.NO_ROWS][0] == PROVEN
    assert verdicts[Claim.UNLOAD] == (
        NOT_TRIED,
        "the warehouse has no items of DE-weee for 2026-10: add some to labelmill.new_items",
    )
    assert verdicts[Claim.TUNING] == (NOT_TRIED, "no run has come to it")
    assert verdicts[Claim.WITHOUT_KEYS][0] == NOT_TRIED
