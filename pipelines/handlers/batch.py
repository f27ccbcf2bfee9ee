"""Batches of SQS messages, each taken by itself."""

import logging
from collections.abc import Callable

from pipelines.handlers.logs import about

log = logging.getLogger(__name__)


def take_each(event: dict, take: Callable[[str], None]) -> dict:
    """Call `take` with the body of each message of an SQS event; return Lambda's partial batch response."""
    failed = []
    for message in event["Records"]:
        try:
            take(message["body"])
        # Whatever is wrong with one message must not take its neighbours along to the dead-letter queue.
        except Exception:
            log.exception("message %s could not be taken", message["messageId"], extra=about({}))
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
