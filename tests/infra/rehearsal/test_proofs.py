"""What histories prove; each is one that Step Functions' own model allows."""

import json
from datetime import UTC, datetime

import pytest

from infra.local.aws_models import broken_rules, service_model, wrong_types
from infra.rehearsal.claims import Claim
from infra.rehearsal.history import History, tasks
from infra.rehearsal.proofs import NOT_TRIED, PROVEN, REFUSED, Seen, all_is_well, proofs

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BUILT_IN = "You can't override the metric definitions for Amazon SageMaker algorithms"
VOLUME = {"ResourceConfig": {"VolumeKmsKeyId": "key"}}
JOB = {"Environment": {"A": "1"}, "RetryStrategy": {"MaximumRetryAttempts": 2}, **VOLUME}
SEARCH = {"HyperParameterTuningJobConfig": {}, "TrainingJobDefinition": JOB}
WARM = {**SEARCH, "WarmStartConfig": {}}
#: What the events after a request are, by how it ends.
ENDS = {
    "well": ["TaskSubmitted", "TaskSucceeded"],
    "refused": ["TaskSubmitFailed"],
    "failed later": ["TaskSubmitted", "TaskFailed"],
    "running": ["TaskSubmitted"],
}


def history(*states, run="DE-weee-training-2026-10-0a1b2c3d4e5f"):
    """An execution of `states`: each a name, a request, how it ended, and the cause."""
    events = []

    def add(kind, details_of, **details):
        names = {"timestamp": NOW, "type": kind, "id": len(events) + 1, "previousEventId": len(events)}
        events.append(names | {f"{details_of}EventDetails": details})

    for state, request, end, *cause in states:
        add("TaskStateEntered", "stateEntered", name=state)
        what = {"resourceType": "sagemaker", "resource": "any.sync"}
        add("TaskScheduled", "taskScheduled", **what, region="eu-central-1", parameters=json.dumps(request))
        for kind in ENDS[end]:
            words = {"error": "SageMaker.X", "cause": cause[0]} if kind.endswith("Failed") else {}
            add(kind, f"t{kind[1:]}", **what, **words)
    shape = service_model("stepfunctions").operation_model("GetExecutionHistory").output_shape
    assert not [*wrong_types({"events": events}, shape), *broken_rules({"events": events}, shape)]
    return History(run, "SUCCEEDED", tasks(events))


def told(problem="", others=(), **runs):
    seen = Seen({name.replace("_", " "): run for name, run in runs.items()}, dict(others), problem)
    return {proof.claim: (proof.verdict, proof.evidence) for proof in proofs(seen)}


FIRST = history(("Prepare", VOLUME, "well"), ("Tune", SEARCH, "well"), ("Train", JOB, "well"))
SECOND = history(("TuneWarm", WARM, "well"), run="second")
LABELS = history(("Transform", VOLUME, "well"), ("Publish", VOLUME, "well"), run="labels")


def test_what_was_accepted_is_proven():
    found = told(first_training=FIRST, second_training=SECOND, inference=LABELS)
    proven = {claim for claim, (verdict, _) in found.items() if verdict == PROVEN}
    assert proven == {Claim.TUNING, Claim.SETTINGS, Claim.VOLUME_KEY, Claim.WARM_START, Claim.JOIN}
    assert found[Claim.VOLUME_KEY][1] == (
        "accepted with the key: Prepare, Tune, Train, TuneWarm, Transform, Publish"
    )


def test_a_refusal_is_told_in_aws_words_and_what_comes_after_it_was_not_tried():
    first = history(("Prepare", VOLUME, "well"), ("Tune", SEARCH, "refused", BUILT_IN))
    found = told("first training: it is FAILED", first_training=first)
    assert found[Claim.TUNING] == (REFUSED, f"Tune of {first.run}: SageMaker.X: {BUILT_IN}")
    assert found[Claim.SETTINGS][0] == REFUSED  # the same request had both
    assert found[Claim.JOIN] == found[Claim.WARM_START] == (NOT_TRIED, "first training: it is FAILED")
    assert found[Claim.VOLUME_KEY] == (PROVEN, "accepted with the key: Prepare")


def test_a_request_that_was_accepted_and_failed_later_is_proven_and_that_is_told():
    found = told(first_training=history(("Tune", SEARCH, "failed later", "no trial succeeded")))
    assert found[Claim.TUNING][0] == PROVEN
    assert found[Claim.TUNING][1].endswith("it failed later: SageMaker.X: no trial succeeded")


def test_a_request_that_is_accepted_at_the_second_try_is_proven():
    first = history(("Tune", SEARCH, "refused", "Throttling"), ("Tune", SEARCH, "running"))
    assert told(first_training=first)[Claim.TUNING][0] == PROVEN


def test_a_warm_start_that_was_refused_is_not_made_good_by_the_cold_one():
    second = history(("TuneWarm", WARM, "refused", "parent"), ("Tune", SEARCH, "well"))
    found = told(first_training=FIRST, second_training=second)
    assert found[Claim.WARM_START][0] == REFUSED
    assert found[Claim.TUNING][0] == PROVEN


def test_one_role_that_may_not_name_the_key_is_a_refusal():
    first = history(
        ("Prepare", VOLUME, "well"),
        ("Featurize", VOLUME, "refused", "AccessDenied: explicit deny"),
    )
    assert told(first_training=first)[Claim.VOLUME_KEY][0] == REFUSED


def test_a_transform_whose_labels_could_not_be_published_does_not_join():
    labels = history(("Transform", VOLUME, "well"), ("Publish", VOLUME, "failed later", "3 items have none"))
    assert told(inference=labels)[Claim.JOIN] == (
        REFUSED,
        f"Publish of {labels.run}: SageMaker.X: 3 items have none",
    )


@pytest.mark.parametrize(
    ("changed", "well"),
    [
        ({}, True),
        ({Claim.UNLOAD: (NOT_TRIED, "no warehouse"), Claim.NO_ROWS: (NOT_TRIED, "no warehouse")}, True),
        ({Claim.WITHOUT_KEYS: (NOT_TRIED, "no experiment")}, True),
        ({Claim.STOPPED_JOB: (NOT_TRIED, "no run")}, False),
        ({Claim.EVENTS: (NOT_TRIED, "it had ended")}, False),
        ({Claim.NO_ROWS: (REFUSED, "a manifest")}, False),
    ],
)
def test_only_what_needs_a_warehouse_or_an_experiment_may_be_left_out(changed, well):
    seen = Seen(told=dict.fromkeys(Claim, (PROVEN, "seen")) | changed)
    assert all_is_well(seen, proofs(seen)) is well
    seen.problem = "second training: no end"
    assert not all_is_well(seen, proofs(seen))
