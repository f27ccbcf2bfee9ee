"""Looking at runs again and again, and what has changed between two looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipelines.monitoring.progress import Progress

POLL_SECONDS = 5.0
#: Looks in a row with nothing under way until that is the end: a run's event starts the next one in seconds.
QUIET_LOOKS = 6


def looks(
    read: Callable[[], list[Progress]], sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Progress]]:
    """What `read` gives at each look, until nothing has been under way for QUIET_LOOKS looks."""
    quiet = 0
    while quiet < QUIET_LOOKS:
        if quiet:
            sleep(POLL_SECONDS)
        yield (found := read())
        if any(one.status == "RUNNING" for one in found):
            quiet = 0
            sleep(POLL_SECONDS)
        else:
            quiet += 1


def changed(before: Mapping[str, Progress], found: Iterable[Progress]) -> list[Progress]:
    """Those that are new or whose status, state or count of jobs is another than `before`, by run."""
    return [one for one in found if one.run not in before or _shown(before[one.run]) != _shown(one)]


def _shown(one: Progress) -> tuple[object, ...]:
    return one.status, one.state, one.done
