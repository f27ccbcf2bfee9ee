"""What the demo shows while it runs: from events as the local stack has them."""

import os
from collections import Counter
from pathlib import Path

import pytest

from infra.local import progress
from infra.local.progress import Progress
from infra.local.two_months import planned
from pipelines.names import parse_run
from tests import terminal

RUN = "DE-weee-training-2026-09-0f3a9c21d4e5"


def execution(status, name=RUN):
    return {"kind": "execution", "machine": "labelmill-training", "name": name, "status": status}


def job(kind, name, status="Completed"):
    return {"kind": "job", "type": kind, "name": name, "status": status}


@pytest.fixture
def clock(monkeypatch):
    """The monotonic clock; a test sets it."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def shown(clock):
    """A demo of one group with a training of 11 jobs and an inference of 3; what a terminal would show."""
    screen = Progress({"DE-weee": {"training": 1, "inference": 1}})

    def show(*events):
        for event in events:
            screen.event(event)
        return screen.text()

    return show


def test_a_search_counts_as_the_jobs_that_it_tries(shown):
    assert "0 of 14" in shown()
    trials = [job("training", f"DE-weee-4b9c9936d533-{number:03}-ea211c62") for number in range(8)]
    assert "8 of 14" in shown(*trials, job("tuning", "DE-weee-4b9c9936d533"))


def test_each_group_has_its_run_and_the_job_it_is_in(shown):
    text = shown(execution("RUNNING"), job("processing", "DE-weee-2026-09-featurize-313e9456", "InProgress"))
    assert "DE-weee  training 2026-09  featurize  0 of 14" in text
    text = shown(job("tuning", "DE-weee-4b9c9936d533", "InProgress"))
    text = shown(job("training", "DE-weee-4b9c9936d533-001-ea211c62", "InProgress"))
    assert "training 2026-09  tune  0 of 14" in text, "its trials are the search"
    assert "DE-weee  training 2026-09 succeeded       0 of 14" in shown(execution("SUCCEEDED"))


def test_the_time_left_is_said_once_there_is_something_to_judge_it_by(shown, clock):
    first, second = "DE-weee-2026-09-prepare-013687ed", "DE-weee-2026-09-featurize-313e9456"
    assert shown().startswith("0 s; starting the local stack\n")
    clock[0] += 30
    assert "left" not in shown(job("processing", first, "InProgress"))
    clock[0] += 5
    assert "left" not in shown(job("processing", first)), "one job of 14 is not a tenth"
    clock[0] += 5
    assert shown(job("processing", second)).startswith("40 s; jobs done: 2 of 14; about 1 min left\n")
    clock[0] += 30
    assert shown().startswith("1 min 10 s; jobs done: 2 of 14; about 30 s left\n")
    clock[0] += 40
    assert "left" not in shown(), "it is taking longer than that"


def test_the_stories_plan_has_the_review_of_the_group_whose_codes_change():
    assert planned()["FR-packaging"] == planned()["DE-weee"] | {"review": 1}


@pytest.mark.after_demo
def test_the_demo_has_as_many_runs_as_are_planned():
    folder = Path(os.environ.get("LABELMILL_RUN_FOLDER", ".labelmill/demo"))
    runs = [parse_run(path.stem) for path in folder.glob("executions/*/*.json")]
    assert Counter((run.group, run.purpose) for run in runs) == {
        (group, purpose): number
        for group, purposes in planned().items()
        for purpose, number in purposes.items()
    }


def test_in_a_pipe_there_is_a_line_for_each_run_that_ends_and_each_message(capsys, clock):
    with Progress({"DE-weee": {"training": 1}}) as screen:
        screen.event(execution("RUNNING"))
        screen.event(job("processing", "DE-weee-2026-09-prepare-013687ed"))
        clock[0] += 12.5
        screen.event(execution("SUCCEEDED"))
        screen.event({"kind": "message", "topic": "labelmill-mlops", "subject": "FIRST: DE-weee 2026-09"})
    assert capsys.readouterr().out.splitlines() == [
        f"  12.5 s  ok   {RUN}; jobs done: 1 of 11",
        "  12.5 s  SNS  to mlops: FIRST: DE-weee 2026-09",
    ]


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_no_line_is_too_wide_and_ctrl_c_leaves_the_cursor(columns):
    program = """
import sys, time
from infra.local.progress import Progress
from infra.local.two_months import planned
from pipelines.names import parse_run
from pipelines import names
try:
    with Progress(planned()) as screen:
        screen.say("2026-10 is over; a code of FR-packaging was renamed, one was split; items are ordered")
        for purpose in ("comparison", "inference"):
            name = names.run_name("FR-packaging", purpose, "2026-10")
            screen.event({"kind": "execution", "machine": "m", "name": name, "status": "SUCCEEDED"})
        name = "FR-packaging-2026-10-transform-112df23c"
        screen.event({"kind": "job", "type": "transform", "name": name, "status": "InProgress"})
        print("waits", flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    sys.exit(130)
"""
    seen = terminal.run(program, columns, interrupt_at="waits")
    assert seen.exit_code == 130 and seen.cursor_is_shown
    assert max(map(len, seen.text.split("\n"))) <= columns
    assert "FR-packaging  inference 2026-10 succeeded  transform  0 of 40" in seen.text
