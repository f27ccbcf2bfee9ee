"""What a deleted stack leaves behind on purpose: how it is found again, and how it is deleted too.

What is kept and its names are read from the templates. A key has no name: it is found by what it encrypts.
How a new stack takes it over: taking_over.py.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.deploy.cfn_yaml import load, refers
from pipelines.errors import Refused

if TYPE_CHECKING:
    import boto3
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

#: A key is deleted after this many days; until then that can be cancelled.
KEY_DAYS = 30
#: How often a bucket is emptied that is not empty when it is deleted, and how long in between. Access logs
#: may come hours late (S3 user guide, "Logging requests with server access logging"); not all are waited for.
ERASE_TRIES, ERASE_PAUSE_SECONDS = 10, 30
KEY = "AWS::KMS::Key"
KEPT = "RetainExceptOnCreate"
#: The property that identifies a resource, as its type's schema says (primaryIdentifier).
IDENTIFIERS = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    KEY: "KeyId",
}
GONE = {"NoSuchBucket", "ResourceNotFoundException", "RepositoryNotFoundException"}


@dataclass(frozen=True)
class Kept:
    """Something that is there: its logical name in the template, its type, and its name or key id."""

    logical: str
    kind: str
    identifier: str


@dataclass(frozen=True)
class Place:
    """Where to look: the environment's Name, its account and Region, and a boto3 session of both."""

    session: boto3.Session
    name: str
    account: str
    region: str


def find(template: str, place: Place) -> list[Kept]:
    """What of `template`'s kept resources exists, data first, then the keys that it is under.

    Raises:
        ClientError: somebody else owns a name, or the caller may not look.
    """
    resources = _kept(load(template))
    data: list[Kept] = []
    keys: dict[str, Kept] = {}
    for logical, resource in resources.items():
        if resource["Type"] == KEY:
            continue
        identifier = _text(resource["Properties"][IDENTIFIERS[resource["Type"]]], place)
        try:
            key_id = KEY_OF[resource["Type"]](place, identifier)
        except ClientError as error:
            if error.response["Error"]["Code"] not in GONE:
                raise
            continue
        data.append(Kept(logical, resource["Type"], identifier))
        for key in refers(resource["Properties"]) & resources.keys():
            if resources[key]["Type"] == KEY and key_id:
                keys[key] = Kept(key, KEY, key_id.rpartition("/")[2])
    return [*data, *keys.values()]


def _key_of_bucket(place: Place, name: str) -> str | None:
    found = place.session.client("s3").get_bucket_encryption(Bucket=name, ExpectedBucketOwner=place.account)
    [rule] = found["ServerSideEncryptionConfiguration"]["Rules"]
    return rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")


def _key_of_table(place: Place, name: str) -> str | None:
    table = place.session.client("dynamodb").describe_table(TableName=name)["Table"]
    return table.get("SSEDescription", {}).get("KMSMasterKeyArn")


def _key_of_repository(place: Place, name: str) -> str | None:
    [found] = place.session.client("ecr").describe_repositories(repositoryNames=[name])["repositories"]
    return found.get("encryptionConfiguration", {}).get("kmsKey")


KEY_OF = {
    "AWS::S3::Bucket": _key_of_bucket,
    "AWS::DynamoDB::Table": _key_of_table,
    "AWS::ECR::Repository": _key_of_repository,
}


def erase(found: list[Kept], session: boto3.Session) -> None:
    """Delete every object in all its versions, buckets, tables, repositories; the keys follow in KEY_DAYS.

    What cannot be deleted holds up nothing else: a key is found by what it encrypts, so once that is gone
    no later run would find it.

    Raises:
        Refused: a bucket does not stay empty.
        ClientError: AWS refuses.
    """
    failed = []
    for kept in found:
        try:
            ERASE[kept.kind](session, kept.identifier)
        except (ClientError, Refused) as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _erase_bucket(session: boto3.Session, name: str) -> None:
    s3 = session.client("s3")
    for _ in range(ERASE_TRIES):
        _empty_bucket(s3, name)
        try:
            s3.delete_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketNotEmpty":
                raise
            print(f"{name}: something has arrived meanwhile and is deleted too", flush=True)
            time.sleep(ERASE_PAUSE_SECONDS)
        else:
            return
    raise Refused(
        f"the bucket {name} gets new objects while it is emptied; access logs arrive up to hours late. "
        "Fix: run the same command again later; it goes on where it stopped"
    )


def _empty_bucket(s3: S3Client, name: str) -> None:
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=name, PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        versions = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        objects: list[ObjectIdentifierTypeDef] = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions
        ]
        if objects:
            s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})


def _erase_table(session: boto3.Session, name: str) -> None:
    dynamodb = session.client("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name)  # a table that is being changed is not deleted
    dynamodb.delete_table(TableName=name)


def _erase_repository(session: boto3.Session, name: str) -> None:
    session.client("ecr").delete_repository(repositoryName=name, force=True)


def _erase_key(session: boto3.Session, key_id: str) -> None:
    try:
        session.client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=KEY_DAYS)
    except ClientError as error:
        # As KMS answers for a key that is to be deleted already.
        if error.response["Error"]["Code"] != "KMSInvalidStateException":
            raise


ERASE = {
    "AWS::S3::Bucket": _erase_bucket,
    "AWS::DynamoDB::Table": _erase_table,
    "AWS::ECR::Repository": _erase_repository,
    KEY: _erase_key,
}


def _kept(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    resources = template["Resources"]
    return {name: resource for name, resource in resources.items() if resource.get("DeletionPolicy") == KEPT}


def _text(value: dict[str, str], place: Place) -> str:
    """A name of the template, `!Sub` of Name, account and Region, written out."""
    known = {"Name": place.name, "AWS::AccountId": place.account, "AWS::Region": place.region}
    return re.sub(r"\$\{([\w:]+)\}", lambda match: known[match[1]], value["Fn::Sub"])
