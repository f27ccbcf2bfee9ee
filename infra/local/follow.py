"""Following what happens in a local stack until a step of the flow has ended for every group."""

import json
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local.executions import failed_job, record_path
from infra.local.stack import LocalStack
from pipelines.names import parse_run

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class RunFailed(RuntimeError):
    """A run or a statement did not succeed or cannot begin; the text says why, and where a run's log is."""


class Follower:
    """Reads the stack's events in order, once, and passes each to `show`."""

    def __init__(self, stack: LocalStack, show: Callable[[dict[str, Any]], None] = lambda event: None):
        self._folder = stack.folder
        self._events = stack.events()
        self._show = show
        # By group: purposes of runs nobody has waited for yet.
        self._ended: defaultdict[str, deque[str]] = defaultdict(deque)

    def until_ended(self, goals: Mapping[str, str]) -> None:
        """Read on until each group's goal has ended.

        `goals` says for each group the purpose of a run, the second part of its name: `training`, `test`,
        `comparison`, `inference` or `review`. A run is waited for once: the next goal is a later one. Raises
        RunFailed at the first run or statement, of whatever group, that does not succeed, and at the first
        manifest under a key from which no run starts.
        """
        for group, purpose in goals.items():
            while self._next(group) != purpose:
                pass  # what leads to it

    def _next(self, group: str) -> str:
        while not self._ended[group]:
            self._read()
        return self._ended[group].popleft()

    def _read(self) -> None:
        event = next(self._events)
        self._show(event)
        if event["kind"] == "statement" and event["status"] in ENDED - {"SUCCEEDED"}:
            raise RunFailed(
                f"The warehouse's statement {event['name']} has ended as {event['status']}, so that no run "
                f"follows: {event['error']}"
            )
        if event["kind"] == "misplaced":
            raise RunFailed(f"A manifest has landed from which no run starts: {event['problem']}")
        if event["kind"] == "execution" and event["status"] in ENDED:
            if event["status"] != "SUCCEEDED":
                raise RunFailed(_failure(self._folder, event))
            run = parse_run(event["name"])
            assert run, event
            self._ended[run.group].append(run.purpose)


def _failure(folder: Path, event: dict[str, Any]) -> str:
    path = record_path(folder / "executions", event["machine"], event["name"])
    record = json.loads(path.read_text(encoding="utf-8"))
    job = failed_job(record["history"])
    return (
        f"{event['machine']}: the run {event['name']} has ended as {event['status']}: "
        f"{record.get('cause') or record.get('error') or 'it was stopped'}\n"
        f"Its log: {folder / 'jobs' / job / 'log.txt' if job else path}"
    )
