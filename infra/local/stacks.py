"""Makes the stacks that AWS gets, from the same templates and the same code bundle."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import infra
from infra.deploy import bundle
from infra.deploy.image import AWS_ACCOUNTS
from infra.local.endpoint import ACCOUNT, REGION, Connection

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient

TEMPLATES = Path(infra.__file__).parent
WAREHOUSE_ARN = f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{uuid.UUID(int=0)}"


def create(connection: Connection, folder: Path, *, with_warehouse: bool) -> dict[str, str]:
    """Make the code bucket, upload the bundle, make the stack; return the outputs of both stacks by name."""
    cloudformation = connection.client("cloudformation")
    built = bundle.build(folder / "bundle")
    code = _create(
        cloudformation,
        "labelmill-code",
        TEMPLATES / "bootstrap.yaml",
        {"AwsImageAccount": AWS_ACCOUNTS[REGION]},
    )
    prefix = built.upload(connection.client("s3"), code["CodeBucket"])
    parameters = {
        "CodeBucket": code["CodeBucket"],
        "CodeKeyArn": code["CodeKeyArn"],
        "CodePrefix": prefix,
        "CodeDigest": built.digest,
        # No job looks into it: what stands for the image is this environment. The digest is nobody's.
        "ImageUri": f"{code['ImageRepositoryUri']}@sha256:{0:064x}",
        "WarehouseArn": WAREHOUSE_ARN if with_warehouse else "",
    }
    return code | _create(cloudformation, "labelmill", TEMPLATES / "template.yaml", parameters)


def _create(
    cloudformation: CloudFormationClient, name: str, template: Path, parameters: dict[str, str]
) -> dict[str, str]:
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=template.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
