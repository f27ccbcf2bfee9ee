"""Ended executions: files `executions/{machine}/{name}.json` with input, outcome and history; events."""

import functools
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.aws_models import service_model

#: What of a description is text, JSON text where the run made it so.
_TEXTS = {"input", "output", "error", "cause"}


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
    record |= {key: _unpacked(description[key]) for key in _TEXTS & description.keys()}
    record["history"] = [_event(event) for event in history]
    # Others read the folder while the stack runs, and it may be killed: never half a file.
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(record, indent=1, ensure_ascii=False, default=str), encoding="utf-8")
    unfinished.replace(path)
    return path


def record_path(folder: Path, machine: str, name: str) -> Path:
    """The file of an execution that has ended."""
    return folder / machine / f"{name}.json"


class EndedExecutions:
    """Those whose files are in a folder: the description of each, and what reads its history."""

    def __init__(self, folder: Path):
        self._folder = folder

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Callable[[], list[dict[str, Any]]]]]:
        for path in sorted(self._folder.glob("*/*.json")):
            record = json.loads(path.read_text(encoding="utf-8"))
            del record["history"]
            for name in ("startDate", "stopDate"):
                record[name] = datetime.fromisoformat(record[name])
            packed = {name: _packed(record[name]) for name in _TEXTS & record.keys()}
            yield record | packed, functools.partial(_history, path)


def _history(path: Path) -> list[dict[str, Any]]:
    """The events as the API answers them: what is text there is text again."""
    shape: Any = service_model("stepfunctions").shape_for("HistoryEvent")
    events: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["history"]
    for event in events:
        event["timestamp"] = datetime.fromisoformat(event["timestamp"])
        for name, details in event.items():
            if isinstance(details, dict):
                members = shape.members[name].members
                texts = {member for member in members if members[member].type_name == "string"}
                event[name] = {n: _packed(value) if n in texts else value for n, value in details.items()}
    return events


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


def _packed(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value


def _unpacked(value: Any) -> Any:
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
