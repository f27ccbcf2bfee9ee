"""One thing that is not done, and the deployed stack it is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from pipelines import stack as stacks
from pipelines.errors import Refused
from pipelines.ledger import keys

#: When a stack was made whose age does not matter.
ALWAYS = datetime.min.replace(tzinfo=UTC)


class NotAgain(Refused):
    """Starting it again would end in the same way; the message says why, and what puts it right."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack.

    Attributes:
        outputs: of the template, by name.
        client: makes boto3 clients.
        has_warehouse: whether datasets can be ordered; else people deliver them.
        created: when it was made, with its time zone; a month that was due before is not overdue in it.
    """

    outputs: Mapping[str, str]
    client: Callable[[str], Any]
    has_warehouse: bool = True
    created: datetime = ALWAYS

    @property
    def table(self) -> str:
        """The ledger's name."""
        return self.outputs["LedgerTable"]

    @property
    def name(self) -> str:
        """What the names of all its resources begin with."""
        return self.outputs["FailureQueueUrl"].rpartition("/")[2].removesuffix("-failures")

    def machine(self, name: str) -> str:
        """The ARN of the machine `training`, `inference` or `comparison`."""
        return self.outputs[f"{name.capitalize()}MachineArn"]


def open_stack(name: str) -> Stack:
    """The CloudFormation stack of that name. Raises stack.StackError."""
    import boto3

    client: Callable[[str], Any] = cache(boto3.client)
    found = stacks.described(name, client("cloudformation"))
    return Stack(stacks.by_name(found), client, stacks.has_warehouse(found), found["CreationTime"])


@dataclass(frozen=True)
class Failure:
    """One thing that is not done.

    Attributes:
        name: a run, a statement, a message's id, a model or a notice; unique in the list.
        group: the model group; empty where it is not known, and so is `period`.
        what: what failed, in a few words.
        since: when, in UTC.
        error: the error's name; empty where it has none.
        sentence: why.
        next_step: what to do.
        retry: starts it again and says what it did; twice is as good as once.
        dismiss: takes it off the list for good, given who does so and why; None where only a retry does.
    """

    name: str
    group: str
    period: str
    what: str
    since: datetime
    error: str
    sentence: str
    next_step: str
    retry: Callable[[], str] = field(repr=False, compare=False)
    dismiss: Callable[[str, str], None] | None = field(default=None, repr=False, compare=False)

    def as_json(self) -> dict[str, str]:
        """What `labelmill failures --json` prints of it; times in ISO 8601."""
        shown = ("name", "group", "period", "what", "error", "sentence", "next_step")
        since = self.since.astimezone(UTC).isoformat(timespec="seconds")
        return {name: getattr(self, name) for name in shown} | {"since": since}


def dismissal(stack: Stack, group: str, name: str) -> Callable[[str, str], None]:
    """A `Failure.dismiss` that records in the ledger who wants nothing done about `name`, when and why."""

    def dismiss(by: str, why: str) -> None:
        item = {
            "group": group,
            "entry": keys.DISMISSED.format(name=name),
            "by": by,
            "why": why,
            "dismissed_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        stack.client("dynamodb").put_item(
            TableName=stack.table, Item={name: {"S": value} for name, value in item.items()}
        )

    return dismiss
