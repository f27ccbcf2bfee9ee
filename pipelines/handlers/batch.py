"""Batches of SQS messages, each taken by itself."""

import logging
from collections.abc import Callable
from typing import Any

from pipelines.handlers.logs import about

log = logging.getLogger(__name__)


def take_each(event: dict[str, Any], take: Callable[[str], None], refusal: type[Exception]) -> dict[str, Any]:
    """Call `take` with the body of each message of an SQS event; return Lambda's partial batch response.

    `refusal` is the error that says in its own words what is wrong with a message and how to put it right.
    """
    failed = []
    for message in event["Records"]:
        try:
            take(message["body"])
        except refusal as error:
            log.error("message %s is refused: %s", message["messageId"], error, extra=about({}))
            failed.append({"itemIdentifier": message["messageId"]})
        # Whatever is wrong with one message must not take its neighbours along to the dead-letter queue.
        except Exception:
            log.exception("message %s could not be processed", message["messageId"], extra=about({}))
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}
