"""Following what happens in a local stack until a step of the flow has ended for every group."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.stack import LocalStack
from pipelines.names import parse_run

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class Follower:
    """Reads the stack's events in order, once, and passes each to `show`."""

    def __init__(self, stack: LocalStack, show: Callable[[dict[str, Any]], None] = lambda event: None):
        self._events = stack.events()
        self._show = show
        # By group: purpose and status of runs nobody has waited for yet.
        self._ended: defaultdict[str, deque[tuple[str, str]]] = defaultdict(deque)

    def until_ended(self, goals: Mapping[str, str]) -> dict[str, str]:
        """Read on until each group's goal has ended, or whatever leads to it has failed.

        `goals` says for each group the purpose of a run, the second part of its name: `training`, `test`,
        `comparison`, `inference` or `review`. A run is waited for once: the next goal is a later one. Returns
        the status of the last run of each group.
        """
        return {group: self._status(group, purpose) for group, purpose in goals.items()}

    def _status(self, group: str, purpose: str) -> str:
        while True:
            while not self._ended[group]:
                self._read()
            ended, status = self._ended[group].popleft()
            if ended == purpose or status != "SUCCEEDED":
                return status

    def _read(self) -> None:
        event = next(self._events)
        self._show(event)
        if event["kind"] == "execution" and event["status"] in ENDED:
            run = parse_run(event["name"])
            assert run, event
            self._ended[run.group].append((run.purpose, event["status"]))
