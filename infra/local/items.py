"""The items of all tables, read and written through DynamoDB's own API: a part of keeping.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_AT_ONCE = 25  # of BatchWriteItem (DynamoDB API reference)


class Items:
    """`dynamodb` is a boto3 client of the local stack."""

    def __init__(self, dynamodb: DynamoDBClient):
        self._dynamodb = dynamodb

    def saved(self) -> dict[str, list[dict[str, Any]]]:
        scan = self._dynamodb.get_paginator("scan")
        return {
            table: [dict(item) for page in scan.paginate(TableName=table) for item in page["Items"]]
            for table in self._dynamodb.list_tables()["TableNames"]
        }

    def restore(self, saved: dict[str, list[dict[str, Any]]]) -> None:
        there = set(self._dynamodb.list_tables()["TableNames"])
        for table in there & saved.keys():
            for start in range(0, len(saved[table]), _AT_ONCE):
                items = saved[table][start : start + _AT_ONCE]
                puts: Any = [{"PutRequest": {"Item": item}} for item in items]
                self._dynamodb.batch_write_item(RequestItems={table: puts})
