"""Ended executions as JSON files: `executions/{machine}/{name}.json` with input, outcome and history."""

import json
from pathlib import Path
from typing import Any


def write_execution(folder: Path, description: dict[str, Any], history: list[dict[str, Any]]) -> Path:
    """Write one ended execution and return the file; `description` and `history` are the API's answers.

    JSON texts inside (input, output, cause) are written as what they say, so that a person can read them.
    """
    machine, name = description["executionArn"].split(":")[-2:]
    path: Path = folder / machine / f"{name}.json"
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
