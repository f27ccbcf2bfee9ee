"""A training dataset has landed: start its training run."""

import os

from pipelines.handlers.clients import client
from pipelines.handlers.landing import start_landed


def handler(event: dict, context: object = None, states=None) -> dict:
    """Take a batch of messages from the training queue; return which of them failed."""
    return start_landed(
        event, "training", os.environ["TRAINING_MACHINE_ARN"], states or client("stepfunctions")
    )
