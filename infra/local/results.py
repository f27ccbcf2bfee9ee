"""What came of the runs, read as any client would: decisions, evidence, published labels."""

import io
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

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
    return json.loads(_read(stack, address))


def published(stack: LocalStack, group: str) -> list[dict]:
    """The manifests of the labels published for `group`, the oldest first, each with its `address`."""
    bucket = stack.names["LabelledBucket"]
    listing = stack.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"labels/{group}/")
    objects = sorted(listing.get("Contents", []), key=lambda entry: entry["LastModified"])
    addresses = [
        f"s3://{bucket}/{entry['Key']}" for entry in objects if entry["Key"].endswith("/manifest.json")
    ]
    return [read_json(stack, address) | {"address": address} for address in addresses]


def labels(stack: LocalStack, folder: str) -> pa.Table:
    """The published rows below the address `folder`."""
    return pq.read_table(io.BytesIO(_read(stack, f"{folder}labels.parquet")))


def test_labels(stack: LocalStack, group: str, model: str) -> pa.Table:
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


def row(stack: LocalStack, group: str, rows: int) -> dict:
    """One line of the demo's table: the decisions on the group, and the counts of its newest labels."""
    decided = decisions(stack, group)
    last, manifest = (decided or [{}])[-1], (published(stack, group) or [{}])[-1]
    return {
        "group": group,
        "rows": rows,
        "verdict": ", then ".join(decision["verdict"] for decision in decided) or "none",
        "reason": last.get("reason", ""),
        "score": float(last["score"]) if last else None,
        "labelled": manifest.get("labelled"),
        "to review": manifest.get("review"),
        "files": _path(manifest.get("address", "").removesuffix("manifest.json")),
        "evidence": _path(last.get("evidence", "")),
    }


def change_of_codes(stack: LocalStack, group: str, period: str) -> list[str]:
    """What a change of codes did to the labels of a month, in sentences; none where it has no labels."""
    versions = [manifest for manifest in published(stack, group) if manifest["period"] == period]
    if not versions:
        return []
    folder = versions[0]["address"].removesuffix("manifest.json")
    rows = labels(stack, folder).select(["status", "reason"]).to_pylist()
    told = Counter((each["status"], each["reason"]) for each in rows if each["reason"])
    sentences = [
        f"{count:,} items {'labelled' if status == 'labelled' else 'to review'}: {reason}"
        for (status, reason), count in told.most_common()
        if reason.startswith("code ")
    ]
    sentences += read_json(stack, f"{folder}summary.json")["attention"]
    for amended in versions[1:]:
        by = ", ".join(amended["decided_by"])
        sentences.append(
            f"{amended['decided']:,} items decided by {by}: labels with them are published as a new version"
        )
    return sentences


def _read(stack: LocalStack, address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def _path(address: str) -> str:
    """Where the run folder keeps the object at an S3 address."""
    return address.replace("s3://", "s3/")
