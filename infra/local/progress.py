"""What a person sees of the demo while it runs: how far each group is, what is done of all, the time left.

A search counts as the jobs that it tries: that is what takes the time.
"""

import re
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.local.follow import ENDED
from pipelines.commands.display import duration, table
from pipelines.commands.screen import Screen
from pipelines.names import GROUP_PATTERN, parse_run
from pipelines.plan.definitions import workflow

TITLES = ("group", "run", "job", "jobs done")
#: The time left is said from this share of the jobs on: before, too little is known of how long they take.
BASIS = 0.1
_GROUP = re.compile(GROUP_PATTERN)


class Progress(Screen):
    """A screen; `event` takes the stack's events.

    Args:
        planned: how many runs of each purpose each group will have.
    """

    def __init__(self, planned: Mapping[str, Mapping[str, int]]) -> None:
        super().__init__()
        self._jobs = {group: sum(_jobs(p) * n for p, n in runs.items()) for group, runs in planned.items()}
        self._done: Counter[str] = Counter()
        self._runs = dict.fromkeys(planned, "")
        self._at = dict.fromkeys(planned, "")
        self._searches: list[str] = []
        self._began = time.monotonic()
        self._first_job = self._end = 0.0
        self._draw_anew()

    def event(self, event: dict[str, Any]) -> None:
        """Take one event of `LocalStack.events`."""
        if event["kind"] == "job":
            self._job(event)
        elif event["kind"] == "execution":
            self._run(event)
        elif event["kind"] == "misplaced":
            self._line("!", event["problem"])
        elif event["kind"] == "message":
            self._line("SNS", f"to {event['topic'].rpartition('-')[2]}: {event['subject']}")
        self._draw_anew()

    def _job(self, event: dict[str, Any]) -> None:
        found = _GROUP.match(event["name"])
        group = found[0] if found else ""
        self._first_job = self._first_job or time.monotonic()
        if event["status"] == "InProgress":
            if event["type"] == "tuning":
                self._searches.append(f"{event['name']}-")
            if not event["name"].startswith(tuple(self._searches)):  # no trial of a search
                self._at[group] = _step(event)
        elif event["status"] == "Completed" and event["type"] != "tuning":
            self._done[group] += 1
            done, jobs = self._done.total(), sum(self._jobs.values())
            now = time.monotonic()
            if BASIS * jobs <= done <= jobs:
                self._end = now + (now - self._first_job) / done * (jobs - done)

    def _run(self, event: dict[str, Any]) -> None:
        run = parse_run(event["name"])
        assert run, event
        words = f"{run.purpose} {run.period}"
        if event["status"] in ENDED:
            so_far = "" if self.is_live else f"; {self._total()}"
            self._line("ok" if event["status"] == "SUCCEEDED" else event["status"], event["name"] + so_far)
            words, self._at[run.group] = f"{words} {event['status'].lower()}", ""
        self._runs[run.group] = words

    def _line(self, mark: str, text: str) -> None:
        self.say(f"{time.monotonic() - self._began:6.1f} s  {mark:<4} {text}")

    def _total(self) -> str:
        return f"jobs done: {self._done.total()} of {sum(self._jobs.values())}"

    def _draw_anew(self) -> None:
        did = self._total() if self._first_job else "starting the local stack"
        end = self._end
        self.show(
            lambda: f"{_seconds(time.monotonic() - self._began)}; {did}{_left(end)}",
            TITLES,
            [(g, self._runs[g], self._at[g], f"{self._done[g]} of {n}") for g, n in self._jobs.items()],
        )

    def results(
        self, results: list[dict[str, Any]], story: list[str], pages: list[Path], folder: Path, seconds: float
    ) -> None:
        """The closing table, what the change of codes did, and the paths of what to open next."""
        self.say("\nSynthetic items: the scores show that the flow works, not how good it is on your items\n")
        columns = ("group", "rows", "verdict", "score", "labelled", "to review")
        print(table(columns, [[_cell(result[name]) for name in columns] for result in results]) + "\n")
        for result in results:
            self.say(f"{result['group']}: {result['reason']}")
        self.say("\nThe change of codes, in the labels of a model trained before it:")
        for sentence in story:
            self.say(f"  {sentence}")
        self.say(f"\nDone in {seconds:.0f} s. Open next, in {folder}/:")
        for page in pages:
            self.say(f"  {page.relative_to(folder)}")
        self.say("  review-*.csv   the review sheet as it was handed in")
        self.say("  mailbox/       the messages that were sent")
        self.say("  jobs/          each job's request and log")
        self.say("  executions/    each run's input, steps and outcome")


def _jobs(purpose: str) -> int:
    """Jobs of a run: those of the search are its trials."""
    machine = purpose if purpose in ("training", "comparison") else "inference"
    return sum(job.trials for job in workflow(machine, purpose).jobs)


def _step(event: dict[str, Any]) -> str:
    """What a job does: processing jobs have it in their names (names.py)."""
    if event["type"] == "processing":
        return str(event["name"].split("-")[-2])
    return {"tuning": "tune", "training": "train"}.get(event["type"], str(event["type"]))


def _left(end: float) -> str:
    """The time left in words, in steps of ten seconds; empty without a basis, and when it is up."""
    left = round(end - time.monotonic(), -1)
    return f"; about {_seconds(left)} left" if left > 0 else ""


def _seconds(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "-")
