"""A dataset to label has landed: start its inference run."""

import os

from pipelines.handlers.clients import client
from pipelines.handlers.landing import start_landed


def handler(event: dict, context: object = None, states=None) -> dict:
    """Take a batch of messages from the inference queue; return which of them failed."""
    return start_landed(
        event, "inference", os.environ["INFERENCE_MACHINE_ARN"], states or client("stepfunctions")
    )
