"""Who carries messages to functions: SQS event source mappings, asynchronous invocations (EventBridge)."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from infra.local.functions import Outcome

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationResponseTypeDef
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

log = logging.getLogger(__name__)
LONG_POLL_SECONDS = 20
# AWS waits one and two minutes before the two retries of an asynchronous invocation; here there is no need
# to.
RETRY_DELAYS_SECONDS = (0.5, 1)

Invoke = Callable[[str, object], Outcome]


class QueuePoller:
    """One event source mapping: takes batches from its queue to the function, deletes what went well.

    What failed is left alone: it comes back after the queue's visibility timeout, and moves to the
    dead-letter queue after the receives its redrive policy allows. Both are the queue's business.
    """

    def __init__(
        self,
        mapping_id: str,
        queue_arn: str,
        invoke: Invoke,
        sqs: SQSClient,
        lambda_client: LambdaClient,
        changed: Callable[[], None],
    ):
        self._mapping_id = mapping_id
        self._invoke = invoke
        self._sqs = sqs
        self._lambda = lambda_client
        self._changed = changed
        self.queue_arn = queue_arn
        self._queue_url: str | None = None

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"mapping-{self._mapping_id}", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                mapping = self._lambda.get_event_source_mapping(UUID=self._mapping_id)
            except self._lambda.exceptions.ResourceNotFoundException:
                return
            try:
                self._poll(mapping)
            except Exception:
                log.exception("event source mapping %s", self._mapping_id)
                threading.Event().wait(1)

    def _poll(self, mapping: EventSourceMappingConfigurationResponseTypeDef) -> None:
        if mapping["State"] != "Enabled":
            threading.Event().wait(1)
            return
        if self._queue_url is None:
            self._queue_url = self._sqs.get_queue_url(QueueName=self.queue_arn.rsplit(":", 1)[1])["QueueUrl"]
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=min(10, mapping["BatchSize"]),
            WaitTimeSeconds=LONG_POLL_SECONDS,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return
        outcome = self._invoke(mapping["FunctionArn"], {"Records": [_record(m, mapping) for m in messages]})
        partial = "ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", [])
        failed = failed_messages(outcome, [m["MessageId"] for m in messages], partial)
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        self._changed()


def failed_messages(outcome: Outcome, message_ids: list[str], partial: bool) -> set[str]:
    """The messages of a batch that were not processed, read from the function's answer by Lambda's rules.

    An error, or a partial batch response that cannot be understood or names an unknown message, fails all.
    """
    everything = set(message_ids)
    if outcome.failed:
        return everything
    if not partial:
        return set()
    try:
        answer = json.loads(outcome.body) or {}
        failed = {item["itemIdentifier"] for item in answer.get("batchItemFailures") or []}
    except (ValueError, KeyError, TypeError, AttributeError):
        return everything
    return failed if failed <= everything else everything


def _record(
    message: MessageTypeDef, mapping: EventSourceMappingConfigurationResponseTypeDef
) -> dict[str, Any]:
    """One message as a function sees it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {"dataType": value["DataType"], "stringValue": value.get("StringValue")}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping["EventSourceArn"],
        "awsRegion": mapping["EventSourceArn"].split(":")[3],
    }


def send_dead_letter(sqs: SQSClient, queue_url: str, event: object, outcome: Outcome) -> None:
    """Put an event that a function could not take into its dead-letter queue, with Lambda's attributes."""
    reason = json.loads(outcome.body)["errorMessage"][:1024] or "-"
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": reason},
    }
    sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(event), MessageAttributes=attributes)


class AsyncInvocations:
    """The queue behind asynchronous invocations: each tried again twice, then dead-lettered."""

    def __init__(
        self, invoke: Invoke, dead_letter: Callable[[str, object, Outcome], None], changed: Callable[[], None]
    ):
        self._invoke = invoke
        self._dead_letter = dead_letter
        self._changed = changed
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="async-invocation")
        self._lock = threading.Lock()
        self.pending = 0

    def submit(self, function_arn: str, event: object) -> None:
        """Accept one event; returns at once."""
        with self._lock:
            self.pending += 1
        self._threads.submit(self._attempt, function_arn, event, 0)

    def _attempt(self, function_arn: str, event: object, attempt: int) -> None:
        again = False
        try:
            outcome = self._invoke(function_arn, event)
            again = outcome.failed and attempt < len(RETRY_DELAYS_SECONDS)
            if again:
                self._try_again(function_arn, event, attempt)
            elif outcome.failed:
                log.error("%s failed for good: %s", function_arn, outcome.body.decode())
                self._dead_letter(function_arn, event, outcome)
        except Exception:
            log.exception("%s could not be invoked; the event is lost", function_arn)
        if not again:
            with self._lock:
                self.pending -= 1
            self._changed()

    def _try_again(self, function_arn: str, event: object, attempt: int) -> None:
        again = threading.Timer(
            RETRY_DELAYS_SECONDS[attempt],
            self._threads.submit,
            (self._attempt, function_arn, event, attempt + 1),
        )
        again.daemon = True
        again.start()
