"""The names of a deployed stack's buckets, table and queues, as CloudFormation gives them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import Refused

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackTypeDef

#: Parameters of infra/template.yaml; one of them names the warehouse where one is connected.
WAREHOUSES = ("WarehouseArn", "WarehouseClusterArn")


class StackError(Refused):
    """The stack is not there or not finished; the message says what to do."""


def outputs(stack_name: str, client: CloudFormationClient) -> dict[str, str]:
    """The outputs of the CloudFormation stack `stack_name` by name, such as `WorkBucket`.

    `client` is a boto3 CloudFormation client. Raises StackError when the stack is missing or unfinished.
    """
    return by_name(described(stack_name, client))


def described(stack_name: str, client: CloudFormationClient) -> StackTypeDef:
    """The same stack as CloudFormation describes it; it has outputs. Raises StackError."""
    from botocore.exceptions import ClientError

    try:
        stack = client.describe_stacks(StackName=stack_name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise StackError(
            f"there is no stack {stack_name!r} in {client.meta.region_name} at {client.meta.endpoint_url}. "
            "Fix: deploy it, or name the right one with --stack, --profile (or AWS_PROFILE), AWS_REGION"
        ) from error
    if not stack.get("Outputs"):
        raise StackError(
            f"stack {stack_name!r} has no outputs and is {stack['StackStatus']}. Fix: finish its deployment"
        )
    return stack


def by_name(stack: StackTypeDef) -> dict[str, str]:
    """A described stack's outputs by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def has_warehouse(stack: StackTypeDef) -> bool:
    """Whether datasets are ordered from a warehouse: a parameter of the template names it."""
    return any(
        parameter.get("ParameterKey") in WAREHOUSES and parameter.get("ParameterValue")
        for parameter in stack.get("Parameters", ())
    )
