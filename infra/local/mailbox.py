"""SNS messages as readable text files, numbered in the order they were sent."""

import itertools
import json
import re
from datetime import UTC, datetime
from pathlib import Path


class Mailbox:
    """Writes `mailbox/0001-operators-labels-ready.txt` and so on."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._numbers = itertools.count(1 + sum(1 for _ in folder.glob("*.txt")))

    def deliver(self, topic: str, subject: str | None, message: str) -> None:
        """Write one message; a JSON message is laid out to be read."""
        words = re.sub(r"[^A-Za-z0-9]+", "-", subject or "message").strip("-")[:60]
        path = self._folder / f"{next(self._numbers):04d}-{topic}-{words}.txt"
        sent = datetime.now(UTC).isoformat(timespec="seconds")
        path.write_text(f"Topic: {topic}\nSubject: {subject or ''}\nSent: {sent}\n\n{_laid_out(message)}\n")


def _laid_out(message: str) -> str:
    try:
        return json.dumps(json.loads(message), indent=2, ensure_ascii=False)
    except ValueError:
        return message
