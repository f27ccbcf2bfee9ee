"""Runs on a screen: on terminals of several widths, on one that cannot draw anew, in a pipe, interrupted."""

import os
import re
import subprocess
import sys

import pytest

from tests import terminal

#: Two looks at runs.
PROGRAM = """
import sys, time
from datetime import UTC, datetime, timedelta
from pipelines.commands.watch_runs import RunScreen
from pipelines.monitoring.progress import Progress

now = datetime.now(UTC)
def a_run(group, state, done, status="RUNNING", ends=now + timedelta(minutes=12, seconds=30)):
    return Progress(f"{group}-comparison-2026-10-0f3a9c21d4e5", status, now, None, state, now, done, 4, ends)

try:
    with RunScreen() as screen:
        screen.look([a_run("DE-weee", "Prepare", 0), a_run("FR-packaging", "GetArtefactBeforeTransform", 2)])
        screen.say("why: s3://bucket/labels/DE-weee/2026-10/manifest lacks the column brand. Fix: deliver it")
        pass  # WAIT
        screen.look([a_run("DE-weee", "", None, "SUCCEEDED"), a_run("FR-packaging", "Publish", 3)])
except KeyboardInterrupt:
    sys.exit(130)
print("the end")
"""
WAITING = PROGRAM.replace("pass  # WAIT", "print('waits', flush=True); time.sleep(60)")
HEAD, STATE = "under way: 2; jobs done: 2 of 8; expected time left: 12 min", "GetArtefactBeforeTransform"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_table_with_totals_and_no_line_of_it_is_too_wide_or_cut(columns):
    seen = terminal.run(PROGRAM, columns)
    assert seen.exit_code == 0 and seen.cursor_is_shown
    assert HEAD in seen.text and STATE in seen.text
    assert max(map(len, seen.text.split("\n"))) <= columns
    assert re.search(rf"\nFR-packaging  comparison 2026-10  {STATE}  .*2 of 4  ", seen.text)
    assert ("since" in seen.text.partition("why: ")[0]) == (columns == 120)
    assert "DE-weee-comparison-2026-10-0f3a9c21d4e5 SUCCEEDED\n" in seen.text
    assert "s3://bucket/labels/DE-weee/2026-10/manifest" in seen.text


def test_a_table_that_is_too_wide_for_the_terminal_is_shown_row_by_row():
    seen = terminal.run(PROGRAM, 50)
    assert "group: FR-packaging\n" in seen.text and "  state: GetArtefactBeforeTransform\n" in seen.text


def test_a_terminal_that_cannot_draw_anew_gets_lines_without_any_control():
    seen = terminal.run(PROGRAM, 80, TERM="dumb")
    assert "\x1b" not in seen.raw and "2 of 4 jobs done" in " ".join(seen.text.split())


def test_without_colours_nothing_is_coloured():
    seen = terminal.run(PROGRAM, 80, NO_COLOR="1")
    assert STATE in seen.text and not COLOUR.search(seen.raw)


@pytest.mark.parametrize("environment", [{}, {"FORCE_COLOR": "1"}], ids=["", "colours wanted"])
def test_a_pipe_gets_a_line_for_each_change_and_nothing_else(environment):
    # Named, or a child has the COLUMNS that readline has put into the process behind Python's back.
    env = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=env
    )
    assert "\x1b" not in done.stdout and "under way" not in done.stdout
    assert len(done.stdout.splitlines()) == 6


def test_ctrl_c_ends_it_with_the_cursor_shown_and_the_last_table_left():
    seen = terminal.run(WAITING, 80, interrupt_at="waits")
    assert seen.exit_code == 130 and seen.cursor_is_shown
    assert STATE in seen.text.rpartition("waits")[2]


def test_times_have_no_day_where_the_hour_says_which_it_is_also_around_midnight():
    almost_half_a_day = PROGRAM.replace("state, now, done", "state, now - timedelta(hours=11.9), done")
    almost_half_a_day = almost_half_a_day.replace("minutes=12, seconds=30", "hours=11.9")
    table = terminal.run(almost_half_a_day, 120).text.partition("why: ")[0]
    assert "since" in table and not re.search(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}", table)
