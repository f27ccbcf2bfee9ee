"""`labelmill failures`: everything that is not done, in one list."""

import argparse
from datetime import UTC, datetime
from itertools import groupby

from pipelines.commands import arguments
from pipelines.commands.display import lines, minute
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json


def add_parser(subparsers: Subparsers) -> None:
    """Add `failures` to the command line."""
    parser = subparsers.add_parser(
        "failures",
        description="List what is not done: failed runs, statements, messages and events that no function "
        "took, models that nothing decides on, notices not sent, copies not made (docs/runbook.md).",
        epilog="Example: labelmill failures --group DE-weee",
    )
    parser.add_argument(
        "--group", type=arguments.group, metavar="GROUP", help="only of this model group, such as DE-weee"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    add_stack(parser)
    parser.set_defaults(run=guarded(_list))


def _list(args: argparse.Namespace) -> int:
    from pipelines.failures import listing
    from pipelines.failures.failure import open_stack
    from pipelines.ledger.reading import check_known

    stack = open_stack(args.stack)
    with listing.opened(stack, datetime.now(UTC)) as found:
        failures = listing.chosen(found, group=args.group)
    if args.group and not failures:
        check_known(stack.client("dynamodb"), stack.table, args.group)
    if args.json:
        return print_json([failure.as_json() for failure in failures])
    for group, of_group in groupby(failures, lambda failure: failure.group):
        print(group or "no model group")
        for failure in of_group:
            why = f"{failure.error}: {failure.sentence}" if failure.error else failure.sentence
            print(lines(f"{failure.what} {failure.name}", indent="  "))
            print(
                lines(
                    f"{failure.period or 'no month'}, since {minute(failure.since)} UTC. {why}",
                    indent=" " * 6,
                )
            )
            print(lines(f"next: {failure.next_step}", indent=" " * 6))
    print(f"{len(failures)} not done" if failures else "everything is done")
    return 0
