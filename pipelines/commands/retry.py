"""`labelmill retry`: start again what is not done; `labelmill failures` lists it."""

import argparse
import sys
from datetime import UTC, datetime

from pipelines.commands.arguments import group
from pipelines.commands.shared import Subparsers, add_stack, guarded

EPILOG = """\
Examples:
  labelmill retry DE-weee
  labelmill retry --run DE-weee-training-2026-10-0f3a9c21d4e5
  labelmill retry --cause ResourceLimitExceeded
  labelmill retry --all
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `retry` to the command line."""
    parser = subparsers.add_parser(
        "retry",
        description="Start again what labelmill failures lists. Twice is as good as once, and what has been "
        "done since is left alone. It does not wait: labelmill failures shows what became of it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "group", nargs="?", type=group, metavar="GROUP", help="all of a model group, such as DE-weee"
    )
    which.add_argument("--run", metavar="NAME", dest="name", help="one, by its name in the list")
    which.add_argument(
        "--cause", metavar="TEXT", help="all whose error or sentence contains this, such as NoWinner"
    )
    which.add_argument("--all", action="store_true", help="all of them")
    add_stack(parser)
    parser.set_defaults(run=guarded(_retry))


def _retry(args: argparse.Namespace) -> int:
    from botocore.exceptions import ClientError

    from pipelines.errors import Refused
    from pipelines.failures import failed_runs, listing
    from pipelines.failures.failure import open_stack
    from pipelines.ledger.reading import check_known

    left = 0
    stack = open_stack(args.stack)
    with listing.opened(stack, datetime.now(UTC)) as found:
        failures = listing.chosen(found, group=args.group, name=args.name, cause=args.cause)
        for failure in failures:
            try:
                print(f"{failure.name}: {failure.retry()}")
            # One that cannot be started must not hold the others back.
            except (Refused, ClientError) as error:
                print(f"{failure.name}: {error}", file=sys.stderr)
                left += 1
    if args.group and not failures:
        check_known(stack.client("dynamodb"), stack.table, args.group)
    if args.name and not failures and not failed_runs.is_listed(args.name, failed_runs.read(stack)):
        raise Refused(f"{args.name} is not in the list. Fix: copy its name from labelmill failures.")
    if not failures:
        print("nothing to do: labelmill failures lists what is not done")
    return 1 if left else 0
