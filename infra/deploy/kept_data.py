"""What a deleted stack leaves behind on purpose, and how to delete that too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

#: A key is deleted after this many days; until then that can be cancelled.
KEY_DAYS = 30


@dataclass(frozen=True)
class Data:
    """Names of the buckets and tables, ids of the keys, in the order in which they may be deleted."""

    buckets: tuple[str, ...]
    tables: tuple[str, ...]
    keys: tuple[str, ...]


def data_of(cloudformation: CloudFormationClient, *stacks: str) -> Data:
    """The data in existing stacks."""
    found: dict[str, list[str]] = {"AWS::S3::Bucket": [], "AWS::DynamoDB::Table": [], "AWS::KMS::Key": []}
    for stack in stacks:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
            if resource["ResourceType"] in found and "PhysicalResourceId" in resource:
                found[resource["ResourceType"]].append(resource["PhysicalResourceId"])
    return Data(*(tuple(names) for names in found.values()))


def erase(data: Data, s3: S3Client, dynamodb: DynamoDBClient, kms: KMSClient) -> None:
    """Delete every version of every object, the buckets and the tables; the keys follow in KEY_DAYS days."""
    for bucket in data.buckets:
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 1000}
        )
        for page in pages:
            versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions
            ]
            if objects:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        s3.delete_bucket(Bucket=bucket)
    for table in data.tables:
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=table)
    for key in data.keys:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=KEY_DAYS)
