"""Codebooks as a group's current one: publishing a file, and reading what is published."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import names
from pipelines.codebooks import crosswalk
from pipelines.codebooks.check import Problem
from pipelines.codebooks.read import CodebookError, checked, parse, read
from pipelines.ledger import keys, reading
from processing.codes.codebook import scheme_of
from processing.policy import TRIALS_AT_ONCE, Policy

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

#: Stands where reviewers' decisions will: Prepare is given that folder, and SageMaker refuses an empty one.
REVIEWED = b"Decisions of reviewers, one folder for each imported sheet. They are training rows, too.\n"
#: The same for the rows of groups that share by a list: Featurize is given that folder.
SHARED = b"Training rows of groups that share by this list, one folder for each group.\n"
#: The same for the texts that a group's training runs have seen: Prepare is given that folder, too.
TEXTS = b"Texts of the group's labelled rows, one file for each training run that saw some first.\n"


@dataclass(frozen=True)
class PublishedCodebook:
    """A codebook as it is published: `uri` and `digest` (SHA-256, hex) name exactly these bytes.

    `replaces` is the version that was current before, empty for a group's first codebook. `changed` is false
    when the very same codebook and policy were current already. `older` is true when the version comes before
    the one it replaces, numbers in them compared as numbers. `retired_at` is empty unless the group is
    retired, which publishing does not change. `learned_from_it` are groups that from now on learn without
    its rows, which it has stopped sharing; none where it shares as before. `cut_off` are sentences on codes
    of other groups that learn nothing, or soon nothing, from this one's: their `same_as` names ended ones.
    """

    group: str
    version: str
    uri: str
    digest: str
    published_at: str
    replaces: str
    changed: bool
    retired_at: str
    learned_from_it: list[str]
    cut_off: list[str]

    @property
    def older(self) -> bool:
        return bool(self.replaces) and _order(self.version) < _order(self.replaces)


def content(codebook: dict[str, Any]) -> bytes:
    """The bytes that are published: all but the policy, in one canonical form, whatever the layout was.

    The policy is kept in the ledger alone: it may change without a new version of the codes.
    """
    published = {name: value for name, value in codebook.items() if name != "policy"}
    return json.dumps(published, ensure_ascii=False, indent=2, sort_keys=True).encode() + b"\n"


def publish(
    codebook: str | Path | dict[str, Any],
    *,
    s3: S3Client,
    dynamodb: DynamoDBClient,
    work_bucket: str,
    table: str,
    policy: dict[str, Any] | None = None,
    now: datetime,
) -> PublishedCodebook:
    """Make a codebook the current one of its model group; with the first one the group becomes known.

    `codebook` is a file's path or the parsed JSON; `s3` and `dynamodb` are boto3 clients; `policy` replaces
    the one in the codebook; `now` is a time with a zone. The object `codebooks/{group}/{version}.json` is
    written once and never changed: publishing the same again is harmless.

    Raises:
        CodebookError: the codebook is not good, names codes of other groups that cannot be learned from,
            other content is published under its version already, or somebody else publishes for the group at
            the same moment.
    """
    if isinstance(codebook, dict):
        file = f"codebook {codebook.get('group', '')} {codebook.get('version', '')}".rstrip()
    else:
        file, codebook = str(codebook), read(codebook)
    codebook = checked(codebook if policy is None else {**codebook, "policy": policy}, file)
    lenders = {group: _published(group, s3, dynamodb, table) for group in crosswalk.lenders(codebook)}
    if found := crosswalk.problems(codebook, lenders, f"{now:%Y-%m}", file):
        raise CodebookError(*found)
    group, version, body = codebook["group"], codebook["version"], content(codebook)
    key, digest = names.CODEBOOK.format(group=group, version=version), hashlib.sha256(body).hexdigest()
    _put_once(s3, work_bucket, key, body, file)
    settings = training_settings(codebook)
    for folder, note in (
        (names.REVIEWED.format(group=group), REVIEWED),
        (names.TEXTS.format(group=group), TEXTS),
        (names.SHARED.format(list=settings["share_by"]), SHARED),
    ):
        s3.put_object(Bucket=work_bucket, Key=f"{folder}about.txt", Body=note)

    item = {
        "group": group,
        "entry": keys.GROUP,
        "codebook_uri": names.address(work_bucket, key),
        "codebook_version": version,
        "codebook_digest": digest,
        "policy": json.dumps(codebook.get("policy", {}), ensure_ascii=False, sort_keys=True),
        **settings,
        "published_at": now.isoformat(timespec="seconds"),
    }
    current = current_codebook(group, dynamodb=dynamodb, table=table)
    losing = _stop_sharing(s3, work_bucket, group, current.get("share_by"), settings["share_by"])
    if current.get("share_by") == scheme_of(group):  # by the scheme, a codebook says from whom it learns
        books = {other: _published(other, s3, dynamodb, table) for other in losing}
        losing = [other for other, book in books.items() if book and group in crosswalk.lenders(book)]
    changed = any(current.get(name) != item[name] for name in item.keys() - {"published_at"})
    if changed:
        _replace(current, item, dynamodb, table, file)
    borrowers: list[dict[str, Any]] = []
    if settings["share_by"] == scheme_of(group):
        sharing = _sharing(s3, work_bucket, settings["share_by"])
        found_books = (_published(other, s3, dynamodb, table) for other in sharing if other != group)
        borrowers = [book for book in found_books if book is not None]
    return PublishedCodebook(
        group=group,
        version=version,
        uri=item["codebook_uri"],
        digest=digest,
        published_at=item["published_at"] if changed else current["published_at"],
        replaces=current.get("codebook_version", ""),
        changed=changed,
        retired_at=current.get("retired_at", ""),
        learned_from_it=losing,
        cut_off=crosswalk.cut_off(codebook, borrowers),
    )


def _replace(
    current: dict[str, str], item: dict[str, str], dynamodb: DynamoDBClient, table: str, file: str
) -> None:
    """Write the group's item over `current`, if that is what still stands there.

    What others write into it, that the group is retired, stays as it is.
    """
    key = {name: {"S": item[name]} for name in ("group", "entry")}
    new = {name: value for name, value in item.items() if name not in key}
    seen = {name: current[name] for name in ("codebook_version", "published_at") if current}
    condition = " AND ".join(f"#{name} = :seen_{name}" for name in seen) or "attribute_not_exists(entry)"
    values = new | {f"seen_{name}": value for name, value in seen.items()}
    try:
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in new),
            ConditionExpression=condition,
            ExpressionAttributeNames={f"#{name}": name for name in new},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        before = current.get("codebook_version", "none")
        message = f"somebody else has just published for {item['group']}, in place of {before}"
        fix = f"look at it (labelmill codebook show {item['group']}), then publish again"
        raise CodebookError(Problem(file, "version", message, fix)) from error


def _order(version: str) -> list[str | int]:
    """A key to sort versions by: 2026-9 before 2026-11, 2026-11 before 2026-11.1."""
    return [int(part) if part.isdigit() else part for part in re.split("([0-9]+)", version)]


def training_settings(codebook: dict[str, Any]) -> dict[str, str]:
    """What codebook and policy ask of a training, in the form its state machine passes on.

    Returns:
        `families`: JSON list of candidates to try; trees are worth it only where items have attributes.
        `hyperparameters`: JSON object of the final training's own hyperparameters; text values. A precision
        of 0 leaves the thresholds to the model, so to the default.
        `search_limits`: JSON object, as SageMaker takes it. What it says to more trials at a time than there
        are in all is documented nowhere, so that is not asked for.
        `share_by`: the list of references by which rows are shared, the scheme for `same_as`, or `none`.
    """
    policy = Policy.parse(json.dumps(codebook.get("policy", {})))
    return {
        "families": json.dumps(["linear", "boosted"] if codebook["attributes"] else ["linear"]),
        "hyperparameters": json.dumps(
            {
                "promise": policy.promise,
                "precision": str(policy.precision or Policy.precision),
                "code_precision": str(policy.code_precision),
            }
        ),
        "search_limits": json.dumps(
            {
                "MaxNumberOfTrainingJobs": policy.trials,
                "MaxParallelTrainingJobs": min(TRIALS_AT_ONCE, policy.trials),
            }
        ),
        "share_by": policy.share_by,
    }


def _stop_sharing(s3: S3Client, bucket: str, group: str, before: str | None, now: str) -> list[str]:
    """Take back the rows that the group shared by another list until now, older versions of them, too.

    Returns:
        The groups that could learn from them: those with rows by the same list.
    """
    if not before or before == now:
        return []
    own = names.SHARED_ROWS.format(list=before, group=group)
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=own):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    return [other for other in _sharing(s3, bucket, before) if other != group]


def _sharing(s3: S3Client, bucket: str, share_by: str) -> list[str]:
    """The groups that have rows by a list."""
    shared = names.SHARED.format(list=share_by)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=shared, Delimiter="/")
    folders = [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]
    return sorted(folder.removeprefix(shared).rstrip("/") for folder in folders)


def current_codebook(group: str, *, dynamodb: DynamoDBClient, table: str) -> dict[str, str]:
    """The ledger's item GROUP of `group`, empty when nothing was published for it."""
    key = {"group": {"S": group}, "entry": {"S": keys.GROUP}}
    item = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})
    return {name: value["S"] for name, value in item.items()}


