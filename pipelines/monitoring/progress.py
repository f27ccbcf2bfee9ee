"""Runs as operators see them: in which state, since when, how many jobs are done, when each should end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from pipelines import names
from pipelines.errors import Refused
from pipelines.failures.failed_runs import Executions
from pipelines.monitoring.steps import DONE, RUNNING, Step, steps
from pipelines.plan.definitions import workflow

#: The state in which a comparison waits for `labelmill approve` or `reject`.
APPROVAL = "AwaitApproval"
#: Executions whose history is asked for at a time.
AT_ONCE = 8


class NoSuchRun(Refused):
    """Step Functions knows no run of that name; the message says where names are."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        run: its name.
        status: as Step Functions calls it: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        started: when it began.
        ended: when it ended; None while it runs.
        state: the step it is in; empty once it has ended.
        since: since when it is in that state; of one that has ended, since when it has.
        done: jobs that are done; None of a run that has ended.
        jobs: all jobs that such a run has.
        expected_end: by how long earlier runs of its group and purpose took; None where there is none, where
            a person must decide first, and once it has ended.
    """

    run: str
    status: str
    started: datetime
    ended: datetime | None
    state: str
    since: datetime
    done: int | None
    jobs: int
    expected_end: datetime | None

    @property
    def named(self) -> names.Run:
        """Group, purpose and period."""
        named = names.parse_run(self.run)
        assert named is not None  # no others are read
        return named

    def as_json(self) -> dict[str, Any]:
        """For programs; times in ISO 8601."""
        return {
            **self.named._asdict(),
            "run": self.run,
            "status": self.status,
            "state": self.state or None,
            "since": _text(self.since),
            "started": _text(self.started),
            "ended": _text(self.ended),
            "jobs_done": self.done,
            "jobs": self.jobs,
            "expected_end": _text(self.expected_end),
        }


def _text(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None


def progress(
    known: Executions, groups: Collection[str] | None = None, since: datetime | None = None
) -> list[Progress]:
    """Runs of `groups`, or of all; those that run, and those that ended at or after `since`; newest last."""
    chosen = [
        name
        for name, execution in known.by_name.items()
        if (named := names.parse_run(name)) is not None
        and (groups is None or named.group in groups)
        and (since is None or "stopDate" not in execution or execution["stopDate"] >= since)
    ]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        found = list(threads.map(lambda name: of_run(known, name), chosen))
    return sorted(found, key=lambda one: (one.started, one.run))


def of_run(known: Executions, name: str) -> Progress:
    """How far the run is. Raises NoSuchRun."""
    execution = _find(known, name)
    named = names.parse_run(name)
    assert named is not None
    machine = execution["executionArn"].split(":")[-2].rpartition("-")[2]
    states = tuple(job.state for job in workflow(machine, named.purpose).jobs)
    ended = execution.get("stopDate")
    running = [] if ended else steps_of(known, name)
    last = running[-1] if running else None
    now_in = last if last is not None and last.status == RUNNING else None
    expected = expected_end(known, name) if not ended and (not now_in or now_in.name != APPROVAL) else None
    return Progress(
        run=name,
        status=execution["status"],
        started=execution["startDate"],
        ended=ended,
        state=now_in.name if now_in else "",
        since=ended or (now_in.since if now_in else execution["startDate"]),
        done=None if ended else min(jobs_done(running), len(states)),
        jobs=len(states),
        expected_end=expected,
    )


def jobs_done(of_run: list[Step]) -> int:
    """How many jobs have ended well; one that was made anew counts once."""
    return len({step.name for step in of_run if step.job and step.status == DONE})


def expected_end(known: Executions, name: str) -> datetime | None:
    """Its start and the median duration of runs of its group and purpose that succeeded; None without any."""
    named = names.parse_run(name)
    took = [
        execution["stopDate"] - execution["startDate"]
        for other, execution in known.by_name.items()
        if execution["status"] == "SUCCEEDED"
        and (of_other := names.parse_run(other)) is not None
        and named is not None
        and of_other[:2] == named[:2]
    ]
    if not took:
        return None
    seconds = median(duration.total_seconds() for duration in took)
    return known.by_name[name]["startDate"] + timedelta(seconds=seconds)


def steps_of(known: Executions, name: str) -> list[Step]:
    """The run's steps, by its history. Raises NoSuchRun."""
    arn = _find(known, name)["executionArn"]
    pages = known.stack.client("stepfunctions").get_paginator("get_execution_history")
    return steps(event for page in pages.paginate(executionArn=arn) for event in page["events"])


def _find(known: Executions, name: str) -> Mapping[str, Any]:
    if name in known.by_name:
        return known.by_name[name]
    raise NoSuchRun(
        f"there is no run {name!r}, or it ended more than 90 days ago. "
        "Fix: copy its name from labelmill runs list"
    )
