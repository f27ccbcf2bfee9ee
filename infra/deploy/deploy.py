"""`labelmill deploy`: bring an environment on AWS up to this checkout."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import names
from pipelines.commands.shared import Subparsers, guarded

if TYPE_CHECKING:
    import boto3
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import StackEventTypeDef
    from types_boto3_s3 import S3Client

    from infra.deploy.changes import ChangeSet
    from infra.deploy.kept_data import Place
    from infra.deploy.settings import Settings

TEMPLATES = Path(__file__).parents[1]
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
        description="Bring an environment on AWS up to this checkout.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_environment(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--new-image", action="store_true", help="copy the image that AWS has now, and let jobs run on it"
    )
    parser.add_argument("--role", metavar="ARN", help="role CloudFormation uses (default: your own rights)")
    parser.set_defaults(run=guarded(_run))


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add the options that name an environment."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--env", default="dev", help="a file in infra/environments (default: %(default)s)")
    which.add_argument("--parameters", type=Path, metavar="FILE", help="a file of the same shape")


def settings_and_session(args: argparse.Namespace) -> tuple[Settings, boto3.Session, str]:
    """What to deploy, a boto3 session of the right Region, and its account. Raises SettingsError."""
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
    print(f"account {account}, Region {settings.region}, stack {settings.stack}", file=sys.stderr)
    return settings, session, account


def ask(question: str, wanted: str) -> bool:
    """Whether a person answers with `wanted`; without a terminal and without input nobody does."""
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
    from infra.deploy import bundle, image
    from infra.deploy.kept_data import Place

    settings, session, account = settings_and_session(args)
    place = Place(session, settings.name, account, settings.region)
    code = _change(
        settings.code_stack,
        "bootstrap.yaml",
        {"Name": settings.name, "AwsImageAccount": image.AWS_ACCOUNTS[settings.region]},
        place,
        args,
    )
    if code is None:
        return 1
    with tempfile.TemporaryDirectory() as folder:
        built = bundle.build(Path(folder) / "bundle")
        prefix = built.upload(session.client("s3"), code["CodeBucket"])
    print(f"code bundle {built.digest} is in {names.address(code['CodeBucket'], f'{prefix}/')}")
    given = {
        "CodeBucket": code["CodeBucket"],
        "CodeKeyArn": code["CodeKeyArn"],
        "CodePrefix": prefix,
        "CodeDigest": built.digest,
        "ImageUri": settings.parameters.get("ImageUri")
        or _image(session, settings.stack, code, prefix, args.new_image),
    }
    print(f"jobs run on {given['ImageUri']}")
    outputs = _change(settings.stack, "template.yaml", settings.parameters | given, place, args)
    for output, value in sorted((outputs or {}).items()):
        print(f"{output:<28} {value}")
    return 1 if outputs is None else 0


def _image(session: boto3.Session, stack: str, code: dict[str, str], prefix: str, new: bool) -> str:
    """Address of the copy of AWS's image that jobs run on: the one of `stack`, unless a `new` one is wanted.

    AWS's image is copied first where there is no copy, or if `new`.
    """
    from infra.deploy import changes, copy_image, image

    ecr, repository = session.client("ecr"), code["ImageRepositoryUri"]
    running = changes.parameters_of(session.client("cloudformation"), stack).get("ImageUri")
    found = None if new else image.copy_to_run(ecr, repository, running)
    if not found:
        key = f"{prefix}/copy_image.py"
        script = Path(copy_image.__file__).read_bytes()
        session.client("s3").put_object(Bucket=code["CodeBucket"], Key=key, Body=script)
        print(f"AWS's image {image.VERSION} is copied into {repository}; that takes some minutes", flush=True)
        image.copy(
            session.client("codebuild"),
            code["CopyImageProject"],
            names.address(code["CodeBucket"], key),
            lambda phase: print(f"  {phase}", flush=True),
        )
        found = image.newest_copy(ecr, repository)
    if not found:
        raise image.ImageError(
            f"{repository} has no image {image.VERSION}, though it was copied. Fix: deploy again"
        )
    return found


def _change(
    stack: str, name: str, parameters: dict[str, str], place: Place, args: argparse.Namespace
) -> dict[str, str] | None:
    """Bring `stack` to the template `name`; its outputs, or None when the person said no."""
    from infra.deploy import changes, kept_data, taking_over
    from pipelines.stack import outputs

    cloudformation = place.session.client("cloudformation")
    template = (TEMPLATES / name).read_text(encoding="utf-8")
    new = changes.ready(cloudformation, stack, show_event, args.role)
    found = kept_data.find(template, place) if new else []
    if found:
        taking_over.check_keys(found, place.session.client("kms"))
        begin = {"TemplateBody": json.dumps(taking_over.import_template(template, found))}
        change_set = changes.plan(
            cloudformation,
            stack,
            begin,
            {"Name": place.name},
            args.role,
            new=True,
            to_import=taking_over.to_import(found),
        )
        what = "take over what an earlier one has kept"
        if change_set and _agreed(cloudformation, change_set, what, args) is None:
            return None
        for drift in taking_over.drifts(cloudformation, stack):
            print(drift)
        new = False
    # A template of this size has to come from S3. Its version stands beside the code that it goes with.
    source = {"TemplateBody": template}
    if "CodePrefix" in parameters:
        source = {"TemplateURL": _upload(place.session.client("s3"), parameters, name, template)}
    change_set = changes.plan(cloudformation, stack, source, parameters, args.role, new=new)
    if change_set is None:
        print(f"stack {stack}: nothing to change")
        return outputs(stack, cloudformation)
    return _agreed(cloudformation, change_set, "be made" if new else "change", args)


def _upload(s3: S3Client, parameters: dict[str, str], name: str, template: str) -> str:
    bucket, key = parameters["CodeBucket"], f"{parameters['CodePrefix']}/{name}"
    s3.put_object(Bucket=bucket, Key=key, Body=template.encode())
    return f"{s3.meta.endpoint_url.replace('://', f'://{bucket}.')}/{key}"


def _agreed(
    cloudformation: CloudFormationClient, change_set: ChangeSet, what: str, args: argparse.Namespace
) -> dict[str, str] | None:
    """Show, ask, apply; the stack's outputs, or None when the person said no."""
    from infra.deploy import changes

    print(f"stack {change_set.stack} would {what}:")
    for change in change_set.changes:
        replaced = "  REPLACED" if change.replaced else ""
        print(f"  {change.action:<8} {change.resource:<32} {change.kind}{replaced}")
    if not args.yes and not ask("Apply? (yes/no)", "yes"):
        changes.drop(cloudformation, change_set)
        print("nothing was changed")
        return None
    return changes.apply(cloudformation, change_set, show_event)
