"""How much of the time a local stack spends in jobs."""

import time

ALL = "all"
RUNNING = ("InProgress", "RUNNING")


class JobClock:
    """From the stack's events: for each group, how long it had a job under way, and how long it had none.

    A job that waits for a free core is under way. `all` is the whole stack.
    """

    def __init__(self, groups, then):
        self._then = then
        self._under_way = {group: set() for group in [*groups, ALL]}
        self._since = dict.fromkeys(self._under_way)
        self.inside = dict.fromkeys(self._under_way, 0.0)
        self.outside = dict.fromkeys(self._under_way, 0.0)

    def show(self, event: dict) -> None:
        if event["kind"] in ("job", "execution"):
            group = next(
                group for group in self._under_way if event["name"].startswith(f"{group}-") or group == ALL
            )
            for name in {group, ALL}:
                self._tick(name, event)
        self._then(event)

    def _tick(self, group: str, event: dict) -> None:
        now, under_way = time.monotonic(), self._under_way[group]
        if self._since[group] is not None:
            clock = self.inside if any(kind == "job" for kind, _ in under_way) else self.outside
            clock[group] += now - self._since[group]
        thing = (event["kind"], event["name"])
        (under_way.add if event["status"] in RUNNING else under_way.discard)(thing)
        # Between two months nothing of the group is under way: that time does not count.
        self._since[group] = now if under_way else None
