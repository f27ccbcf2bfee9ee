"""Winners as approved packages of the Model Registry, others as rejected, whatever happened in between."""

import re
from datetime import UTC, datetime

import boto3

from pipelines.exports import registry
from pipelines.ledger import reading
from tests.pipelines.exports.conftest import GROUP, NEW, OLD, SERVED

PACKAGES = f"labelmill-{GROUP}"


def statuses(sagemaker) -> dict[str, str]:
    found = sagemaker.list_model_packages(ModelPackageGroupName=PACKAGES, ModelPackageType="Versioned")
    return {
        one["ModelPackageDescription"]: one["ModelApprovalStatus"] for one in found["ModelPackageSummaryList"]
    }


def described(sagemaker, model: str) -> dict:
    found = sagemaker.list_model_packages(ModelPackageGroupName=PACKAGES, ModelPackageType="Versioned")
    [arn] = [
        one["ModelPackageArn"]
        for one in found["ModelPackageSummaryList"]
        if one["ModelPackageDescription"] == model
    ]
    return sagemaker.describe_model_package(ModelPackageName=arn)


def test_the_winner_is_approved_and_whom_it_replaced_is_rejected(two_months, export):
    code, out, _ = export("registry")
    assert code == 0
    assert out == f"{PACKAGES}: 2 new packages, 0 with a new status\n"
    assert statuses(two_months.sagemaker) == {OLD: "Rejected", NEW: "Approved"}


def test_exported_once_more_nothing_changes(two_months, export):
    export("registry")
    assert export("registry", GROUP)[1] == f"{PACKAGES}: 0 new packages, 0 with a new status\n"
    assert len(statuses(two_months.sagemaker)) == 2


def test_after_a_rollback_the_earlier_winner_is_the_approved_one(two_months, export):
    export("registry")
    two_months.decide("2026-10-09T09:00:00.000Z", "ROLLBACK", OLD, NEW, f"{GROUP}-rollback-1")
    assert export("registry")[1] == f"{PACKAGES}: 0 new packages, 2 with a new status\n"
    assert statuses(two_months.sagemaker) == {OLD: "Approved", NEW: "Rejected"}


def test_what_a_package_says_is_in_the_characters_that_the_registry_takes(two_months, export):
    """An emulator takes any; the pattern is in botocore's model of the service."""
    export("registry")
    by = "Zoë O'Hara-Müller (arn:aws:sts::123456789012:assumed-role/a/b)"
    two_months.decide("2026-10-09T09:00:00.000Z", "ROLLBACK", OLD, NEW, f"{GROUP}-rollback-1", decided_by=by)
    pinned = {"pinned_until": "released", "pinned_by": by, "pinned_reason": "(why)"}
    two_months.record("WINNER", model=OLD, since="2026-10-09T09:00:00.000Z", **pinned)
    assert export("registry")[0] == 0
    shape = two_months.sagemaker.meta.service_model.shape_for("CustomerMetadataValue")
    allowed, *_ = re.findall(r"\[.*?(?<!\\)\]", shape.metadata["pattern"])
    for group, ours in ((r"\p{L}", r"\w"), (r"\p{Z}", " "), (r"\p{N}", "")):
        allowed = allowed.replace(group, ours)
    said = described(two_months.sagemaker, OLD)["CustomerMetadataProperties"]
    refused = {name: value for name, value in said.items() if not re.fullmatch(f"{allowed}+", value)}
    assert refused == {}
    assert said["labelmill:decided_by"].startswith(
        "Zoë O Hara-Müller  arn:aws:sts::123456789012:assumed-role"
    )


def test_no_second_package_is_approved_on_the_way(two_months, export):
    export("registry")
    two_months.decide("2026-10-09T09:00:00.000Z", "ROLLBACK", OLD, NEW, f"{GROUP}-rollback-1")
    ledger = reading.read(boto3.client("dynamodb"), two_months.table, GROUP)
    seen = []

    class Watched:
        def __getattr__(self, name):
            return getattr(two_months.sagemaker, name)

        def update_model_package(self, **words):
            two_months.sagemaker.update_model_package(**words)
            seen.append([*statuses(two_months.sagemaker).values()].count("Approved"))

    registry.export(Watched(), PACKAGES, ledger, datetime(2026, 10, 10, tzinfo=UTC))
    assert seen == [0, 1]


def test_a_model_that_is_undecided_is_pending_and_one_without_a_decision_has_no_package(two_months, export):
    later, latest = f"{GROUP}-2026-11-1a2b3c4d", f"{GROUP}-2026-12-1a2b3c4d"
    two_months.trained(later, "2026-11")
    two_months.trained(latest, "2026-12")
    run = f"{GROUP}-comparison-2026-11-0f3a9c21d4e5"
    two_months.decide("2026-11-02T09:00:00.000Z", "UNDECIDED", later, NEW, run)
    export("registry")
    assert statuses(two_months.sagemaker) == {
        OLD: "Rejected",
        NEW: "Approved",
        later: "PendingManualApproval",
    }


def test_a_package_names_what_serves_the_model_and_the_evidence_on_it(two_months, export):
    export("registry")
    package = described(two_months.sagemaker, NEW)
    [container] = package["InferenceSpecification"]["Containers"]
    artefact = f"s3://{two_months.bucket}/models/{GROUP}/{NEW}/model.tar.gz"
    assert container == {"Image": "image@sha256:1", "ModelDataUrl": artefact, "Environment": SERVED}
    run = two_months.evidence["2026-10"]["run"]
    statistics = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert statistics["S3Uri"] == f"s3://{two_months.bucket}/runs/{GROUP}/{run}/evidence/comparison.json"
    assert package["CustomerMetadataProperties"]["labelmill:verdict"] == "PROMOTE"


def test_a_model_that_sagemaker_has_forgotten_is_named_and_holds_nothing_up(two_months, export):
    two_months.sagemaker.delete_model(ModelName=OLD)
    code, out, _ = export("registry")
    assert code == 0
    assert f"  {OLD} is not in SageMaker any more: there is no package of it" in out
    assert statuses(two_months.sagemaker) == {NEW: "Approved"}


def test_an_unknown_group_is_refused(two_months, export):
    code, _, err = export("registry", "IT-weee")
    assert code == 1
    assert "IT-weee" in err
    assert "Fix: " in err
