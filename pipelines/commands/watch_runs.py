"""`labelmill runs watch`: a table that is drawn anew on a terminal; elsewhere a line for each change."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pipelines.commands.display import minute

if TYPE_CHECKING:
    from pipelines.failures.failed_runs import Executions
    from pipelines.monitoring.progress import Progress

TITLES = ("group", "run", "state", "since", "jobs", "expected end")


def run(args: argparse.Namespace) -> int:
    """Watch until nothing runs any more; 1 where a run has failed meanwhile."""
    from pipelines.executions import ENDED_IN_VAIN
    from pipelines.failures import failed_runs
    from pipelines.failures.failure import open_stack
    from pipelines.monitoring import progress, watch

    stack, began, failed = open_stack(args.stack), datetime.now(UTC), 0
    before: dict[str, Progress] = {}
    known: Executions = failed_runs.read(stack)
    check_group(known, args.group)

    def read() -> list[Progress]:
        nonlocal known
        known = failed_runs.read(stack)
        return progress.progress(known, args.group, began)

    with _Screen() as screen:
        for found in watch.looks(read):
            for one in watch.changed(before, found):
                if one.status in ENDED_IN_VAIN:
                    failed += 1
                    why = known.describe(one.run).get("cause") or "stopped from outside"
                    screen.say(f"{_line(one)}. {why}")
                elif one.status == "SUCCEEDED" or not screen.is_live:
                    screen.say(_line(one))
            before = {one.run: one for one in found}
            screen.show([_cells(one) for one in found if one.status == "RUNNING"])
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


def _cells(one: Progress) -> tuple[str, ...]:
    group, purpose, period = one.named
    since = f"{one.since.astimezone(UTC):%H:%M}" if _is_today(one.since) else minute(one.since)
    return group, f"{purpose} {period}", one.state, since, f"{one.done} of {one.jobs}", expected(one)


def _is_today(time: datetime) -> bool:
    return time.astimezone(UTC).date() == datetime.now(UTC).date()


def _line(one: Progress) -> str:
    if one.status != "RUNNING":
        return f"{minute(one.since)} {one.run} {one.status}"
    state = f"{one.state}, {one.done} of {one.jobs} jobs done, expected end: {expected(one)}"
    return f"{minute(one.since)} {one.run} {state.lstrip(', ')}"


class _Screen:
    """Where runs are shown: a live table on a terminal; a log or a pipe gets no table, only what is said."""

    def __init__(self) -> None:
        self.is_live = sys.stdout.isatty()
        self._live: Any = None

    def __enter__(self) -> _Screen:
        if self.is_live:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(highlight=False), auto_refresh=False)
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.__exit__(kind, error, trace)

    def say(self, sentence: str) -> None:
        """A sentence that stays."""
        if self._live:
            self._live.console.print(sentence, markup=False)
        else:
            print(sentence, flush=True)

    def show(self, rows: list[tuple[str, ...]]) -> None:
        """The table, in place of the last one; nothing where there is no terminal."""
        if self._live:
            from rich.table import Table

            table = Table(*TITLES, box=None, pad_edge=False)
            for row in rows:
                table.add_row(*row)
            self._live.update(table, refresh=True)
