"""`labelmill demo`: two months for three model groups, on this machine, with synthetic items."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.demo_folder import DEMO_FOLDER
from pipelines.commands.shared import Subparsers

if TYPE_CHECKING:
    from infra.local.stack import LocalStack


def add_parser(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "demo",
        description="Runs two months for three model groups on synthetic items: train, compare, label; the "
        "codes of one group change between them, and a reviewer decides on uncertain items.",
        epilog="Example: labelmill demo --dir another-demo",
    )
    parser.add_argument("--dir", type=Path, default=DEMO_FOLDER, help="where runs and results are kept")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when it went through, 1 at the first run or statement that fails, with what it says."""
    import shutil
    import sys
    import time

    from infra.local import demo_results
    from infra.local.command import find
    from infra.local.follow import Follower, RunFailed
    from infra.local.progress import Progress
    from infra.local.stack import LocalStack
    from infra.local.two_months import CHANGING, MONTHS, two_months

    if find(args.dir):
        print(
            f"a local stack runs in {args.dir}. Fix: labelmill local down --dir {args.dir}", file=sys.stderr
        )
        return 1
    shutil.rmtree(args.dir, ignore_errors=True)
    started = time.monotonic()
    try:
        with Progress() as progress, LocalStack(args.dir) as stack:
            progress.say(f"The local stack is up at {stack.endpoint}; everything is kept in {args.dir}/")
            progress.say("All items are synthetic: no figure below is an accuracy on real items.")
            two_months(stack, Follower(stack, progress.show).until_ended, progress.say)
            pages = _write_reports(stack, args.dir / "reports")
            rows = [demo_results.row(stack, group, MONTHS[group]["2026-10"]) for group in MONTHS]
            story = demo_results.change_of_codes(stack, CHANGING, "2026-10")
    except RunFailed as error:
        print(f"\nThe demo has ended at what failed.\n{error}", file=sys.stderr)
        return 1
    progress.results(rows, story, pages, args.dir, time.monotonic() - started)
    opened = "--from-demo" if args.dir == DEMO_FOLDER else f"--dir {args.dir}"
    progress.say(f"\nGo on with this stack, its ledger, buckets and labels: labelmill local up {opened}")
    return 0


def _write_reports(stack: LocalStack, folder: Path) -> list[Path]:
    """The index and a page for each month; beside them those of the months' comparisons and labels."""
    from pipelines.commands.report import write_period
    from pipelines.failures.failure import Stack
    from pipelines.report.index import INDEX

    opened = Stack(stack.names, stack.client)
    months = [write_period(opened, month, folder) for month in ("2026-09", "2026-10")]
    return [folder / INDEX, *months]
