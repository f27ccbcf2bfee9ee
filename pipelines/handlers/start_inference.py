"""A dataset to label has landed: start its inference run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipelines.handlers.clients import client
from pipelines.handlers.landing import start_landed

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_stepfunctions import SFNClient


def handler(
    event: dict[str, Any],
    context: object = None,
    states: SFNClient | None = None,
    s3: S3Client | None = None,
) -> dict[str, Any]:
    """Take a batch of messages from the inference queue; return which of them failed."""
    return start_landed(
        event,
        "inference",
        os.environ["INFERENCE_MACHINE_ARN"],
        states or client("stepfunctions"),
        s3 or client("s3"),
    )
