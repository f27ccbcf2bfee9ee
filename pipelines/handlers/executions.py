"""Starting executions, each at most once."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from pipelines.handlers.logs import about

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

log = logging.getLogger(__name__)


def start(states: SFNClient, machine_arn: str, run: dict[str, Any]) -> None:
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
