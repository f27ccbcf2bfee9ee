"""Starting executions, each at most once. Their names and inputs are made in runs.py."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from pipelines import runs

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient

log = logging.getLogger(__name__)

#: An execution's statuses after which what it was to do is not done.
ENDED_IN_VAIN = ("FAILED", "TIMED_OUT", "ABORTED")


def start(states: SFNClient, machine_arn: str, run: dict[str, Any], again: bool = False) -> str | None:
    """Start `run` (an execution's input) under its own name; one that was started before is left alone.

    Args:
        states: a boto3 Step Functions client. Its errors go to the caller, whose queue tries again.
        again: start it anew, under the name that `runs.again` gives it, where that execution ended in vain;
            and so on, where the new one did as well. One that runs or has succeeded is left alone.

    Returns:
        The name of the execution that was started; None where nothing was.
    """
    about = {"run": run["run"], "group": run["group"]}
    try:
        states.start_execution(
            stateMachineArn=machine_arn, name=run["run"], input=json.dumps(run, sort_keys=True)
        )
    except states.exceptions.ExecutionAlreadyExists:
        if again and _status(states, machine_arn, run["run"]) in ENDED_IN_VAIN:
            return start(states, machine_arn, runs.again(run), again=True)
        log.info("was started before", extra=about)
        return None
    log.info("started", extra=about)
    return str(run["run"])


def _status(states: SFNClient, machine_arn: str, name: str) -> str:
    execution = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
    return states.describe_execution(executionArn=execution)["status"]
