"""Notices, events and copies that a run could not make, and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pipelines.failures.failure import Failure, Stack
from pipelines.handlers import notices
from pipelines.ledger import keys
from pipelines.names import parse_run

WHAT = {
    "sns:publish": "notice that was not sent",
    "events:putEvents": "event that was not sent",
    notices.COPY: "copy that was not made",
}


def find(stack: Stack) -> Iterator[Failure]:
    """Each of them."""
    table = stack.client("dynamodb")
    for notice in notices.kept(table, stack.table):
        [run, state] = keys.parse(notice["entry"])[1].values()
        named, name = parse_run(run), f"{run}.{state}"

        def retry(notice: dict[str, Any] = notice) -> str:
            if notice["call"] == notices.COPY:
                return _check_now(stack)
            notices.send(notice, table, stack.table, *map(stack.client, ("sns", "events", "s3")))
            return "sent"

        yield Failure(
            name=name,
            group=notice["group"],
            period=named.period if named else "",
            what=WHAT[notice["call"]],
            since=datetime.fromisoformat(notice["kept_at"]),
            error=notice["why"],
            sentence=f"{run} went on, but could not do this: {state}.",
            next_step=f"none, it is tried every hour; at once: labelmill retry --run {name}",
            retry=retry,
        )


def _check_now(stack: Stack) -> str:
    """The hourly check, at once: it may write labels, which people may only read."""
    payload = {"scheduled_time": datetime.now(UTC).isoformat(), "overdue": False}
    stack.client("lambda").invoke(
        FunctionName=f"{stack.name}-check-month", InvocationType="Event", Payload=json.dumps(payload).encode()
    )
    return "the hourly check is started, which makes it"
