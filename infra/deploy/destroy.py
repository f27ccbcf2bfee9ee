"""`labelmill destroy`: take an environment on AWS down; its data stays unless you confirm twice."""

import argparse

from infra.deploy.deploy import add_environment
from pipelines.commands.shared import Subparsers, guarded

EPILOG = """\
Buckets, ledger and keys stay, and a later deploy takes them over. With --delete-data they go too, with code
and image, after you have typed the stack's name; also what an earlier destroy has left.

Examples:
  labelmill destroy --env dev
  labelmill destroy --env dev --delete-data
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `destroy` to the command line."""
    parser = subparsers.add_parser(
        "destroy",
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
    from infra.deploy.deploy import TEMPLATES, ask, settings_and_session, show_event

    settings, session, account = settings_and_session(args)
    cloudformation = session.client("cloudformation")
    templates = {settings.stack: "template.yaml"}
    if args.delete_data:
        templates[settings.code_stack] = "bootstrap.yaml"
    status = {stack: changes.status_of(cloudformation, stack) for stack in templates}
    for stack, state in status.items():
        if state and state.endswith("_IN_PROGRESS") and state != "REVIEW_IN_PROGRESS":
            raise changes.StackFailed(f"stack {stack} is {state}. Fix: wait until that has ended")
    stacks = [stack for stack, state in status.items() if state]
    place = kept_data.Place(session, settings.name, account, settings.region)
    kept = [
        found
        for name in templates.values()
        for found in kept_data.find((TEMPLATES / name).read_text(encoding="utf-8"), place)
    ]
    print(f"stacks that would be deleted: {', '.join(stacks) or 'none is there'}")
    print("data that would be DELETED permanently:" if args.delete_data else "data that stays:")
    for found in kept:
        print(f"  {found.identifier}")
    if not stacks and not (kept and args.delete_data):
        return 0
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
        kept_data.erase(kept, session)
        print(f"data deleted; the keys follow in {kept_data.KEY_DAYS} days and can be kept until then")
    return 0
