"""The sample events in tests/events."""

import json
from pathlib import Path

EVENTS = Path(__file__).parents[2] / "events"


def sample(name: str) -> dict:
    return json.loads((EVENTS / f"{name}.json").read_text())
