"""Looking at runs again and again, and what has changed between two looks."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from pipelines.failures import failed_runs
from pipelines.failures.failed_runs import Executions
from pipelines.failures.failure import Stack
from pipelines.monitoring.progress import Progress, progress

POLL_SECONDS = 3.0
#: With nothing under way for so long that is the end: a run's event starts the next one in seconds.
QUIET_SECONDS = 30.0


def looks(
    stack: Stack, groups: Collection[str] | None = None, quiet_seconds: float = QUIET_SECONDS
) -> Iterator[tuple[Executions, list[Progress]]]:
    """All executions and, of `groups` or of all, the runs that run or have ended since the first look.

    Ends once nothing of these has been under way for `quiet_seconds`.
    """
    began, quiet = datetime.now(UTC), 0.0
    while True:
        known = failed_runs.read(stack)
        found = progress(known, groups, began)
        yield known, found
        quiet = 0.0 if any(one.status == "RUNNING" for one in found) else quiet + POLL_SECONDS
        if quiet >= quiet_seconds:
            return
        time.sleep(POLL_SECONDS)


def changed(before: Mapping[str, Progress], found: Iterable[Progress]) -> list[Progress]:
    """Those that are new or whose status, state or count of jobs is another than `before`, by run."""
    return [one for one in found if one.run not in before or _shown(before[one.run]) != _shown(one)]


def _shown(one: Progress) -> tuple[object, ...]:
    return one.status, one.state, one.done
