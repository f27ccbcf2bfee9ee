"""What came of the runs, read as any client would: decisions, evidence, published labels."""

import json

from infra.local.stack import LocalStack


def decisions(stack: LocalStack, group: str) -> list[dict[str, str]]:
    """The decisions on `group` in the ledger, the oldest first; all values as text."""
    items = stack.client("dynamodb").query(
        TableName=stack.names["LedgerTable"],
        KeyConditionExpression="#group = :group AND begins_with(entry, :decision)",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={":group": {"S": group}, ":decision": {"S": "DECISION#"}},
    )["Items"]
    return [{name: next(iter(value.values())) for name, value in item.items()} for item in items]


def read_json(stack: LocalStack, address: str) -> dict:
    """The JSON object at `address` (`s3://bucket/key`)."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return json.load(stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"])


def published(stack: LocalStack, group: str) -> list[dict]:
    """The manifests of the labels published for `group`, the oldest first, each with its `address`."""
    bucket = stack.names["LabelledBucket"]
    listing = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"labels/{group}/")
    objects = sorted(listing.get("Contents", []), key=lambda entry: entry["LastModified"])
    addresses = [
        f"s3://{bucket}/{entry['Key']}" for entry in objects if entry["Key"].endswith("/manifest.json")
    ]
    return [read_json(stack, address) | {"address": address} for address in addresses]
