"""What came of the runs, read as any client would: decisions, evidence, published labels."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from infra.samples.deliver import Stack
from pipelines.ledger.reading import GroupLedger, read
from pipelines.names import LABELS_OF_GROUP, address, split_address


def decisions(stack: Stack, group: str) -> list[dict[str, Any]]:
    """The decisions on a known `group`, the oldest first; numbers as float, all else as text."""
    return _ledger(stack, group).decisions


def read_json(stack: Stack, where: str) -> dict[str, Any]:
    """The JSON object at the address `where` (`s3://bucket/key`)."""
    found: dict[str, Any] = json.loads(_read(stack, where))
    return found


def published(stack: Stack, group: str) -> list[dict[str, Any]]:
    """The manifests of the labels published for `group`, the oldest first, each with its `address`."""
    bucket = stack.names["LabelledBucket"]
    pages = (
        stack.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=LABELS_OF_GROUP.format(group=group))
    )
    listed = (entry for page in pages for entry in page.get("Contents", []))
    objects = sorted(listed, key=lambda entry: entry["LastModified"])
    addresses = [
        address(bucket, entry["Key"]) for entry in objects if entry["Key"].endswith("/manifest.json")
    ]
    return [read_json(stack, found) | {"address": found} for found in addresses]


def labels(stack: Stack, folder: str) -> pa.Table:
    """The published rows below the address `folder`."""
    return pq.read_table(io.BytesIO(_read(stack, f"{folder}labels.parquet")))


def test_labels(stack: Stack, group: str, model: str) -> pa.Table:
    """The newest labels that a model gave to a test set."""
    known = _ledger(stack, group).predictions.items()
    newest = max((item for (_, name), item in known if name == model), key=lambda item: item["made_at"])
    return labels(stack, newest["predictions"])


def _ledger(stack: Stack, group: str) -> GroupLedger:
    return read(stack.client("dynamodb"), stack.names["LedgerTable"], group)


def _read(stack: Stack, where: str) -> bytes:
    bucket, key = split_address(where)
    content: bytes = stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content
