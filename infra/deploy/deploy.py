"""`labelmill deploy`: bring an environment on AWS up to this checkout."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import names
from pipelines.commands.shared import Subparsers, guarded

if TYPE_CHECKING:
    import boto3
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef

    from infra.deploy.settings import Settings

EPILOG = """\
It shows what would change, asks, and then changes it. docs/deploy.md goes through it step by step.

Examples:
  labelmill deploy --env dev
  labelmill deploy --parameters my-account.json --yes
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `deploy` to the command line."""
    parser = subparsers.add_parser(
        "deploy",
        help="bring an environment on AWS up to this checkout",
        description="Bring an environment on AWS up to this checkout.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_environment(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--role", metavar="ARN", help="role CloudFormation uses (default: your own rights)")
    parser.set_defaults(run=guarded(_run))


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add the options that name an environment."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--env", default="dev", help="a file in infra/environments (default: %(default)s)")
    which.add_argument("--parameters", type=Path, metavar="FILE", help="a file of the same shape")


def settings_and_session(args: argparse.Namespace) -> tuple[Settings, boto3.Session]:
    """What to deploy, and a boto3 session of the right Region and account. Raises SettingsError."""
    import boto3

    from infra.deploy.settings import ENVIRONMENTS, SettingsError, load

    path = args.parameters or ENVIRONMENTS / f"{args.env}.json"
    settings = load(path)
    session = boto3.Session(region_name=settings.region)
    account = session.client("sts").get_caller_identity()["Account"]
    if settings.account not in ("", account):
        raise SettingsError(
            f"{path}: is for account {settings.account}, the credentials are of {account}. "
            "Fix: set AWS_PROFILE"
        )
    print(f"account {account}, Region {settings.region}, stack {settings.stack}")
    return settings, session


def ask(question: str, wanted: str) -> bool:
    """Whether a person answers with `wanted`; without a terminal and without input: no."""
    try:
        return input(f"{question} ").strip() == wanted
    except EOFError:
        return False


def show_event(event: StackEventTypeDef) -> None:
    """One line for each resource that is done or has failed; the reason where something failed."""
    status = event["ResourceStatus"]
    if status.endswith("_IN_PROGRESS") and not sys.stdout.isatty():
        return
    reason = (
        f"  {event['ResourceStatusReason']}" if "FAILED" in status and "ResourceStatusReason" in event else ""
    )
    print(f"{event['Timestamp']:%H:%M:%S}  {status:<28} {event['LogicalResourceId']}{reason}", flush=True)


def _run(args: argparse.Namespace) -> int:
    from infra.deploy import bundle

    settings, session = settings_and_session(args)
    cloudformation, s3 = session.client("cloudformation"), session.client("s3")
    templates = Path(bundle.__file__).parents[1]
    name = {"Name": settings.parameters["Name"]} if "Name" in settings.parameters else {}
    body = {"TemplateBody": (templates / "bootstrap.yaml").read_text(encoding="utf-8")}
    code = _change(cloudformation, settings.code_stack, body, name, args)
    if code is None:
        return 1
    with tempfile.TemporaryDirectory() as folder:
        built = bundle.build(Path(folder) / "bundle")
        prefix = built.upload(s3, code["CodeBucket"])
    print(f"code bundle {built.digest} is in {names.address(code['CodeBucket'], f'{prefix}/')}")
    # A template of this size has to come from S3. Its version stands beside the code that it goes with.
    key = f"{prefix}/template.yaml"
    s3.put_object(Bucket=code["CodeBucket"], Key=key, Body=(templates / "template.yaml").read_bytes())
    address = s3.meta.endpoint_url.replace("://", f"://{code['CodeBucket']}.")
    parameters = settings.parameters | {
        "CodeBucket": code["CodeBucket"],
        "CodeKeyArn": code["CodeKeyArn"],
        "CodePrefix": prefix,
        "CodeDigest": built.digest,
    }
    outputs = _change(cloudformation, settings.stack, {"TemplateURL": f"{address}/{key}"}, parameters, args)
    for output, value in sorted((outputs or {}).items()):
        print(f"{output:<28} {value}")
    return 1 if outputs is None else 0


def _change(
    cloudformation: CloudFormationClient,
    stack: str,
    template: dict[str, Any],
    parameters: dict[str, Any],
    args: argparse.Namespace,
) -> dict[str, str] | None:
    """Plan, show, ask, apply; the stack's outputs, or None when the person said no."""
    from infra.deploy import changes
    from pipelines.stack import outputs

    change_set = changes.plan(cloudformation, stack, template, parameters, args.role)
    if change_set is None:
        print(f"stack {stack}: nothing to change")
        return outputs(stack, cloudformation)
    print(f"stack {stack} would {'be made' if change_set.new else 'change'}:")
    for change in change_set.changes:
        replaced = "  REPLACED" if change.replaced else ""
        print(f"  {change.action:<8} {change.resource:<32} {change.kind}{replaced}")
    if not args.yes and not ask("Apply? (yes/no)", "yes"):
        changes.drop(cloudformation, change_set)
        print("nothing was changed")
        return None
    return changes.apply(cloudformation, change_set, show_event)