def published(group: str, *, s3: S3Client, dynamodb: DynamoDBClient, table: str) -> dict[str, Any]:
    """The current published codebook of `group`.

    Raises LedgerError where there is none, CodebookError where it is not what was recorded.
    """
    found = _published(group, s3, dynamodb, table)
    if found is None:
        raise reading.not_known(dynamodb, table, group)
    return found


def _published(group: str, s3: S3Client, dynamodb: DynamoDBClient, table: str) -> dict[str, Any] | None:
    """The same; None where there is none."""
    item = current_codebook(group, dynamodb=dynamodb, table=table)
    if not item:
        return None
    bucket, key = names.split_address(item["codebook_uri"])
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if hashlib.sha256(body).hexdigest() != item["codebook_digest"]:
        fix = "restore the object's first version, a published codebook never changes"
        raise CodebookError(Problem(item["codebook_uri"], "the file", "its digest is not the ledger's", fix))
    return parse(body.decode(), item["codebook_uri"], json.loads(item["policy"]))


def _put_once(s3: S3Client, bucket: str, key: str, body: bytes, file: str) -> None:
    from botocore.exceptions import ClientError

    try:
        s3.put_object(
            Bucket=bucket, Key=key, Body=body, IfNoneMatch="*", ContentType="application/json; charset=utf-8"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        if s3.get_object(Bucket=bucket, Key=key)["Body"].read() != body:
            message = f"{names.address(bucket, key)} is published already, with other content"
            fix = "give the changed codebook a new version, a published one never changes"
            raise CodebookError(Problem(file, "version", message, fix)) from error
