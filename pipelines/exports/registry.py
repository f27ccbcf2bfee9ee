"""Models as packages of SageMaker's Model Registry: the winner approved, those it was preferred to rejected.

A package names image, artefact and environment that the model is served with here, read from SageMaker's own
record of it. https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipelines.exports import models
from pipelines.ledger.reading import GroupLedger

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

#: What Transform is sent, and answers.
CONTENT = ["application/jsonlines"]
#: How long a value of CustomerMetadataProperties may be.
LONGEST = 256


@dataclass
class Written:
    """What the registry lacked: so many packages, so many changes of status; models that SageMaker forgot."""

    packages: int = 0
    changes: int = 0
    gone: list[str] = field(default_factory=list)


def export(sagemaker: SageMakerClient, name: str, ledger: GroupLedger, now: datetime) -> Written:
    """Bring the model package group `name` up to date: a version for each model that was decided on.

    `sagemaker` is a boto3 client; `now` has a time zone. A package's description is the model's name, by
    which it is known again.
    """
    written = Written()
    known = _packages(sagemaker, name, ledger.group)
    decided = [model for model in ledger.models if models.last_decision(ledger, model)]
    # The winner last: whenever it is interrupted, no second package is approved.
    for model in sorted(
        decided, key=lambda model: (model == ledger.winner.get("model"), ledger.models[model]["trained_at"])
    ):
        facts = models.facts(ledger, model, now)
        if model not in known:
            described = _described(sagemaker, model)
            if described:
                sagemaker.create_model_package(**_package(name, model, facts, described))
                written.packages += 1
            else:
                written.gone.append(model)
        elif known[model]["ModelApprovalStatus"] != facts["approval"]:
            sagemaker.update_model_package(
                ModelPackageArn=known[model]["ModelPackageArn"],
                ModelApprovalStatus=facts["approval"],  # type: ignore[arg-type]  # one of models.py's three
                ApprovalDescription=facts["status"],
                CustomerMetadataProperties=_properties(facts),
            )
            written.changes += 1
    return written


def _packages(sagemaker: SageMakerClient, name: str, group: str) -> dict[str, Any]:
    """The packages that are there, by model; the package group is there after it."""
    pages = sagemaker.get_paginator("list_model_package_groups").paginate(NameContains=name)
    if name not in [
        one["ModelPackageGroupName"] for page in pages for one in page["ModelPackageGroupSummaryList"]
    ]:
        sagemaker.create_model_package_group(
            ModelPackageGroupName=name, ModelPackageGroupDescription=f"Models of {group}, by Labelmill"
        )
        return {}
    versions = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=name, ModelPackageType="Versioned"
    )
    found = [one for page in versions for one in page["ModelPackageSummaryList"]]
    return {one["ModelPackageDescription"]: one for one in found if "ModelPackageDescription" in one}


def _described(sagemaker: SageMakerClient, model: str) -> Any:
    """SageMaker's record of a model; None where it was deleted there."""
    try:
        return sagemaker.describe_model(ModelName=model)
    except ClientError as error:
        # The service's model names no error here; "Could not find model" comes as ValidationException.
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        return None


def _package(name: str, model: str, facts: dict[str, str], described: Any) -> dict[str, Any]:
    serving = described["PrimaryContainer"]
    container = {key: serving[key] for key in ("Image", "ModelDataUrl", "Environment") if key in serving}
    statistics = {"ContentType": "application/json", "S3Uri": facts.get("evidence", "")}
    measured = {"ModelMetrics": {"ModelQuality": {"Statistics": statistics}}} if "evidence" in facts else {}
    return {
        "ModelPackageGroupName": name,
        "ModelPackageDescription": model,
        "ModelApprovalStatus": facts["approval"],
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": CONTENT,
            "SupportedResponseMIMETypes": CONTENT,
        },
        "CustomerMetadataProperties": _properties(facts),
        # Asked twice at the same moment, SageMaker makes one.
        "ClientToken": model,
        **measured,
    }


def _properties(facts: dict[str, str]) -> dict[str, str]:
    return {f"labelmill:{name}": _allowed(value) for name, value in facts.items() if len(value) <= LONGEST}


def _allowed(value: str) -> str:
    """The value with a space for each character that the registry's pattern of values refuses."""
    return "".join(
        each if each in "_.:/=+-@" or unicodedata.category(each)[0] in "LNZ" else " " for each in value
    )
