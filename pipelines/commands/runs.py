"""`labelmill runs`: what runs, what has run, each step of it, and what its jobs have logged."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.commands import watch_runs
from pipelines.commands.arguments import group
from pipelines.commands.display import duration, lines, minute
from pipelines.commands.shared import Command, Subparsers, add_stack, guarded, print_json, print_table

if TYPE_CHECKING:
    from pipelines.monitoring.progress import Progress
    from pipelines.monitoring.steps import Step

EPILOG = """\
Examples:
  labelmill runs list
  labelmill runs show DE-weee-training-2026-10-0f3a9c21d4e5
  labelmill runs watch
  labelmill runs logs DE-weee-training-2026-10-0f3a9c21d4e5 --follow
"""
DAYS = 7
TAIL_LINES = 20


def add_parser(subparsers: Subparsers) -> None:
    """Add `runs` and its verbs to the command line."""
    parser = subparsers.add_parser(
        "runs",
        description="Show what runs and what has run (docs/operations.md). Nothing is changed.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, run: Command, text: str, example: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text, epilog=f"Example: {example}")
        add_stack(added)
        added.set_defaults(run=guarded(run))
        return added

    listing = verb(
        "list",
        _list,
        f"runs under way and those that ended in the last {DAYS} days, the newest last",
        "labelmill runs list --group DE-weee",
    )
    listing.add_argument("--all", action="store_true", help="all that ended in the last 90 days")
    show = verb(
        "show",
        _show,
        "one run: its steps, how long each took, why it failed, and the end of the log",
        "labelmill runs show DE-weee-training-2026-10-0f3a9c21d4e5",
    )
    watch = verb(
        "watch",
        watch_runs.run,
        "runs under way, shown anew whenever something changes, until nothing runs any more; "
        "the exit code is 1 where one of them failed",
        "labelmill runs watch --group DE-weee",
    )
    logs = verb(
        "logs",
        _logs,
        "what the jobs of a run have logged, each line behind its step",
        "labelmill runs logs DE-weee-training-2026-10-0f3a9c21d4e5 --follow",
    )
    logs.add_argument("--follow", action="store_true", help="go on until the run has ended")
    for one in (listing, watch):
        one.add_argument("--group", type=group, help="only of this model group, such as DE-weee")
    for one in (listing, show):
        one.add_argument("--json", action="store_true", help="print it as JSON")
    for one in (show, logs):
        one.add_argument("name", metavar="RUN", help="its name, as in labelmill runs list")


def _list(args: argparse.Namespace) -> int:
    from pipelines.monitoring import progress

    since = None if args.all else datetime.now(UTC) - timedelta(days=DAYS)
    known = _known(args)
    watch_runs.check_group(known, args.group)
    found = progress.progress(known, [args.group] if args.group else None, since)
    if args.json:
        return print_json([one.as_json() for one in found])
    if not found:
        older = "" if args.all else f" in the last {DAYS} days; labelmill runs list --all has older ones"
        print(lines(f"no runs{f' of {args.group}' if args.group else ''}{older}"))
        return 0
    titles = ("run", "status", "state", "since (UTC)")
    return print_table(titles, [(one.run, one.status, one.state, minute(one.since)) for one in found])


def _known(args: argparse.Namespace) -> Any:
    from pipelines.failures import failed_runs
    from pipelines.failures.failure import open_stack

    return failed_runs.read(open_stack(args.stack))


# ---------------------------------------------------------------- show


def _show(args: argparse.Namespace) -> int:
    from pipelines.monitoring import logs, progress
    from pipelines.monitoring.steps import FAILED

    known = _known(args)
    run, steps = progress.of_run(known, args.name), progress.steps_of(known, args.name)
    why = known.describe(args.name).get("cause", "")
    client = known.stack.client("logs")
    jobs = [step for step in steps if step.job]
    # That of the job that failed, which is not always the last.
    last = next((step for step in reversed(jobs) if step.status == FAILED), jobs[-1] if jobs else None)
    tail = logs.tail(client, last, TAIL_LINES) if last else []
    if args.json:
        shown = {
            "cause": why or None,
            "steps": [
                {
                    **{name: getattr(step, name) for name in ("name", "status", "tries")},
                    "since": step.since.isoformat(timespec="seconds"),
                    "ended": step.ended.isoformat(timespec="seconds") if step.ended else None,
                    "job": step.job or None,
                }
                for step in steps
            ],
            "log": [line.text for line in tail],
        }
        return print_json(run.as_json() | shown)
    _print_run(run, steps, why)
    if last:
        _print_log(run.run, last, [line.text for line in tail], client)
    return 0


def _print_run(run: Progress, steps: list[Step], why: str) -> None:
    now = datetime.now(UTC)
    print(lines(f"{run.run}: {run.status}, {duration((run.ended or now) - run.started)}"))
    print(
        lines(f"since {minute(run.started)} UTC" + (f", until {minute(run.ended)} UTC" if run.ended else ""))
    )
    if why:
        print(lines(f"why: {why}"))
        print(lines(f"next: labelmill failures --group {run.named.group} says what to do"))
    if run.status == "RUNNING":
        print(lines(f"jobs done: {run.done} of {run.jobs}; expected end: {watch_runs.expected(run)}"))
    print()
    cells = [
        (
            step.name,
            step.status,
            duration((step.ended or run.ended or now) - step.since),
            str(step.tries) if step.tries > 1 else "",
            step.job,
        )
        for step in steps
    ]
    print_table(("step", "status", "took", "tries", "job"), cells)


def _print_log(run: str, step: Step, tail: list[str], client: Any) -> None:
    from pipelines.monitoring import logs

    print()
    print(lines(f"log of {step.job}, in {step.log_group}" + ("" if tail else ": nothing yet")))
    for line in tail:
        print(lines(line, indent="  "))
    # Another endpoint, such as that of a stack on this machine, has no console.
    if client.meta.endpoint_url.endswith(".amazonaws.com"):
        print(f"in the console: {logs.address(step, client.meta.region_name)}")
    print(lines(f"all of it: labelmill runs logs {run}"))


# ---------------------------------------------------------------- logs


def _logs(args: argparse.Namespace) -> int:
    from pipelines.monitoring import logs, progress, watch

    known = _known(args)
    reader = logs.Reader(known.stack.client("logs"))
    while True:
        # Looked at before its log is: what it logs until its end is read after it has ended.
        under_way = progress.of_run(known, args.name).status == "RUNNING"
        for line in reader.new(progress.steps_of(known, args.name)):
            print(f"{line.step} | {line.text}", flush=True)
        if not (args.follow and under_way):
            return 0
        time.sleep(watch.POLL_SECONDS)
        known = _known(args)
