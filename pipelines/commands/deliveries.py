"""`labelmill deliveries`: the datasets that have landed, and what became of each."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from pipelines.commands.arguments import group, period
from pipelines.commands.display import lines, minute
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json, print_table


def add_parser(subparsers: Subparsers) -> None:
    """Add `deliveries` and its verb to the command line."""
    parser = subparsers.add_parser(
        "deliveries",
        description="Show the datasets that have landed (docs/operations.md).",
        epilog="Example: labelmill deliveries list --period 2026-10",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    text = "the datasets of a month, the run of each, and every manifest under a wrong key"
    listing = verbs.add_parser(
        "list", help=text, description=text, epilog="Example: labelmill deliveries list --group DE-weee"
    )
    listing.add_argument("--group", type=group, help="only of this model group, such as DE-weee")
    listing.add_argument("--period", type=period, help="the month (default: the last that has ended)")
    listing.add_argument("--json", action="store_true", help="print it as JSON")
    add_stack(listing)
    listing.set_defaults(run=guarded(_list))


def _list(args: argparse.Namespace) -> int:
    from pipelines.failures import failed_runs
    from pipelines.failures.failure import open_stack
    from pipelines.ledger.reading import check_known
    from pipelines.monitoring.deliveries import deliveries
    from pipelines.warehouse.unload import month_before

    stack = open_stack(args.stack)
    month = args.period or month_before(datetime.now(UTC), stack.outputs["TimeZone"])
    found = deliveries(stack, failed_runs.read(stack), args.group or "", month)
    if args.group and not any(one.group for one in found):
        check_known(stack.client("dynamodb"), stack.table, args.group)
    if args.json:
        return print_json([delivery.as_json() for delivery in found])
    right = [delivery for delivery in found if not delivery.problem]
    if right:
        titles = ("group", "for", "delivery", "landed (UTC)", "files", "run", "status")
        cells = [
            (
                *(one.group, one.purpose, one.delivery, minute(one.landed), str(one.files)),
                *(one.run or "no run", one.status),
            )
            for one in right
        ]
        print_table(titles, cells)
    else:
        print(f"no dataset of {month} has landed")
    for one in found:
        if one.problem:
            print(lines(f"wrong key: {one.problem}"))
    return 0
