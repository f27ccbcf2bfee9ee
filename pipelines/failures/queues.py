"""Messages of SQS queues, all of them, held while somebody looks at them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

#: So long nobody else gets a message that is looked at, unless it is given back before.
HOLD_SECONDS = 120
#: With a wait SQS asks all its servers, so that an empty answer means an empty queue (SQS developer guide,
#: "Amazon SQS short and long polling").
WAIT_SECONDS = 1


@dataclass(frozen=True)
class Message:
    """A message and the queue it is in.

    Attributes:
        sent: when it was first sent: a dead-letter queue does not change that (SQS developer guide,
            "Setting-up dead-letter queue retention").
        notes: its message attributes, as text.
    """

    queue: str
    id: str
    receipt: str
    body: str
    sent: datetime
    notes: dict[str, str]

    @property
    def content(self) -> Any:
        """The body, read as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Held:
    """Messages by the address of their queue. One that is deleted is gone; all others are given back."""

    sqs: SQSClient
    by_queue: dict[str, list[Message]] = field(default_factory=dict)

    def delete(self, message: Message) -> None:
        self.sqs.delete_message(QueueUrl=message.queue, ReceiptHandle=message.receipt)
        self.by_queue[message.queue].remove(message)


@contextlib.contextmanager
def held(sqs: SQSClient, queues: Sequence[str]) -> Iterator[Held]:
    """All messages of the queues, for HOLD_SECONDS at most; what another reader holds is not among them.

    `sqs` is a boto3 SQS client.
    """
    with ThreadPoolExecutor(len(queues)) as threads:
        found = Held(
            sqs, dict(zip(queues, threads.map(lambda queue: _receive(sqs, queue), queues), strict=True))
        )
    try:
        yield found
    finally:
        for message in (message for messages in found.by_queue.values() for message in messages):
            sqs.change_message_visibility(
                QueueUrl=message.queue, ReceiptHandle=message.receipt, VisibilityTimeout=0
            )


def _receive(sqs: SQSClient, queue: str) -> list[Message]:
    messages: dict[str, Message] = {}
    while received := sqs.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=WAIT_SECONDS,
        VisibilityTimeout=HOLD_SECONDS,
        AttributeNames=["SentTimestamp"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        for message in received:
            messages[message["MessageId"]] = Message(
                queue=queue,
                id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                body=message["Body"],
                sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
                notes={
                    name: note.get("StringValue", "")
                    for name, note in message.get("MessageAttributes", {}).items()
                },
            )
    return list(messages.values())
