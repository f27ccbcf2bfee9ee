"""`labelmill dismiss`: take off the list what nobody needs to be done any more."""

import argparse
from datetime import UTC, datetime

from pipelines.commands.ledger_access import add_by, decider, reason_of
from pipelines.commands.shared import Subparsers, add_stack, guarded


def add_parser(subparsers: Subparsers) -> None:
    """Add `dismiss` to the command line."""
    parser = subparsers.add_parser(
        "dismiss",
        description="Take a failure off the list for good, such as a dataset delivered under a wrong key. "
        "Nothing is started. The ledger keeps who did so, when and why.",
        epilog="Example: labelmill dismiss DE-weee-training-2026-10-0f3a9c21d4e5 --reason 'group ended'",
    )
    parser.add_argument("name", metavar="NAME", help="its name in the list of labelmill failures")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the ledger")
    add_by(parser)
    add_stack(parser)
    parser.set_defaults(run=guarded(_dismiss))


def _dismiss(args: argparse.Namespace) -> int:
    from pipelines.errors import Refused
    from pipelines.failures import listing
    from pipelines.failures.failure import open_stack

    stack, reason = open_stack(args.stack), reason_of(args)
    with listing.opened(stack, datetime.now(UTC)) as found:
        failures = listing.chosen(found, name=args.name)
        if not failures:
            raise Refused(f"{args.name} is not in the list. Fix: copy its name from labelmill failures.")
        if failures[0].dismiss is None:
            raise Refused(f"{args.name} cannot be dismissed. Fix: {failures[0].next_step}")
        failures[0].dismiss(decider(args.by), reason)
    with listing.opened(stack, datetime.now(UTC)):
        pass  # takes its message off the failure queue
    print(f"{args.name} is off the list.")
    return 0
