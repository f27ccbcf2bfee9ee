"""`labelmill runs watch`, and runs on a screen: a table of those under way, a line for each change."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.commands.display import duration, fits, minute
from pipelines.commands.screen import Screen

if TYPE_CHECKING:
    from pipelines.failures.failed_runs import Executions
    from pipelines.monitoring.progress import Progress

TITLES: tuple[str, ...] = ("group", "run", "state", "since", "jobs", "expected end")
#: Where there is no room for all, which a state with a long name would need for moments only.
NARROW = ("group", "run", "state", "jobs", "end")
HALF_A_DAY = timedelta(hours=12)


def run(args: argparse.Namespace) -> int:
    """Watch until nothing runs any more; 1 where a run has failed meanwhile."""
    from pipelines.failures import failed_runs
    from pipelines.failures.failure import open_stack
    from pipelines.monitoring import watch

    stack, failed = open_stack(args.stack), 0
    check_group(failed_runs.read(stack), args.group)
    with RunScreen() as screen:
        for known, found in watch.looks(stack, [args.group] if args.group else None):
            for one in screen.look(found):
                failed += 1
                screen.say(f"  why: {known.describe(one.run).get('cause') or 'stopped from outside'}")
    print("nothing runs" + ("; labelmill failures says what to do about what failed" if failed else ""))
    return 1 if failed else 0


def check_group(known: Executions, group: str | None) -> None:
    """Raises LedgerError for a group without a run or a codebook, which is most likely misspelt."""
    from pipelines.ledger.reading import check_known
    from pipelines.names import parse_run

    runs = map(parse_run, known.by_name)
    if group and not any(run and run.group == group for run in runs):
        check_known(known.stack.client("dynamodb"), known.stack.table, group)


def expected(one: Progress) -> str:
    """When it should end, in words."""
    from pipelines.monitoring.progress import APPROVAL

    return "a person decides" if one.state == APPROVAL else minute(one.expected_end) or "unknown"


class RunScreen(Screen):
    """A screen that is shown one look at runs after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, Progress] = {}

    def look(self, found: list[Progress], head: str = "") -> list[Progress]:
        """Show a look, behind words of the caller's; returned are those that have failed since the last."""
        from pipelines.executions import ENDED_IN_VAIN
        from pipelines.monitoring import watch

        changed = watch.changed(self._before, found)
        self._before = {one.run: one for one in found}
        for one in changed:
            if one.status != "RUNNING" or not self.is_live:
                self.say(_line(one))
        running = [one for one in found if one.status == "RUNNING"]
        titles, rows = TITLES, [_cells(one) for one in running]
        if not fits(titles, rows):
            titles, rows = NARROW, [row[:3] + row[4:] for row in rows]
        self.show(lambda: head + _total(running), titles, rows)
        return [one for one in changed if one.status in ENDED_IN_VAIN]


def _total(running: list[Progress]) -> str:
    """What all runs have done together, and how much time is left where earlier runs tell."""
    if not running:
        return "nothing runs at the moment"
    done, jobs = sum(one.done or 0 for one in running), sum(one.jobs for one in running)
    words = f"under way: {len(running)}; jobs done: {done} of {jobs}"
    ends = [one.expected_end for one in running if one.expected_end]
    if len(ends) == len(running) and (left := max(ends) - datetime.now(UTC)).total_seconds() > 0:
        words += f"; expected time left: {duration(left)}"
    return words


def _cells(one: Progress) -> tuple[str, ...]:
    group, purpose, period = one.named
    times = _time(one.since, minute(one.since)), _time(one.expected_end, expected(one))
    return group, f"{purpose} {period}", one.state, times[0], f"{one.done} of {one.jobs}", times[1]


def _time(time: datetime | None, text: str) -> str:
    """Without the day where the hour says which day it is, also around midnight."""
    near = time is not None and abs(time - datetime.now(UTC)) < HALF_A_DAY
    return text.removeprefix(f"{time:%Y-%m-%d} ") if near else text


def _line(one: Progress) -> str:
    if one.status != "RUNNING":
        return f"{minute(one.since)} {one.run} {one.status}"
    state = f"{one.state}, {one.done} of {one.jobs} jobs done, expected end: {expected(one)}"
    return f"{minute(one.since)} {one.run} {state.lstrip(', ')}"
