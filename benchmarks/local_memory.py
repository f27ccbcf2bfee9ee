"""What the local stack keeps of each month: memory and files, over months of small groups.

    .venv/bin/python benchmarks/local_memory.py [--months 6] [--groups 2] [--json PATH]

Each month every group gets 100 labelled rows more, is trained, compared and labels 200 items. The table has,
after each month, the resident memory of the server and of the processes it has started, and the files under
the stack's folder. Linux only. Items are synthetic.
"""

import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from _report import arguments, show

from infra.local.follow import Follower
from infra.local.schedules import fire
from infra.local.stack import LocalStack
from infra.local.warehouse_samples import load
from infra.samples import generate
from infra.samples.deliver import publish

FIRST_ROWS, NEW_ROWS, ITEMS, TO_LABEL_FROM = 600, 100, 200, 100_000
GROUPS = ("DE-weee", "IT-weee", "PL-weee", "AT-weee", "GB-weee", "ES-weee", "NL-weee", "CZ-weee")
KINDS = ("jobs", "executions", "s3", "cache", "mailbox")


def main() -> int:
    options = arguments(__doc__)
    options.add_argument("--months", type=int, default=6, help="how many (default: %(default)s)")
    options.add_argument("--groups", type=int, default=2, help=f"up to {len(GROUPS)} (default: %(default)s)")
    args = options.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder) / "stack") as stack:
        follower = Follower(stack)
        groups = GROUPS[: args.groups]
        for group in groups:
            publish(stack, generate.codebook(group, "2026-01"))
        for number in range(args.months):
            started = time.monotonic()
            month(stack, follower, groups, number)
            row = {"month": number + 1, "seconds": round(time.monotonic() - started)}
            rows.append(row | measure(stack))
            print(rows[-1], file=sys.stderr, flush=True)
    show(f"The local stack after each month of {len(groups)} groups", rows, args.json)
    return 0


def month(stack: LocalStack, follower: Follower, groups: tuple[str, ...], number: int) -> None:
    """Train, compare and label as the two schedules say; they fire a month later."""
    period, fired = f"2026-{number + 1:02}", datetime(2026 + (number + 1) // 12, (number + 1) % 12 + 1, 1, 4)
    for group in groups:
        start = FIRST_ROWS + number * NEW_ROWS if number else 0
        load(stack, group, period, start, FIRST_ROWS + (number + 1) * NEW_ROWS - start, labelled=True)
        load(stack, group, period, TO_LABEL_FROM + number * ITEMS, ITEMS, labelled=False)
    for schedule, end in (("training", "comparison"), ("inference", "inference")):
        fire(stack.client, f"labelmill-{schedule}", fired.replace(tzinfo=UTC))
        follower.until_ended(dict.fromkeys(groups, end))
    stack.wait_until_quiet(timeout_seconds=120)


def measure(stack: LocalStack) -> dict[str, float]:
    """Memory in MiB, files by folder, and their size in MiB."""
    files = [path for path in stack.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    count = Counter(path.relative_to(stack.folder).parts[0] for path in files)
    return {
        "server MiB": round(resident(stack.pid) / 2**20, 1),
        "others MiB": round(sum(map(resident, descendants(stack.pid))) / 2**20, 1),
        "files": len(files),
        **{kind: count[kind] for kind in KINDS},
        "size MiB": round(sum(path.stat().st_size for path in files) / 2**20, 1),
    }


def resident(pid: int) -> int:
    """Resident memory of a process, in bytes; 0 where it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and those that they have."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text(encoding="utf-8").split()):
            found += [child, *descendants(child)]
    return found


if __name__ == "__main__":
    sys.exit(main())
