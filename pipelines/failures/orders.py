"""Statements of the warehouse that failed; the failure queue keeps the order that asks for each again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines import names
from pipelines.failures.failure import Failure, Stack, dismissal
from pipelines.failures.queues import Message
from pipelines.ledger.reading import GroupLedger


def find(stack: Stack, messages: Sequence[Message]) -> Iterator[Failure]:
    """Each statement of those messages, once."""
    for message in {message.content["run"]: message for message in messages}.values():
        content = message.content
        order, body = content["input"], json.dumps(content["input"])
        [group] = order["groups"]

        def retry(body: str = body) -> str:
            stack.client("sqs").send_message(QueueUrl=stack.outputs["UnloadQueueUrl"], MessageBody=body)
            return "ordered again"

        yield Failure(
            name=content["run"],
            group=group,
            period=order["period"],
            what=f"order of a dataset for {order['purpose']}",
            since=message.sent,
            error=content["error"],
            sentence=content["cause"],
            next_step=f"labelmill retry --run {content['run']}",
            retry=retry,
            dismiss=dismissal(stack, group, content["run"]),
        )


def is_done(stack: Stack, message: Message, ledgers: Mapping[str, GroupLedger]) -> bool:
    """Whether a dataset has landed since, the warehouse was found to have no rows, or it was dismissed."""
    order = message.content["input"]
    [group] = order["groups"]
    ledger = ledgers.get(group, GroupLedger(group))
    no_items = ledger.without_items.get((order["purpose"], order["period"]))
    return (
        message.content["run"] in ledger.dismissed
        or (no_items is not None and datetime.fromisoformat(no_items["found_at"]) >= message.sent)
        or _has_landed(stack, group, order)
        or any(landed >= message.sent for landed in landings(stack, group, order))
    )


def _has_landed(stack: Stack, group: str, order: Mapping[str, Any]) -> bool:
    """Whether the dataset is there that the order, sent again, asks for.

    Its name is new, so its time need not be asked: S3 lists whole seconds, and it may land in the failure's.
    """
    names_of = {"purpose": order["purpose"], "group": group, "period": order["period"]}
    key = names.DATASET.format(**names_of, delivery=order["delivery"]) + "manifest"
    found = stack.client("s3").list_objects_v2(Bucket=stack.outputs["LandingBucket"], Prefix=key, MaxKeys=1)
    return bool(found["KeyCount"])


def landings(stack: Stack, group: str, order: Mapping[str, Any]) -> Iterator[datetime]:
    """When each dataset of the order's purpose and period landed."""
    prefix = names.DATASETS.format(purpose=order["purpose"], group=group, period=order["period"])
    pages = stack.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stack.outputs["LandingBucket"], Prefix=prefix):
        for item in page.get("Contents", ()):
            if item["Key"].endswith("/manifest"):
                yield item["LastModified"]
