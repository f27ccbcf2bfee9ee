"""Model Trained: let the new model label its test set."""

import os

from pipelines import runs
from pipelines.handlers.clients import client
from pipelines.handlers.executions import start


def handler(event: dict, context: object = None, states=None) -> None:
    """Take one `Model Trained` event. Raises runs.BadEvent."""
    model, test_set = runs.fields(event["detail"], "model", "test_set")
    run = runs.test(event["detail"], model=model, challenger=model, test_set=test_set)
    start(states or client("stepfunctions"), os.environ["INFERENCE_MACHINE_ARN"], run)
