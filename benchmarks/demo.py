"""The demo's two months: seconds, the share of them outside jobs, and the memory of all its processes.

.venv/bin/python benchmarks/demo.py [--runs 3] [--json PATH]

Set-up and the pages at the end are not counted; starting the stack is a column of its own. Memory is the
largest sum of the proportional set sizes of the stack's processes, read five times a second (Linux).
"""

import statistics
import tempfile
import threading
import time
from pathlib import Path

from _clock import ALL, JobClock
from _report import arguments, show

from infra.local.follow import Follower
from infra.local.stack import LocalStack
from infra.local.two_months import MONTHS, two_months


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    rows = [{"run": str(number + 1), **measure()} for number in range(args.runs)]
    rows.append({name: statistics.median(row[name] for row in rows) for name in rows[0] if name != "run"})
    rows[-1] = {"run": "median", **rows[-1]}
    show("labelmill demo", rows, args.json)


def measure() -> dict[str, float]:
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder)) as stack,
        Memory(stack.pid) as memory,
    ):
        up = time.monotonic()
        clock = JobClock(MONTHS, lambda event: None)
        two_months(stack, Follower(stack, clock.show).until_ended, lambda sentence: None)
        done = time.monotonic()
    return {
        "s to start": up - started,
        "s for two months": done - up,
        "outside jobs %": 100 * (1 - clock.inside[ALL] / (done - up)),
        "peak MB": memory.peak / 1e6,
    }


class Memory:
    """Watches the process `pid` and all its descendants, by default five times a second."""

    def __init__(self, pid: int, every_seconds: float = 0.2):
        self._pid, self._seconds = pid, every_seconds
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.peak = 0

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._left.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._left.wait(self._seconds):
            self.peak = max(self.peak, sum(map(proportional_set_size, family(self._pid))))


def family(pid: int) -> list[int]:
    """A process and all that it and its descendants have started, as far as they run."""
    return [pid, *(one for child in children(pid) for one in family(child))]


def children(pid: int) -> list[int]:
    """Processes that a process has started; none where it has just ended."""
    try:
        found = Path(f"/proc/{pid}/task").glob("*/children")
        return [int(child) for path in found for child in path.read_text().split()]
    except OSError:
        return []


def proportional_set_size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
