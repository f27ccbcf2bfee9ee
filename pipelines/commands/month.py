"""`labelmill month`: how far each model group is with a month, what is missing, and how much time is left."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from pipelines.commands.arguments import period
from pipelines.commands.display import duration, lines, minute
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json, print_table


def add_parser(subparsers: Subparsers) -> None:
    """Add `month` to the command line."""
    parser = subparsers.add_parser(
        "month",
        description="Show how far each model group is with a month, what is missing, until when, and how "
        "much time is left (docs/operations.md).",
        epilog="Example: labelmill month 2026-10",
    )
    parser.add_argument(
        "period",
        nargs="?",
        type=period,
        metavar="PERIOD",
        help="the month (default: the last that has ended)",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_stack(parser)
    parser.set_defaults(run=guarded(_show))


def _show(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from pipelines.errors import Refused
    from pipelines.failures import failed_runs
    from pipelines.failures.failure import open_stack
    from pipelines.monitoring import month
    from pipelines.monitoring.deliveries import deliveries
    from pipelines.warehouse.unload import month_before

    stack, now = open_stack(args.stack), datetime.now(UTC)
    wanted = args.period or month_before(now, stack.outputs["TimeZone"])
    known = failed_runs.read(stack)
    landed = deliveries(stack, known, period=wanted)
    groups = month.read(stack, known, wanted, landed, now)
    if "DeadlineDay" not in stack.outputs:
        raise Refused(
            f"{args.stack} was deployed before its outputs had the deadline. Fix: labelmill deploy."
        )
    day, hour = int(stack.outputs["DeadlineDay"]), int(stack.outputs["DeadlineHour"])
    due = month.deadline(wanted, stack.outputs["TimeZone"], day, hour)
    done = sum(group.is_done for group in groups)
    wrong = [delivery.problem for delivery in landed if delivery.problem]
    if args.json:
        return print_json(
            {
                "period": wanted,
                "due": due.astimezone(UTC).isoformat(timespec="seconds"),
                "seconds_left": round((due - now).total_seconds()),
                "groups": [asdict(group) for group in groups],
                "wrong_keys": wrong,
            }
        )
    left = f"{duration(due - now)} left" if due > now else f"overdue for {duration(now - due)}"
    if due < stack.created:
        left = f"before this stack was made on {stack.created:%Y-%m-%d}"
    is_done = done == len(groups)
    print(
        lines(
            f"{wanted}: {done} of {len(groups)} groups done, due {minute(due)} UTC"
            + ("" if is_done else f", {left}")
        )
    )
    if groups:
        titles = ("group", "labels", "model", "done", "next")
        cells = [(g.group, g.labels, g.model, "yes" if g.is_done else "no", g.next_step) for g in groups]
        print_table(titles, cells)
    for problem in wrong:
        print(lines(f"wrong key: {problem}"))
    return 0
