"""Ended executions: files `executions/{machine}/{name}.json` with input, outcome and history, and events."""

import json
from pathlib import Path
from typing import Any


def write_execution(folder: Path, description: dict[str, Any], history: list[dict[str, Any]]) -> Path:
    """Write one ended execution and return the file; `description` and `history` are the API's answers.

    JSON texts inside (input, output, cause) are written as what they say, so that a person can read them.
    """
    machine, name = description["executionArn"].split(":")[-2:]
    path = record_path(folder, machine, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        key: description.get(key) for key in ("executionArn", "name", "status", "startDate", "stopDate")
    }
    record |= {
        key: _unpacked(description[key])
        for key in ("input", "output", "error", "cause")
        if key in description
    }
    record["history"] = [_event(event) for event in history]
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False, default=str))
    return path


def record_path(folder: Path, machine: str, name: str) -> Path:
    """The file of an execution that has ended."""
    return folder / machine / f"{name}.json"


def failed_job(history: list[dict[str, Any]]) -> str | None:
    """The name of the job that an execution failed with, by the history in its file; None if it was no job.

    Step Functions gives the description of a job that failed as the cause of its task's failure.
    """
    causes = [
        event["taskFailedEventDetails"].get("cause") for event in history if event["type"] == "TaskFailed"
    ]
    if not causes or not isinstance(causes[-1], dict):
        return None
    return next((value for key, value in causes[-1].items() if key.endswith("JobName")), None)


def status_event(description: dict[str, Any]) -> dict[str, Any]:
    """The entry for PutEvents by which Step Functions tells that an execution has ended.

    Source: Step Functions Developer Guide, "Automating Step Functions event delivery with EventBridge". Input
    and output are not in it, as the machines are under a customer's key.
    """
    names = ("executionArn", "stateMachineArn", "name", "status")
    return {
        "Source": "aws.states",
        "DetailType": "Step Functions Execution Status Change",
        "Resources": [description["executionArn"]],
        "Detail": json.dumps({name: description[name] for name in names}),
    }


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {k: _unpacked(v) for k, v in value.items()} if isinstance(value, dict) else value
        for key, value in event.items()
    }


def _unpacked(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
