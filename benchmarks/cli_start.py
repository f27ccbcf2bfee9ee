"""How long `labelmill --help` takes, as a whole process.

.venv/bin/python benchmarks/cli_start.py [--json PATH]
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from _report import arguments, show

RUNS = 20


def main() -> None:
    args = arguments(__doc__).parse_args()
    seconds = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run(
            [Path(sys.executable).with_name("labelmill"), "--help"], check=True, capture_output=True
        )
        seconds.append(time.perf_counter() - started)
    milliseconds = sorted(1000 * each for each in seconds[1:])  # the first one warms the disk's cache
    row = {"runs": RUNS, "median ms": statistics.median(milliseconds), "slowest ms": milliseconds[-1]}
    show("labelmill --help", [row], args.json)


if __name__ == "__main__":
    main()
