"""`labelmill destroy`: take an environment on AWS down; its data stays unless you confirm twice."""

import argparse

from infra.deploy.deploy import add_environment
from pipelines.commands.shared import Subparsers, guarded

EPILOG = """\
Buckets, ledger and keys stay, and a later deploy takes buckets and ledger over. With --delete-data they go
too, after you have typed the stack's name.

Examples:
  labelmill destroy --env dev
  labelmill destroy --env dev --delete-data
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `destroy` to the command line."""
    parser = subparsers.add_parser(
        "destroy",
        help="take an environment on AWS down; data stays unless you confirm twice",
        description="Take an environment on AWS down; its data stays unless you confirm twice.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_environment(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask, unless data is deleted")
    parser.add_argument(
        "--delete-data", action="store_true", help="also delete datasets, models, labels and ledger"
    )
    parser.set_defaults(run=guarded(_run))


def _run(args: argparse.Namespace) -> int:
    from infra.deploy import changes, kept_data
    from infra.deploy.deploy import ask, settings_and_session, show_event

    settings, session = settings_and_session(args)
    cloudformation = session.client("cloudformation")
    stacks = [settings.stack, settings.code_stack] if args.delete_data else [settings.stack]
    stacks = [stack for stack in stacks if changes.status_of(cloudformation, stack)]
    if not stacks:
        print(f"there is no stack {settings.stack}")
        return 0
    kept = kept_data.data_of(cloudformation, *stacks)
    print(f"stacks that would be deleted: {', '.join(stacks)}")
    print("data that would be DELETED permanently:" if args.delete_data else "data that stays:")
    for name in (*kept.buckets, *kept.tables, *kept.keys):
        print(f"  {name}")
    if args.delete_data:
        agreed = ask("All of it? Type the stack's name:", settings.stack)
    else:
        agreed = args.yes or ask("Go on? (yes/no)", "yes")
    if not agreed:
        print("nothing was deleted")
        return 1
    for stack in stacks:
        changes.delete(cloudformation, stack, show_event)
    if args.delete_data:
        kept_data.erase(kept, session.client("s3"), session.client("dynamodb"), session.client("kms"))
        print(f"data deleted; the keys follow in {kept_data.KEY_DAYS} days and can be kept until then")
    return 0
