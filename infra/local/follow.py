"""Following what happens in a local stack until a step of the flow has ended for every group."""

from collections.abc import Callable, Iterable

from infra.local.stack import LocalStack

ENDED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class Follower:
    """Reads the stack's events in order, once, and passes each to `show`."""

    def __init__(self, stack: LocalStack, show: Callable[[dict], None] = lambda event: None):
        self._events = stack.events()
        self._show = show

    def until_ended(self, workflow: str, groups: Iterable[str], purpose: str) -> dict[str, str]:
        """Read on until each group's `workflow` of `purpose` has ended, or whatever leads to it has failed.

        `workflow` is `training`, `inference` or `comparison`; `purpose` is the second part of a run's name.
        Returns the status of the last execution of each group.
        """
        status = {}
        waiting = set(groups)
        while waiting:
            event = next(self._events)
            self._show(event)
            if event["kind"] != "execution" or event["status"] not in ENDED:
                continue
            group = next((group for group in waiting if event["name"].startswith(f"{group}-")), None)
            done = event["machine"].endswith(workflow) and event["name"].startswith(f"{group}-{purpose}-")
            if group and (done or event["status"] != "SUCCEEDED"):
                status[group] = event["status"]
                waiting.remove(group)
        return status
