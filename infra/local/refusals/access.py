"""Rows that check roles and S3. role.py says how far a role's policies are evaluated."""

from infra.local.refusals.requests import (
    IMAGE,
    MODEL,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    TUNING,
    definitions,
    images,
)
from infra.local.refusals.row import Account, Request, refusal
from pipelines.names import split_address

SERVICE = "sagemaker.amazonaws.com"
PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def _roles(request: Request) -> list[str]:
    arns = [request.get("RoleArn"), request.get("ExecutionRoleArn")]
    arns += [one.get("RoleArn") for one in definitions(request)]
    return list(dict.fromkeys(arn for arn in arns if arn))


def _may(account: Account, arn: str, action: str, place: str, context: dict[str, str] | None = None) -> bool:
    role = account.role(arn)
    return role is not None and role.allows(action, place, context)


@refusal(
    TRAINING,
    TUNING,
    PROCESSING,
    MODEL,
    source="awslabs/predictive-maintenance-using-machine-learning issue 3",
    seen="2019-10",
)
def role_that_can_not_be_assumed(request: Request, account: Account) -> str | None:
    """The role is not there, or its trust policy does not name SageMaker."""
    for arn in _roles(request):
        role = account.role(arn)
        if role is None or not role.trusts(SERVICE):
            return f"The role {arn} can't be assumed: it must exist and let {SERVICE} assume it."
    return None


@refusal(
    TRAINING,
    PROCESSING,
    MODEL,
    source="aws/sagemaker-spark-container issue 158; aws/deep-learning-containers issue 5657",
    seen="2025-01 to 2026-02",
)
def image_that_can_not_be_pulled(request: Request, account: Account) -> str | None:
    """The role may not pull the image (reported for training jobs and models, assumed for processing)."""
    for arn in _roles(request):
        for found in filter(None, map(IMAGE.fullmatch, images(request))):
            place = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
            if not all(_may(account, arn, action, place) for action in PULL):
                return (
                    f"Access denied to the repository {found['repository']} in the registry "
                    f"{found['account']} for the role {arn}."
                )
    return None


@refusal(
    TRAINING,
    TRANSFORM,
    source="aws/amazon-sagemaker-examples issues 2489 and 2270",
    seen="2021-05",
)
def no_input(request: Request, account: Account) -> str | None:
    """There is no object under an input's address, or the role may not list it.

    A processing job is taken, and fails. A transform job's role is its model's.
    """
    model = account.record("model", request.get("ModelName", "")) or {}
    role = request.get("RoleArn") or model.get("ExecutionRoleArn")
    sources = [channel["DataSource"] for channel in request.get("InputDataConfig") or []]
    if "TransformInput" in request:
        sources.append(request["TransformInput"]["DataSource"])
    for uri in [source["S3DataSource"]["S3Uri"] for source in sources if "S3DataSource" in source]:
        bucket, prefix = split_address(uri)
        place = f"arn:aws:s3:::{bucket}"
        may = role is None or _may(account, role, "s3:ListBucket", place, {"s3:prefix": prefix})
        if not may or not account.has_objects(uri):
            return (
                f'No S3 objects found under the address "{uri}" of the input: the bucket must exist in '
                f'{account.region}, have objects there, and the role "{role}" needs s3:ListBucket on it.'
            )
    return None


@refusal(MODEL, source="aws-ia/ecs-blueprints issue 223", seen="2024-07")
def no_model_data(request: Request, account: Account) -> str | None:
    """A model's artefact is not there."""
    containers = [request.get("PrimaryContainer") or {}, *(request.get("Containers") or [])]
    for address in [one["ModelDataUrl"] for one in containers if one.get("ModelDataUrl")]:
        if not account.has_objects(address):
            return f"Could not find model data at {address}."
    return None
