"""What came of the runs, read as any client would: decisions, evidence, published labels."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

from infra.samples.deliver import Stack


def decisions(stack: Stack, group: str) -> list[dict[str, str]]:
    """The decisions on `group` in the ledger, the oldest first; all values as text."""
    items = stack.client("dynamodb").query(
        TableName=stack.names["LedgerTable"],
        KeyConditionExpression="#group = :group AND begins_with(entry, :decision)",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={":group": {"S": group}, ":decision": {"S": "DECISION#"}},
    )["Items"]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]


def read_json(stack: Stack, address: str) -> dict:
    """The JSON object at `address` (`s3://bucket/key`)."""
    return json.loads(_read(stack, address))


def published(stack: Stack, group: str) -> list[dict]:
    """The manifests of the labels published for `group`, the oldest first, each with its `address`."""
    bucket = stack.names["LabelledBucket"]
    listing = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"labels/{group}/")
    objects = sorted(listing.get("Contents", []), key=lambda entry: entry["LastModified"])
    addresses = [
        f"s3://{bucket}/{entry['Key']}" for entry in objects if entry["Key"].endswith("/manifest.json")
    ]
    return [read_json(stack, address) | {"address": address} for address in addresses]


def labels(stack: Stack, folder: str) -> pa.Table:
    """The published rows below the address `folder`."""
    return pq.read_table(io.BytesIO(_read(stack, f"{folder}labels.parquet")))


def test_labels(stack: Stack, group: str, model: str) -> pa.Table:
    """The newest labels that a model gave to a test set."""
    items = stack.client("dynamodb").query(
        TableName=stack.names["LedgerTable"],
        KeyConditionExpression="#group = :group AND begins_with(entry, :predictions)",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={":group": {"S": group}, ":predictions": {"S": "PREDICTIONS#"}},
    )["Items"]
    newest = max(
        (item for item in items if item["entry"]["S"].endswith(f"#{model}")),
        key=lambda item: item["made_at"]["S"],
    )
    return labels(stack, newest["predictions"]["S"])


def _read(stack: Stack, address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
