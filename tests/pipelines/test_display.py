"""Text, times and tables as people see them: on terminals of any width, and in a pipe."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipelines.commands import display

RUN = "DE-weee-comparison-2026-10-0f3a9c21d4e5"
ROWS = [(RUN, "RUNNING", "Prepare"), ("FR-weee", "FAILED", "")]
TITLES = ("run", "status", "state")


@pytest.fixture
def columns(monkeypatch):
    return lambda number: monkeypatch.setenv("COLUMNS", str(number))


@pytest.mark.parametrize("number", [20, 40, 80, 120])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_cut(columns, number):
    columns(number)
    text = f"why: {RUN} lacks the column brand. Fix: deliver it; see s3://bucket/{'x' * 60}/manifest"
    shown = [display.lines(text, indent="  "), display.table(TITLES, ROWS)]
    assert shown[0].split() == text.split()
    assert RUN in shown[1].split()
    too_wide = [line for each in shown for line in each.splitlines() if len(line) > number]
    assert all(" " not in line.removeprefix("run: ").strip() for line in too_wide), too_wide


def test_a_table_too_wide_for_the_terminal_is_shown_row_by_row_without_what_is_empty(columns):
    columns(45)
    assert display.table(TITLES, ROWS) == (
        f"run: {RUN}\n  status: RUNNING\n  state: Prepare\n\nrun: FR-weee\n  status: FAILED"
    )


def test_in_a_pipe_nothing_is_broken_and_every_row_is_a_line(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    text = "word " * 100
    assert display.lines(text, indent="  ") == f"  {text}"
    titles, first, second = display.table(TITLES, ROWS).splitlines()
    assert titles.index("status") == first.index("RUNNING") == second.index("FAILED")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (45, "45 s"), (185, "3 min 5 s"), (7200, "2 h"), (7260, "2 h 1 min"), (273_660, "3 d 4 h")],
)
def test_a_duration_has_its_two_largest_units(seconds, shown):
    assert display.duration(timedelta(seconds=seconds)) == shown


def test_times_are_shown_in_utc():
    berlin = timezone(timedelta(hours=1))
    assert display.minute(datetime(2026, 11, 3, 0, 30, tzinfo=berlin)) == "2026-11-02 23:30"
    assert display.minute(datetime(2026, 11, 3, 0, 30, tzinfo=UTC)) == "2026-11-03 00:30"
