"""`labelmill doctor`: is everything needed there, in an AWS account or on this machine?"""

import argparse
import json
from dataclasses import asdict
from typing import Any

from infra.deploy.deploy import add_environment
from infra.doctor.finding import FAIL, Finding
from pipelines.commands.shared import Subparsers, guarded

EPILOG = """\
One line for each thing it looks at: ok; warn, it works and somebody should know; fail, something will not
work. The exit code is 1 where something fails. It changes nothing.

Examples:
  labelmill doctor --local
  labelmill doctor --env dev
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        description="Check that everything needed is there, before and after a deployment.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_environment(parser)
    parser.add_argument("--local", action="store_true", help="only what a local run needs of this machine")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=guarded(_run))


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from infra.doctor.machine import machine

    found = [] if args.local else _account(args)
    # With nothing to ask in an account, this machine is what there is.
    if args.local or found[0].status == FAIL:
        found += machine(Path.cwd())
    if args.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            print(finding)
    return 1 if any(finding.status == FAIL for finding in found) else 0


def _account(args: argparse.Namespace) -> list[Finding]:
    from datetime import UTC, datetime

    from infra.deploy.settings import ENVIRONMENTS, load
    from infra.doctor.account import account

    settings = load(args.parameters or ENVIRONMENTS / f"{args.env}.json")
    return account(settings, _client(settings.region), datetime.now(UTC))


def _client(region: str) -> Any:
    """What gives boto3 clients of the Region by service."""
    import boto3

    return boto3.Session(region_name=region).client
