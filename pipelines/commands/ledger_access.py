"""What the commands on the winner ledger share: the way in, who decides and why."""

import argparse
import sys
from typing import Any


def add_by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", metavar="NAME", help="who decides; recorded beside your AWS identity")


def open_ledger(stack: str) -> tuple[Any, str]:
    """The DynamoDB client and the table's name."""
    import boto3

    from pipelines.stack import outputs

    return boto3.client("dynamodb"), outputs(stack, boto3.client("cloudformation"))["LedgerTable"]


def tell_mlops(stack: str, message: dict[str, Any]) -> None:
    """Publish `message` (subject, text, attributes, as SNS takes them) to the MLOps topic.

    The change itself is already made, so a message that cannot be sent is a warning, not a failure.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    from pipelines.stack import StackError, outputs

    try:
        topic = outputs(stack, boto3.client("cloudformation"))["MlopsTopicArn"]
        boto3.client("sns").publish(TopicArn=topic, **message)
    except (BotoCoreError, ClientError, StackError) as error:
        why = str(error)
    except KeyError as error:  # a stack of another release
        why = f"the stack {stack} has no output {error}"
    else:
        return
    print(f"Warning: it is done, but MLOps could not be notified: {why}", file=sys.stderr)


def decider(name: str | None) -> str:
    """Who decides: the AWS identity that calls, with the name that was given, if one was."""
    import boto3

    identity = boto3.client("sts").get_caller_identity()["Arn"]
    return f"{name} ({identity})" if name else identity


def reason_of(args: argparse.Namespace) -> str:
    """The reason on one line. Raises LedgerError for one that says nothing or is a whole letter."""
    from pipelines.ledger.reading import LedgerError

    reason = " ".join(args.reason.split())
    if not 0 < len(reason) <= 500:
        raise LedgerError("The reason is empty or too long. Fix: give one of 1 to 500 characters.")
    return reason
