"""A job for which SageMaker has no machine is made again; what failed otherwise is not."""

import pytest

from pipelines.plan.definitions import capacity_wait
from tests.pipelines.machines.definition_examples import (
    INPUTS,
    MONTH_ITEM,
    SUBSTITUTIONS,
    TRAINED_ITEM,
    WINNER,
    definition_of,
)
from tests.pipelines.machines.labelled_months import prepare

WAIT = capacity_wait("training")
#: As SageMaker says it (DIAGNijmegen/rse-grand-challenge issue 2631).
LACKING = {
    "FailureReason": "CapacityError: Unable to provision requested ML compute capacity. "
    "Please retry using a different ML instance type."
}
#: All that SageMaker says of a search without a model (aws/sagemaker-python-sdk's unit tests have the like).
NO_MODEL = {"FailureReason": "No training job succeeded after 5 attempts."}
FIRST, SECOND = SUBSTITUTIONS["TrainingInstanceType"], SUBSTITUTIONS["SecondTrainingInstanceType"]


@pytest.fixture
def cloud(cloud):
    """With a winner, and labels to amend."""
    prepare(cloud).put(WINNER, MONTH_ITEM)
    return cloud


def quota_retry(machine: str, state: str) -> dict:
    [retry] = [
        retry
        for retry in definition_of(machine)["States"][state].get("Retry", [])
        if retry["ErrorEquals"] == ["SageMaker.ResourceLimitExceededException"]
    ]
    return retry


def wait_for_quota(machine: str, state: str) -> float:
    """Seconds that a job waits in the mean for a quota that stays full: full jitter halves each delay."""
    retry = quota_retry(machine, state)
    delays = [retry["IntervalSeconds"] * retry["BackoffRate"] ** n for n in range(retry["MaxAttempts"])]
    return sum(min(delay, retry["MaxDelaySeconds"]) / 2 for delay in delays)


def types_of_trials(cloud) -> list[str]:
    return [
        search["TrainingJobDefinition"]["ResourceConfig"]["InstanceType"]
        for search in cloud.sagemaker.sent("CreateHyperParameterTuningJob")
    ]


@pytest.mark.parametrize(
    ("machine", "purpose", "operation", "tasks"),
    [
        ("training", "training", "CreateProcessingJob", ["Prepare"] * 3 + ["Featurize"]),
        ("training", "training", "CreateTrainingJob", ["Prepare", "Featurize"]),
        ("inference", "test", "CreateProcessingJob", ["Prepare"] * 3 + ["Publish"]),
        ("inference", "test", "CreateTransformJob", ["Prepare", "Publish"]),
        ("inference", "review", "CreateProcessingJob", ["Amend"] * 3),
        ("comparison", "comparison", "CreateProcessingJob", ["Compare"] * 3),
    ],
)
def test_a_job_without_a_machine_is_made_again_after_a_random_wait(machine, purpose, operation, tasks, cloud):
    cloud.sagemaker.plan(operation, LACKING, LACKING)
    run = cloud.run(machine, INPUTS[purpose])
    assert run.status == "SUCCEEDED", run.cause
    sent = cloud.sagemaker.sent(operation)
    assert len({request[f"{operation.removeprefix('Create')}Name"] for request in sent}) == len(
        sent
    )  # each under its own name
    assert [
        state for state in run.states if state in ("Prepare", "Featurize", "Publish", "Amend", "Compare")
    ] == (tasks)
    # AWS leaves the end out (Step Functions Developer Guide, States.MathRandom); moto does not.
    assert len(cloud.waits) == 2
    assert all(WAIT.shortest_seconds <= wait <= WAIT.longest_seconds for wait in cloud.waits)


def test_the_last_job_without_a_machine_is_made_again_and_not_those_before(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", None, LACKING)
    run = cloud.run("inference", INPUTS["test"])
    jobs = [state for state in run.states if state in ("Prepare", "Transform", "Publish")]
    assert (run.status, jobs) == ("SUCCEEDED", ["Prepare", "Transform", "Publish", "Publish"])


def test_a_run_that_has_waited_its_tries_fails_as_any_other(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", *[LACKING] * (WAIT.tries + 1))
    run = cloud.run("training", INPUTS["training"])
    assert (run.status, run.cause) == ("FAILED", LACKING["FailureReason"])
    assert len(cloud.waits) == WAIT.tries
    assert len(cloud.received("failures")) == 1


def test_a_job_that_failed_otherwise_is_not_waited_for(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", {"FailureReason": "AlgorithmError: exit code 1"})
    assert cloud.run("training", INPUTS["training"]).status == "FAILED"
    assert cloud.waits == []


def test_a_search_that_fails_is_made_once_more_on_other_machines(cloud):
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", NO_MODEL)
    assert cloud.run("training", INPUTS["training"]).status == "SUCCEEDED"
    assert types_of_trials(cloud) == [FIRST, SECOND]


def test_a_search_that_fails_on_both_kinds_of_machines_fails_the_run(cloud):
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", NO_MODEL, NO_MODEL)
    run = cloud.run("training", INPUTS["training"])
    assert (run.status, run.cause) == ("FAILED", NO_MODEL["FailureReason"])


@pytest.mark.parametrize("ledger", [(), (TRAINED_ITEM,)])
def test_a_search_whose_quota_stays_full_goes_straight_to_the_other_machines(ledger, cloud):
    cloud.put(*ledger)
    tries = 1 + quota_retry("training", "Tune")["MaxAttempts"]
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", *["ResourceLimitExceeded"] * tries)
    run = cloud.run("training", INPUTS["training"])
    assert run.status == "SUCCEEDED", run.cause
    assert types_of_trials(cloud) == [FIRST] * tries + [SECOND]


def test_a_quota_of_0_for_a_search_fails_the_run_with_what_sagemaker_said(cloud):
    cloud.put(TRAINED_ITEM)
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", *["ResourceLimitExceeded"] * 1000)
    run = cloud.run("training", INPUTS["training"])
    assert run.status == "FAILED" and "not now" in run.cause
    assert [state for state in run.states if state.startswith("Tune")] == ["TuneWarm", "Tune"]


@pytest.mark.parametrize(
    "refused", [("TuneWarm", "Tune"), ("TuneWarm", "Train"), ("Prepare",), ("Featurize",), ("Train",)]
)
def test_a_run_whose_quota_is_0_ends_with_a_sentence_before_it_is_cut_off(refused):
    """A run that is cut off (`TimeoutSeconds`) can catch nothing, so nobody is told why."""
    waits = sum(wait_for_quota("training", state) for state in refused)
    time_for_jobs = 8 * 3600
    assert waits + time_for_jobs < definition_of("training")["TimeoutSeconds"]
