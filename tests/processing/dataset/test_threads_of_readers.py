"""Arrow's readers share their work with no thread: one that outlives an error can keep a job from ending."""

import os
import subprocess
import sys

import pytest

from tests.processing.dataset.input_cases.case import COLUMNS

READ = """
import os
import sys
from pathlib import Path
from processing.codes.codebook import Format
from processing.dataset import readers
from processing.errors import JobError
path = Path(sys.argv[1])
columns = dict.fromkeys(sys.argv[2:], "text")
before = len(os.listdir("/proc/self/task"))
try:
    readers.read(path, path.name, columns, Format())
    ended = "read"
except JobError as refused:
    ended = refused.kind
print(ended, len(os.listdir("/proc/self/task")) - before)
"""
ROWS = 20_000  # some blocks of Arrow's own size
HEADER, GOOD, BAD = ",".join(COLUMNS), ",".join("1" for _ in COLUMNS), "1,2"
RECORD = "{" + ", ".join(f'"{name}": "1"' for name in COLUMNS) + "}"


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
@pytest.mark.parametrize(
    ("name", "lines", "ended", "threads"),
    [
        ("a.csv", [HEADER, *[GOOD] * ROWS], "read", 1),  # reads ahead (processing/dataset/lent.py)
        ("a.csv", [HEADER, BAD, *[GOOD] * ROWS], "broken-csv", 1),
        ("a.jsonl", [RECORD] * ROWS, "read", 0),
    ],
)
def test_reading_starts_no_thread_that_would_have_to_be_waited_for(tmp_path, name, lines, ended, threads):
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READ, path, *COLUMNS], check=True, capture_output=True, text=True
    )
    as_what, started = done.stdout.split()
    assert as_what == ended and int(started) <= threads
