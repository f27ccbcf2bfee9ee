"""Notices, events and copies that a run could not make and kept in the ledger: making them after all.

A run keeps one where what it follows from is recorded already (`later` in pipelines/machines/states.py).
One may be made twice, where it was made but could not be taken off the ledger; none is lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipelines import names
from pipelines.handlers.ledger import Ledger
from pipelines.handlers.logs import about
from pipelines.ledger import keys

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_sns import SNSClient

log = logging.getLogger(__name__)

COPY = "s3:copyObject"


class NotTaken(Exception):
    """EventBridge answered, but did not take the event; the message is its own."""


def kept(table: DynamoDBClient, name: str) -> list[dict[str, Any]]:
    """The notices that are kept, the oldest first, with all their attributes (docs/contracts.md).

    `table` is a boto3 DynamoDB client, `name` the ledger's name.
    """
    pages = table.get_paginator("scan").paginate(
        TableName=name,
        ConsistentRead=True,
        FilterExpression="begins_with(entry, :notices)",
        ExpressionAttributeValues={":notices": {"S": keys.NOTICES}},
    )
    found = [_plain({"M": item}) for page in pages for item in page["Items"]]
    return sorted(found, key=lambda notice: notice["kept_at"])


def _plain(value: Mapping[str, Any]) -> Any:
    """A value of DynamoDB without its types."""
    [(kind, inner)] = value.items()
    if kind == "M":
        return {name: _plain(each) for name, each in inner.items()}
    return [_plain(each) for each in inner] if kind == "L" else inner


def send(
    notice: Mapping[str, Any],
    table: DynamoDBClient,
    name: str,
    sns: SNSClient,
    events: Any,
    s3: S3Client,
) -> None:
    """Send or make one of `kept`, then take it off the ledger.

    `table`, `sns`, `events` and `s3` are boto3 clients.

    Raises:
        NotTaken: EventBridge did not take it.
    """
    request = notice["request"]
    if notice["call"] == "sns:publish":
        sns.publish(**request)
    elif notice["call"] == COPY:
        copy(notice, s3, Ledger(table, name))
    else:
        entries = [{**entry, "Detail": json.dumps(entry["Detail"])} for entry in request["Entries"]]
        answer = events.put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            raise NotTaken("; ".join(entry.get("ErrorMessage", "") for entry in answer["Entries"]))
    key = {"group": {"S": notice["group"]}, "entry": {"S": notice["entry"]}}
    table.delete_item(TableName=name, Key=key)
    log.info("%s was sent after all", notice["entry"], extra=about(run_of(notice)))


def copy(notice: Mapping[str, Any], s3: S3Client, ledger: Ledger) -> None:
    """Make a copy; one that names no source is of the labels that are the month's.

    Newer labels than those of its own run may be the month's by now. Whoever copies looks again after it, as
    a run does (`show_month` in pipelines/machines/labels_record.py).
    """
    request, shown = notice["request"], ""
    if "CopySource" in request:
        s3.copy_object(**request)
        return
    run = names.parse_run(run_of(notice)["run"])
    assert run
    while (newest := ledger.labels_table(run.group, run.period)) != shown:
        s3.copy_object(**request, CopySource=newest)
        shown = newest


def send_all(table: DynamoDBClient, name: str, sns: SNSClient, events: Any, s3: S3Client) -> None:
    """Send all of `kept`; one that still cannot be sent stays, and holds none of the others back."""
    for notice in kept(table, name):
        try:
            send(notice, table, name, sns, events, s3)
        except Exception:
            log.exception("%s still cannot be sent", notice["entry"], extra=about(run_of(notice)))


def run_of(notice: Mapping[str, Any]) -> dict[str, str]:
    """Run and group of one of `kept`."""
    return {"run": keys.parse(notice["entry"])[1]["run"], "group": notice["group"]}
