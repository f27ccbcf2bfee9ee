"""A stack to publish codebooks to."""

import boto3
import pytest

from tests import stack_with_ledger


class Stack:
    """A stack with a work bucket and a ledger, and what a test wants to read from them."""

    def __init__(self):
        names = stack_with_ledger.create()
        self.s3, self.dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        self.work_bucket, self.table = names["WorkBucket"], names["LedgerTable"]

    @property
    def places(self) -> dict:
        return {
            "s3": self.s3,
            "dynamodb": self.dynamodb,
            "work_bucket": self.work_bucket,
            "table": self.table,
        }

    def objects(self, prefix: str = "codebooks/") -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=self.work_bucket, Prefix=prefix).get("Contents", [])
        return {
            entry["Key"]: self.s3.get_object(Bucket=self.work_bucket, Key=entry["Key"])["Body"].read()
            for entry in listed
        }

    def ledger(self) -> list[dict[str, str]]:
        items = self.dynamodb.scan(TableName=self.table)["Items"]
        return [{name: value["S"] for name, value in item.items()} for item in items]


@pytest.fixture
def stack(emulated_aws):
    return Stack()


@pytest.fixture
def book() -> dict:
    """A good codebook with one succession of each kind, all on 2026-11-01."""
    codes = [
        ("1", "Cooling", "2020-01-01", "2026-10-31"),
        ("2", "Screens", "2020-01-01", "2026-10-31"),
        ("3", "Lamps", "2020-01-01", "2026-10-31"),
        ("4", "Large", "2020-01-01", None),
        ("5", "Small", "2020-01-01", "2026-10-31"),
        ("C", "Cooling equipment", "2026-11-01", None),
        ("L", "Screens and lamps", "2026-11-01", None),
        ("5a", "Small, household", "2026-11-01", None),
        ("5b", "Small, tools", "2026-11-01", None),
    ]
    names = ("code", "description", "valid_from", "valid_to")
    return {
        "group": "DE-weee",
        "version": "2026-11",
        "language": "en",
        "source": "synthetic sample",
        "attributes": [{"name": "weight_kg", "type": "number"}],
        "codes": [{**dict(zip(names, code, strict=True)), "critical": False} for code in codes],
        "successions": [
            {"kind": "renamed", "from": ["1"], "to": ["C"], "date": "2026-11-01"},
            {"kind": "merged", "from": ["2", "3"], "to": ["L"], "date": "2026-11-01"},
            {"kind": "split", "from": ["5"], "to": ["5a", "5b"], "date": "2026-11-01"},
        ],
        "policy": {"min_rows": 500},
    }
