"""What the commands that call AWS share: which stack they mean, and how they report a refusal."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

#: The fix where AWS was not reached at all: no Region, no credentials, no answer at the endpoint.
REACH = (
    "Fix: set AWS_PROFILE (or give --profile) and AWS_REGION; for the local stack, run labelmill local up in "
    "this folder"
)
#: What puts right what AWS answers, by the error's code; first those that every service gives alike.
NEXT_STEPS = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired"),
        "sign in again (such as aws sso login), then run the same command again",
    ),
    **dict.fromkeys(
        (
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
        ),
        "these credentials do not belong to an account, or no longer do: set AWS_PROFILE to others",
    ),
    **dict.fromkeys(
        ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"),
        "let somebody with that right do it, or have your administrator give it to you",
    ),
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"),
        "run the same command again in a minute",
    ),
}

Command = Callable[[argparse.Namespace], int]
#: What ArgumentParser.add_subparsers returns. argparse has no public name for it.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_stack(*parsers: argparse.ArgumentParser) -> None:
    """Give each parser the options that say which stack is meant (target.py)."""
    for parser in parsers:
        group = parser.add_argument_group("which stack", "default: the local stack of this folder, else AWS")
        group.add_argument("--stack", help="the CloudFormation stack, on AWS (default: labelmill)")
        where = group.add_mutually_exclusive_group()
        where.add_argument("--profile", help="a profile of AWS's settings; then on AWS")
        where.add_argument(
            "--local", action="store_true", help="the local stack that runs in this folder's .labelmill/"
        )


def guarded(
    command: Command, talks: Callable[[argparse.Namespace], bool] = lambda args: hasattr(args, "stack")
) -> Command:
    """The command, with a known failure as one sentence and exit code 1.

    One that talks to a stack says first which, on standard error: by default one with the options of
    `add_stack`, else where `talks` says so of what was asked.
    """

    def run(args: argparse.Namespace) -> int:
        from botocore.exceptions import BotoCoreError, ClientError

        from pipelines.commands import target
        from pipelines.errors import Refused

        try:
            if not talks(args):
                return command(args)
            with target.chosen(args) as sentence:
                print(sentence, file=sys.stderr)
                return command(args)
        except BrokenPipeError:
            raise  # the reader of the output is gone: nothing to report
        except BotoCoreError as error:
            print(f"{str(error).rstrip('.')}. {REACH}", file=sys.stderr)
        except ClientError as error:
            step = NEXT_STEPS.get(
                error.response["Error"]["Code"], "resolve that, then run the same command again"
            )
            print(f"{str(error).rstrip('.')}. Fix: {step}", file=sys.stderr)
        except Refused as error:
            print(error, file=sys.stderr)
        except OSError as error:
            print(_of_a_file(error), file=sys.stderr)
        return 1

    return run


def _of_a_file(error: OSError) -> str:
    if not error.filename:
        return str(error)
    return f"{error.filename}: {error.strerror}. Fix: check the path, and that you may read or write there"


def print_table(titles: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """Print lines of text under titles, each column as wide as it must be; the exit code of a success."""
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    for line in (titles, *cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def print_json(value: object) -> int:
    """Print it as JSON, for programs; the exit code of a success."""
    print(json.dumps(value, ensure_ascii=False, indent=2))
    return 0
