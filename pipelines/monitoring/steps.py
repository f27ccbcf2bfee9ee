"""An execution's history as the steps a person would name: its tasks and waits, one after the other. Pure.

Our machines do one thing at a time, so the events between a state's entry and its exit are its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DONE, FAILED, RUNNING = "done", "failed", "running"
_FAILURES = ("TaskFailed", "TaskTimedOut", "TaskSubmitFailed", "TaskStartFailed")
#: The log group of each kind of job, by the member of its request that names it; a search's trials are
#: training jobs whose names begin with the search's (SageMaker developer guide, "Log groups and streams that
#: Amazon SageMaker AI sends to Amazon CloudWatch Logs").
LOG_GROUPS = {
    "ProcessingJobName": "/aws/sagemaker/ProcessingJobs",
    "TrainingJobName": "/aws/sagemaker/TrainingJobs",
    "TransformJobName": "/aws/sagemaker/TransformJobs",
    "HyperParameterTuningJobName": "/aws/sagemaker/TrainingJobs",
}


@dataclass(frozen=True)
class Step:
    """One task or wait of a run.

    Attributes:
        name: the state's name, like Prepare.
        status: done, failed or running.
        since: when it began.
        ended: when it ended; None while it runs.
        tries: how often it was begun; more than once where AWS had no room for it or was unavailable.
        job: the SageMaker job's name, of the last try; empty for what is no job.
        log_group: where that job logs; empty likewise.
    """

    name: str
    status: str
    since: datetime
    ended: datetime | None = None
    tries: int = 1
    job: str = ""
    log_group: str = ""


def steps(history: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The steps of an execution, in order; `history` are the events of GetExecutionHistory, the oldest first.

    A step that was cut off from outside is still `running`: the execution's own status says the rest.
    """
    found: list[dict[str, Any]] = []
    current: dict[str, Any] | None = None
    for event in history:
        kind = event["type"]
        if kind in ("TaskStateEntered", "WaitStateEntered"):
            name = event["stateEnteredEventDetails"]["name"]
            current = {"name": name, "status": RUNNING, "since": event["timestamp"], "tries": 0}
            found.append(current)
        elif current is None:
            continue
        elif kind == "TaskScheduled":
            current["tries"] += 1
            current["status"] = RUNNING
            current |= _job(event["taskScheduledEventDetails"])
        elif kind in _FAILURES:
            current["status"] = FAILED
        elif kind in ("TaskStateExited", "WaitStateExited"):
            status = current["status"]
            current |= {"status": FAILED if status == FAILED else DONE, "ended": event["timestamp"]}
            current = None
    if current and current["status"] == FAILED:
        current["status"] = RUNNING  # it is being tried again
    return [Step(**{**step, "tries": max(step["tries"], 1)}) for step in found]


def _job(scheduled: Mapping[str, Any]) -> dict[str, str]:
    """Name and log group of the SageMaker job that a task asks for; empty for another task."""
    if scheduled.get("resourceType") != "sagemaker":
        return {}
    request = json.loads(scheduled["parameters"])
    return next(
        (
            {"job": request[member], "log_group": group}
            for member, group in LOG_GROUPS.items()
            if member in request
        ),
        {},
    )
