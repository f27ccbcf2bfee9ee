"""`labelmill rehearse`: the first hour in an account. delivery.yaml does it before asking for production."""

from __future__ import annotations

import argparse
import contextlib
import math
from typing import TYPE_CHECKING, Any

from infra.deploy.deploy import add_environment
from pipelines.commands.shared import Subparsers, guarded

if TYPE_CHECKING:
    import boto3

EPILOG = """\
It publishes a codebook and labels, and makes models: rehearse in a stack that may be tried out.
docs/deploy.md has the list of what it proves.

Example: labelmill rehearse --env test --delivery first
"""


class Deployed:
    """A deployed stack as those see it who deliver to it: `client` and the outputs as `names`."""

    def __init__(self, session: boto3.Session, names: dict[str, str]):
        self.client: Any = session.client
        self.names = names


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds. Fix: write one like 3600")
    return seconds


def add_parser(subparsers: Subparsers) -> None:
    """Add `rehearse` to the command line."""
    parser = subparsers.add_parser(
        "rehearse",
        description="Run synthetic data through a deployed stack, and say what that proves of AWS.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_environment(parser)
    parser.add_argument("--delivery", required=True, help="name of the deliveries, new to the stack")
    parser.add_argument(
        "--experiment", metavar="ID", help="an experiment template of AWS FIS, begun before and ended after"
    )
    parser.add_argument(
        "--without-keys",
        metavar="ID",
        help="one that takes the first job's role its keys, for a run of its own",
    )
    parser.add_argument("--timeout", type=_seconds, default=3 * 3600, metavar="SECONDS", help="for each run")
    parser.set_defaults(run=guarded(_run))


def _run(args: argparse.Namespace) -> int:
    from infra.deploy.deploy import settings_and_session
    from infra.rehearsal.cost import dollars
    from infra.rehearsal.experiment import experiment
    from infra.rehearsal.proofs import all_is_well, proofs
    from infra.rehearsal.run import rehearse
    from pipelines.plan.prices import load
    from pipelines.plan.standing import instances
    from pipelines.stack import outputs

    settings, session, _ = settings_and_session(args)
    stack = Deployed(session, outputs(settings.stack, session.client("cloudformation")))
    given = settings.parameters
    warehouse = bool(given.get("WarehouseArn") or given.get("WarehouseClusterArn"))
    types = instances(given)
    print(f"about {dollars(types, load(settings.region)):.2f} USD, and two or three hours", flush=True)
    with contextlib.ExitStack() as around:
        if args.experiment:
            around.enter_context(experiment(session.client("fis"), args.experiment, args.timeout))
        seen = rehearse(stack, args.delivery, warehouse, args.timeout, args.without_keys)
    told = proofs(seen)
    for proof in told:
        print(f"{proof.verdict:<9} {proof.claim.value}\n{'':<10}{proof.evidence}")
    return 0 if all_is_well(seen, told) else 1
