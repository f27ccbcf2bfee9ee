"""What is not what was recorded stops a run before anything is believed, and is counted for an alarm."""

from datetime import UTC, datetime, timedelta

import pytest

from processing.errors import NOT_AS_RECORDED
from tests.pipelines.machines.conftest import client
from tests.pipelines.machines.definition_examples import (
    ARTEFACT,
    ARTEFACT_DIGEST,
    GROUP,
    INPUTS,
    MACHINES,
    MODEL,
    MODEL_ITEM,
    MONTH_ITEM,
    OLD_MODEL_ITEM,
    SUBSTITUTIONS,
    WINNER,
    artefact_of,
)
from tests.pipelines.machines.labelled_months import prepare

TEST = INPUTS["test"]


@pytest.fixture
def cloud(cloud):
    """With all that a run of any machine needs."""
    return prepare(cloud, INPUTS["training"])


def swap(cloud, **how: str) -> None:
    cloud.s3.put_object(**artefact_of(MODEL), Body=b"a model that says what I like", **how)


def counted() -> float:
    """How many files were not what was recorded, as CloudWatch has it."""
    now = datetime.now(UTC)
    answer = client("cloudwatch").get_metric_statistics(
        Namespace="Labelmill",
        MetricName="Tampered",
        Dimensions=[{"Name": "Stack", "Value": SUBSTITUTIONS["Name"]}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_the_artefact_that_is_used_is_the_one_whose_digest_s3_made_and_the_ledger_has(cloud):
    run = cloud.run("training", INPUTS["training"])
    assert run.status == "SUCCEEDED", run.cause
    [model] = cloud.sagemaker.sent("CreateModel")
    [record] = (item for item in cloud.items("MODEL#") if item["entry"].endswith(model["ModelName"]))
    assert record["artefact_digest"] == ARTEFACT_DIGEST
    assert model["PrimaryContainer"]["ModelDataUrl"] == record["artefact"]
    kept = cloud.s3.get_object(**artefact_of(model["ModelName"]), ChecksumMode="ENABLED")
    assert (kept["Body"].read(), kept["ChecksumSHA256"]) == (ARTEFACT, ARTEFACT_DIGEST)


@pytest.mark.parametrize("how", [{}, {"ChecksumAlgorithm": "SHA256"}])
def test_an_artefact_that_was_swapped_labels_nothing(cloud, how):
    swap(cloud, **how)
    run = cloud.run("inference", TEST)
    assert run.status == "FAILED"
    assert f"The artefact of model {MODEL} {NOT_AS_RECORDED}: the object models/{GROUP}/{MODEL}/" in run.cause
    assert f"has not the SHA-256 {ARTEFACT_DIGEST} (Base64). Fix: restore that version" in run.cause
    assert cloud.sagemaker.sent("CreateTransformJob") == []
    assert cloud.received("failures")[0]["error"] == "ArtefactChanged"
    assert counted() == 1


def test_what_a_swapped_artefact_has_labelled_is_not_published(cloud):
    def during_transform():
        if cloud.sagemaker.requests[-1][0] == "CreateTransformJob":
            swap(cloud)

    cloud.sagemaker.on_wait = during_transform
    run = cloud.run("inference", TEST)
    assert (run.status, run.states[-1]) == ("FAILED", "Failed")
    assert "Publish" not in run.states
    assert cloud.items("PREDICTIONS#") == []


def test_a_version_of_the_artefact_that_was_restored_is_used_again(cloud):
    swap(cloud)
    cloud.s3.put_object(**artefact_of(MODEL), Body=ARTEFACT, ChecksumAlgorithm="SHA256")
    assert cloud.run("inference", TEST).status == "SUCCEEDED"


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("said", "count"), [(NOT_AS_RECORDED, 1), ("has no title", 0)])
def test_a_job_that_finds_a_file_changed_is_counted_and_fails_as_any_other(cloud, machine, said, count):
    cloud.put(MODEL_ITEM, OLD_MODEL_ITEM)
    sentence = f'The codebook "2026-10.json" {said}. Fix: restore it.'
    cloud.sagemaker.plan("CreateProcessingJob", {"ExitMessage": sentence})
    run = cloud.run(machine, INPUTS["test" if machine == "inference" else machine])
    assert (run.status, run.cause) == ("FAILED", sentence)
    assert len(cloud.received("failures")) == len(cloud.received("Operators")) == 1
    assert counted() == count


def test_a_failure_that_cannot_be_counted_is_still_told_and_kept(cloud):
    swap(cloud)
    cloudwatch = client("cloudwatch").meta.events

    def refuse(**_):
        raise ConnectionError("no answer")

    cloudwatch.register("before-call.cloudwatch.PutMetricData", refuse)
    try:
        run = cloud.run("inference", TEST)
    finally:
        cloudwatch.unregister("before-call.cloudwatch.PutMetricData", refuse)
    assert NOT_AS_RECORDED in run.cause
    assert len(cloud.received("failures")) == len(cloud.received("Operators")) == 1


def given(cloud, script: str) -> dict[str, str]:
    """The arguments of the last job that ran a script, by name."""
    request = cloud.sagemaker.sent("CreateProcessingJob")[-1]
    assert request["AppSpecification"]["ContainerEntrypoint"][-1] == script
    words = request["AppSpecification"]["ContainerArguments"]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_jobs_are_given_the_digests_of_the_labels_they_go_on_from(cloud):
    september = {"entry": {"S": "MONTH#2026-09"}, "digest": {"S": "0e" * 32}}
    cloud.put(WINNER, MONTH_ITEM, MONTH_ITEM | september)
    cloud.run("inference", INPUTS["inference"])
    publish = given(cloud, "processing.publish")
    assert publish["--earlier-digest"] == "0e" * 32
    assert publish["--replaced-digest"] == MONTH_ITEM["digest"]["S"]
    cloud.run("inference", INPUTS["review"])
    assert given(cloud, "processing.amend")["--labels-digest"] == "3a" * 32


def test_the_first_month_has_no_labels_to_go_on_from(cloud):
    cloud.put(WINNER)
    cloud.run("inference", INPUTS["inference"])
    publish = given(cloud, "processing.publish")
    assert publish["--earlier-digest"] == publish["--replaced-digest"] == ""


@pytest.mark.parametrize(
    ("given_to", "kinds"), [("inference", ("MONTH#", "LABELS#")), ("test", ("PREDICTIONS#",))]
)
def test_the_ledger_knows_what_is_published_by_the_digest_of_its_manifest(cloud, given_to, kinds):
    cloud.put(WINNER)
    cloud.run("inference", INPUTS[given_to])
    assert [item["digest"] for kind in kinds for item in cloud.items(kind)] == ["3a" * 32] * len(kinds)


def test_a_comparison_is_given_the_digests_of_both_models_labels(cloud):
    cloud.put(MODEL_ITEM, OLD_MODEL_ITEM)
    cloud.run("comparison", INPUTS["comparison"])
    compare = given(cloud, "processing.compare")
    assert (compare["--challenger-digest"], compare["--winner-digest"]) == ("a1" * 32, "a2" * 32)
