"""Starting executions, each at most once."""

import json
import logging

from pipelines.handlers.logs import about

log = logging.getLogger(__name__)


def start(states, machine_arn: str, run: dict) -> None:
    """Start `run` (an execution's input) under its own name; one that was started before is left alone.

    `states` is a boto3 Step Functions client. Its errors go to the caller, whose queue tries again.
    """
    try:
        states.start_execution(
            stateMachineArn=machine_arn, name=run["run"], input=json.dumps(run, sort_keys=True)
        )
    except states.exceptions.ExecutionAlreadyExists:
        log.info("was started before", extra=about(run))
    else:
        log.info("started", extra=about(run))
