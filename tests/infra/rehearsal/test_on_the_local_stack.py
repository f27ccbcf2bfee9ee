"""The whole rehearsal on the local stack, with real jobs: "proven" is what its stand-ins take."""

import time
from datetime import UTC, datetime

import pytest

from infra.local.stack import LocalStack
from infra.local.warehouse_samples import load
from infra.rehearsal import run
from infra.rehearsal.claims import Claim
from infra.rehearsal.proofs import NOT_TRIED, PROVEN, all_is_well, proofs
from pipelines.failures import listing
from pipelines.failures.failure import Stack

UNLOADED = 50


def sleep(seconds: float) -> None:
    """Of the half minute that is between two looks on AWS."""
    time.sleep(seconds / 150)


def fast() -> float:
    """Seconds as they are counted on AWS, so that what never comes is not waited for as long."""
    return time.monotonic() * 10


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with LocalStack(tmp_path_factory.mktemp("stack")) as stack:
        load(stack, run.GROUP, run.PERIOD, 0, UNLOADED, labelled=False)
        yield stack
        stack.wait_until_quiet(timeout_seconds=60)


@pytest.fixture(scope="module")
def seen(stack):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "LABELLED_ROWS", 300)
        patch.setattr(run, "NEW_ROWS", 40)
        return run.rehearse(stack, "first", True, 1200, sleep=sleep, now=fast)


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


def test_what_the_warehouse_does_not_have_was_not_tried(stack, seen, monkeypatch):
    (stack.folder / "warehouse" / "new_items" / f"{run.GROUP}-{run.PERIOD}.parquet").unlink()
    load(stack, run.GROUP, "2026-09", 0, UNLOADED, labelled=False)
    monkeypatch.setattr(run._Rehearsal, "train_and_label", lambda self: None)
    seen = run.rehearse(stack, "second", True, 1200, sleep=sleep, now=fast)
    verdicts = {proof.claim: (proof.verdict, proof.evidence) for proof in proofs(seen)}
    assert verdicts[Claim.NO_ROWS][0] == PROVEN
    assert verdicts[Claim.UNLOAD] == (
        NOT_TRIED,
        "the warehouse has no items of DE-weee for 2026-10: add some to labelmill.new_items",
    )
    assert verdicts[Claim.TUNING] == (NOT_TRIED, "no run has come to it")
