"""Notices and events that a run could not send, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipelines.failures.failure import Failure, Stack
from pipelines.handlers import notices
from pipelines.ledger import keys
from pipelines.names import parse_run


def find(stack: Stack) -> Iterator[Failure]:
    """Each of them."""
    table = stack.client("dynamodb")
    for notice in notices.kept(table, stack.table):
        [run, state] = keys.parse(notice["entry"])[1].values()
        named, name = parse_run(run), f"{run}.{state}"

        def retry(notice: dict[str, Any] = notice) -> str:
            notices.send(notice, table, stack.table, stack.client("sns"), stack.client("events"))
            return "sent"

        yield Failure(
            name=name,
            group=notice["group"],
            period=named.period if named else "",
            what="notice that was not sent" if notice["call"] == "sns:publish" else "event that was not sent",
            since=datetime.fromisoformat(notice["kept_at"]),
            error=notice["why"],
            sentence=f"{run} went on, but could not send it.",
            next_step=f"none, it is tried every hour; at once: labelmill retry --run {name}",
            retry=retry,
        )
