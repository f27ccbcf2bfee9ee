"""Messages of SNS as a queue gets them, each held against docs/message.schema.json."""

import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads((Path(__file__).parents[1] / "docs/message.schema.json").read_text(encoding="utf-8"))
_CHECK = jsonschema.Draft202012Validator(SCHEMA)


def received(sqs: Any, queue: str) -> list[dict]:
    """What waits in the queue at the URL `queue`, ten messages at most; `sqs` is a boto3 client."""
    answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    notices = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    for notice in notices:
        _CHECK.validate(notice)
    return notices


def attributes(notice: dict) -> dict[str, str]:
    """The attributes by which people filter a notice."""
    return {name: each["Value"] for name, each in notice["MessageAttributes"].items()}
