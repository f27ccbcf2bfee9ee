"""How a new stack takes over what an earlier one has kept: by an import of its own, before the first change.

CloudFormation's own way, ImportExistingResources, wants names without functions and finds no key (its user
guide, "Import AWS resources into a CloudFormation stack automatically"). An import that names each resource
needs neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.deploy.cfn_yaml import load, refers
from infra.deploy.kept_data import IDENTIFIERS, KEPT, KEY, Kept
from pipelines.errors import Refused

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import ResourceToImportTypeDef
    from types_boto3_kms import KMSClient

POLL_SECONDS = 3


class KeptDataError(Refused):
    """What is kept cannot be used as it is; the message names it and the fix."""


def check_keys(found: list[Kept], kms: KMSClient) -> None:
    """Raise KeptDataError unless every key can be a stack's: a person's, not AWS's, and enabled."""
    for kept in found:
        if kept.kind == KEY:
            key = kms.describe_key(KeyId=kept.identifier)["KeyMetadata"]
            if key["KeyManager"] != "CUSTOMER" or key["KeyState"] != "Enabled":
                raise KeptDataError(
                    f"{kept.logical} of the data that is kept is {kept.identifier}, a key of "
                    f"{key['KeyManager']} that is {key['KeyState']}. Fix: enable the key that the data "
                    "is encrypted under (aws kms cancel-key-deletion, enable-key), or delete the data "
                    "(labelmill destroy --delete-data); then deploy again"
                )


def import_template(template: str, found: list[Kept]) -> dict[str, Any]:
    """The template that a stack begins with which takes over `found`: those resources and nothing else.

    CloudFormation changes nothing of what it takes over, and later only what differs from this template. So
    each resource has here what the whole template says, less what refers to something that is not there yet.
    """
    source = load(template)
    logical_names = {kept.logical for kept in found}
    names = {kept.logical: kept.identifier for kept in found if kept.kind != KEY}
    known = logical_names | {"Name"}
    resources = {}
    for logical in sorted(logical_names):
        resource = source["Resources"][logical]
        properties = dict(resource["Properties"])
        if identifier := names.get(logical):
            properties[IDENTIFIERS[resource["Type"]]] = identifier
        if "KeyPolicy" in properties:
            policy = properties["KeyPolicy"]
            statements = [statement for statement in policy["Statement"] if refers(statement) <= known]
            properties["KeyPolicy"] = policy | {"Statement": statements}
        resources[logical] = {
            "Type": resource["Type"],
            "DeletionPolicy": KEPT,
            "UpdateReplacePolicy": "Retain",
            "Properties": {name: value for name, value in properties.items() if refers(value) <= known},
        }
    return {"Parameters": {"Name": source["Parameters"]["Name"]}, "Resources": resources}


def to_import(found: list[Kept]) -> list[ResourceToImportTypeDef]:
    """`found` as CreateChangeSet wants it."""
    return [
        {
            "LogicalResourceId": kept.logical,
            "ResourceType": kept.kind,
            "ResourceIdentifier": {IDENTIFIERS[kept.kind]: kept.identifier},
        }
        for kept in found
    ]


def drifts(
    cloudformation: CloudFormationClient, stack: str, sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """What somebody has changed or deleted of the data that `stack` has just taken over, a sentence each.

    Nothing puts it back by itself: an update writes what differs between two templates, not from reality.
    Keys are left out: their policies named roles that are gone, and the next update writes them anew.
    """
    detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    while True:
        state = cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if state["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        sleep(POLL_SECONDS)
    sentences = []
    if (
        state["DetectionStatus"] == "DETECTION_FAILED"
    ):  # for one resource or more; of the others there are results
        sentences.append(
            f"not all that stack {stack} took over could be compared with the template: "
            f"{state.get('DetectionStatusReason', 'no reason given')}. Fix: resolve that, then look again "
            f"(aws cloudformation detect-stack-drift --stack-name {stack})"
        )
    found = cloudformation.describe_stack_resource_drifts(
        StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
    )["StackResourceDrifts"]
    for drift in found:
        name = drift["PhysicalResourceId"]
        if drift["StackResourceDriftStatus"] == "DELETED":  # which has no PropertyDifferences
            sentences.append(
                f"{name} was deleted meanwhile. Fix: `labelmill destroy` the stack (data stays), then deploy "
                "again, which makes it anew"
            )
        elif drift["ResourceType"] != KEY:
            sentences += [
                f"{name} was changed meanwhile: {difference['PropertyPath']} is "
                f"{difference['ActualValue']}. Fix: set it to {difference['ExpectedValue']} again"
                for difference in drift["PropertyDifferences"]
            ]
    return sentences
