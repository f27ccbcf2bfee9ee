"""`labelmill month`: how far each model group is with a month, what is missing, and how much time is left."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.commands.arguments import period
from pipelines.commands.display import duration, lines, minute
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json, print_table

if TYPE_CHECKING:
    from pipelines.monitoring.month import GroupMonth, Standing

#: So many groups of a kind are named in one line.
NAMED = 3


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
    from pipelines.failures.failure import open_stack
    from pipelines.monitoring import month
    from pipelines.warehouse.unload import month_before

    stack, now = open_stack(args.stack), datetime.now(UTC)
    wanted = args.period or month_before(now, stack.outputs["TimeZone"])
    found = month.standing(stack, wanted, now)
    if found.due is None:
        raise Refused(
            f"{args.stack} was deployed before its outputs had the deadline. Fix: labelmill deploy."
        )
    if args.json:
        return print_json(
            {
                "period": wanted,
                "due": found.due.astimezone(UTC).isoformat(timespec="seconds"),
                "seconds_left": round((found.due - now).total_seconds()),
                "groups": [asdict(group) for group in found.groups],
                "wrong_keys": found.wrong_keys,
            }
        )
    print(lines(f"{wanted}: {found.done} of {len(found.groups)} groups done{_due(found)}"))
    if found.groups:
        titles = ("group", "labels", "model", "done", "next")
        cells = [
            (g.group, g.labels, g.model, "yes" if g.is_done else "no", g.next_step) for g in found.groups
        ]
        print_table(titles, cells)
    for problem in found.wrong_keys:
        print(lines(f"wrong key: {problem}"))
    return 0


def answer(found: Standing) -> str:
    """Whether a month is done, what needs a person, and by when: one line, for the month's page."""
    is_done = found.done == len(found.groups)
    head = f"{'Done' if is_done else 'Not done'}: {found.done} of {len(found.groups)} groups{_due(found)}."
    asked = [group for group in found.groups if group.answer_by]
    kinds = {
        "approve or reject": [f"{group.group} by {_moment(group.answer_by)}" for group in asked],
        "failed": [group.group for group in found.groups if "failed" in (group.labels, group.model)],
        "not delivered": [
            _missing(group) for group in found.groups if "missing" in (group.labels, group.model)
        ],
        "under a wrong key": [str(len(found.wrong_keys))] if found.wrong_keys else [],
    }
    needed = "; ".join(f"{what}: {_named(names)}" for what, names in kinds.items() if names)
    sentences = [head, f"A person is needed: {needed} (labelmill month {found.period})." if needed else ""]
    if not needed:
        sentences.append(
            "No model, delivery or failure needs a person." if is_done else "The rest runs by itself."
        )
    return " ".join(filter(None, [*sentences, f"As of {minute(found.now)} UTC."]))


def _due(found: Standing) -> str:
    """The deadline and, until the month is done, what time is left; empty where it is not known."""
    if found.due is None:
        return ""
    left = found.due - found.now
    time = f"{duration(left)} left" if found.due > found.now else f"overdue for {duration(-left)}"
    if found.due < found.made:
        time = f"before this stack was made on {found.made:%Y-%m-%d}"
    is_done = found.done == len(found.groups)
    return f", due {minute(found.due)} UTC" + ("" if is_done else f", {time}")


def _missing(group: GroupMonth) -> str:
    """What of a group's two datasets has not been delivered."""
    if group.labels == group.model == "missing":
        return group.group
    return f"{group.group} ({'items' if group.labels == 'missing' else 'training rows'})"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _moment(time: str) -> str:
    return f"{minute(datetime.fromisoformat(time))} UTC"
