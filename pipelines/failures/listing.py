"""The one list of what is not done. Reading it takes finished work off the queues."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from pipelines.failures import dead_letters, failed_runs, kept_notices, orders, undecided
from pipelines.failures.failure import Failure, Stack
from pipelines.failures.queues import Held, held
from pipelines.ledger import reading

FAILURES = "FailureQueueUrl"


@contextlib.contextmanager
def opened(stack: Stack, now: datetime) -> Iterator[list[Failure]]:
    """All failures of the stack, by group and time. Their messages are held until the block ends.

    A message whose work has been done since leaves its queue here, and so its alarm ends. `now` has a time
    zone. Where several people look at the same moment each may see a part of the queues.
    """
    queues = [stack.outputs[name] for name in (FAILURES, dead_letters.EVENTS, *dead_letters.SOURCES)]
    with held(stack.client("sqs"), queues) as messages:
        found = list(_all(stack, messages, now))
        yield sorted(found, key=lambda failure: (failure.group, failure.since, failure.name))


def _all(stack: Stack, messages: Held, now: datetime) -> Iterator[Failure]:
    known = failed_runs.read(stack)
    ledgers = {ledger.group: ledger for ledger in reading.read_all(stack.client("dynamodb"), stack.table)}
    statements, errors = [], {}
    for message in list(messages.by_queue[stack.outputs[FAILURES]]):
        match message.content:
            case {
                "machine": "unload",
                "run": str(),
                "input": {"groups": [str()], "purpose": str(), "period": str(), "delivery": str()},
                "error": str(),
                "cause": str(),
            }:
                if orders.is_done(stack, message, ledgers):
                    messages.delete(message)
                else:
                    statements.append(message)
            case {"run": str(run), "error": str(error)} if failed_runs.is_listed(run, known):
                if failed_runs.is_done(run, known, ledgers):
                    messages.delete(message)
                errors[run] = error
            case _:
                sentence = f"It is about no run or statement of this stack: {message.body[:500]}"
                yield dead_letters.useless(stack, messages, message, "message of a failure", sentence)
    yield from failed_runs.find(known, ledgers, errors)
    yield from orders.find(stack, statements)
    yield from dead_letters.find(stack, messages, known, ledgers, now)
    yield from undecided.find(stack, known, ledgers)
    yield from kept_notices.find(stack)


def chosen(
    failures: Iterable[Failure], group: str | None = None, name: str | None = None, cause: str | None = None
) -> list[Failure]:
    """Those of a group, of a name, or whose error or sentence contains `cause`; all where none is given."""
    return [
        failure
        for failure in failures
        if group in (None, failure.group)
        and name in (None, failure.name)
        and (cause is None or cause in f"{failure.error}: {failure.sentence}")
    ]
