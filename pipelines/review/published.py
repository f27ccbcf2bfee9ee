"""A month's labels as published, the items they are of, the rows behind them: what a review starts from.

Clients are boto3's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import names
from pipelines.codebooks import publish
from pipelines.errors import Refused, check
from pipelines.evidence import training_rows
from pipelines.ledger import keys, reading
from processing.codes.codebook import Codebook
from processing.codes.codebook import parse as parse_codebook
from processing.labels.label_table import complete
from processing.labels.published import LATER
from processing.policy import Policy
from processing.words import counted

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_stepfunctions import SFNClient


class ReviewError(Refused):
    """A review that cannot go on; the message says what is wrong, where, and the fix."""


@dataclass(frozen=True)
class Places:
    """The clients and names that a review needs."""

    s3: S3Client
    dynamodb: DynamoDBClient
    states: SFNClient
    table: str
    work_bucket: str
    machine_arn: str

    @classmethod
    def of(cls, client: Callable[..., Any], names: Mapping[str, str]) -> Places:
        """Those of a stack: `client` makes a boto3 client by service, `names` are the stack's outputs."""
        return cls(
            s3=client("s3"),
            dynamodb=client("dynamodb"),
            states=client("stepfunctions"),
            table=names["LedgerTable"],
            work_bucket=names["WorkBucket"],
            machine_arn=names["InferenceMachineArn"],
        )


@dataclass(frozen=True)
class Output:
    """One published version of a month's labels: its address (a folder), its manifest, its rows."""

    address: str
    manifest: dict[str, Any]
    labels: pa.Table

    @property
    def runs(self) -> list[str]:
        """The runs that made it: the one that labelled the items, then those that amended its labels."""
        return [*self.manifest.get("amended_runs", []), self.manifest["run"]]


def published(places: Places, group: str, period: str, run: str | None = None) -> Output:
    """The labels that are a month's, or those of one run.

    Raises ReviewError; LedgerError where the group is not known.
    """
    entry = keys.LABELS.format(period=period, run=run) if run else keys.MONTH.format(period=period)
    found = places.dynamodb.get_item(
        TableName=places.table, Key={"group": {"S": group}, "entry": {"S": entry}}, ConsistentRead=True
    ).get("Item")
    if not found:
        reading.check_known(places.dynamodb, places.table, group)
        of_run = f" by run {run}" if run else ""
        raise ReviewError(
            f"no labels of {group} {period} are published{of_run}. "
            "Fix: check group, period (like 2026-10) and run; labels exist once a month's run has ended"
        )
    address, digest = found["labels"]["S"], found["digest"]["S"]
    manifest = json.loads(_get(places.s3, f"{address}manifest.json", digest))
    [listed] = [file["sha256"] for file in manifest["files"] if file["name"] == "labels.parquet"]
    labels = _get(places.s3, f"{address}labels.parquet", listed)
    return Output(address, manifest, complete(pq.read_table(io.BytesIO(labels)), LATER))


def read_file(places: Places, output: Output, name: str) -> bytes | None:
    """One of the files beside the labels; None where there is none. Raises ReviewError."""
    return _listed(places, output.address, output.manifest, name)


def earlier_summaries(places: Places, group: str, period: str, months: int) -> list[dict[str, Any]]:
    """The summaries of up to so many months before, the latest first. Raises ReviewError."""
    found = places.dynamodb.query(
        TableName=places.table,
        KeyConditionExpression="#group = :group AND entry BETWEEN :first AND :last",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={
            ":group": {"S": group},
            ":first": {"S": keys.MONTHS},
            ":last": {"S": keys.MONTH.format(period=period)},
        },
        ScanIndexForward=False,
        Limit=months + 1,
        ConsistentRead=True,
    )["Items"]
    summaries = []
    for item in found:
        address, digest = item["labels"]["S"], item["digest"]["S"]
        if item["entry"]["S"] == keys.MONTH.format(period=period):
            continue
        manifest = json.loads(_get(places.s3, f"{address}manifest.json", digest))
        if summary := _listed(places, address, manifest, "summary.json"):
            summaries.append(json.loads(summary))
    return summaries[:months]


def current_codebook(places: Places, group: str) -> Codebook:
    """The group's codebook of today: decisions are made by it. Raises codebook.CodebookError."""
    found = publish.published(group, s3=places.s3, dynamodb=places.dynamodb, table=places.table)
    return parse_codebook(found)


def current_policy(places: Places, group: str) -> Policy:
    """The group's policy of today. Raises codebook.CodebookError."""
    found = publish.published(group, s3=places.s3, dynamodb=places.dynamodb, table=places.table)
    return Policy.parse(json.dumps(found["policy"]))


def learned(places: Places, output: Output) -> pa.Table:
    """The rows of the group that the model of the labels learned from (docs/contracts.md).

    Raises LedgerError or RowsMissing where they are not known or not kept any more.
    """
    ledger = reading.read(places.dynamodb, places.table, output.manifest["group"])
    return training_rows.read(places.s3, places.work_bucket, ledger, output.manifest["model"]).table


def items(places: Places, output: Output, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The items with the ids `wanted`, with all their fields, as they went to the model; by id."""
    wanted = set(wanted)
    prefix = names.ITEMS.format(group=output.manifest["group"], run=output.runs[0])
    pages = places.s3.get_paginator("list_objects_v2").paginate(Bucket=places.work_bucket, Prefix=prefix)
    found = {}
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        body = places.s3.get_object(Bucket=places.work_bucket, Key=entry["Key"])["Body"]
        for line in body.iter_lines(1 << 20):
            item = json.loads(line)
            if item["item_id"] in wanted:
                found[item["item_id"]] = item
    if missing := wanted - found.keys():
        raise ReviewError(
            f"{counted(len(missing), 'item')} missing below {names.address(places.work_bucket, prefix)}. "
            "Fix: restore the objects there, or label the month again"
        )
    return found


def _listed(places: Places, address: str, manifest: Mapping[str, Any], name: str) -> bytes | None:
    listed = {file["name"]: file["sha256"] for file in manifest["files"]}
    return _get(places.s3, address + name, listed[name]) if name in listed else None


def _get(s3: S3Client, address: str, recorded: str) -> bytes:
    """What an object holds. Raises ReviewError unless its SHA-256 (hex) is the one recorded."""
    bucket, key = names.split_address(address)
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    check(content, recorded, address, ReviewError)
    return content
