"""Model Trained: let the new model label its test set."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipelines import runs
from pipelines.executions import start
from pipelines.handlers.clients import client

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient


def handler(event: dict[str, Any], context: object = None, states: SFNClient | None = None) -> None:
    """Take one `Model Trained` event. Raises runs.BadEvent."""
    model, test_set = runs.fields(event["detail"], "model", "test_set")
    run = runs.test(event["detail"], model=model, challenger=model, test_set=test_set)
    start(states or client("stepfunctions"), os.environ["INFERENCE_MACHINE_ARN"], run)
