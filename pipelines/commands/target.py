"""Which stack a command talks to: that of the working folder's endpoint file, or one by AWS's usual settings.

A file `.labelmill/endpoint.json` with `endpoint`, `region`, `key_id` and `secret` is there while its stack
runs on this machine. What a person names goes first (`--local`, `--stack`, `--profile`), then
AWS_ENDPOINT_URL, then that file, then what every AWS SDK reads. A file whose stack does not answer ends the
command: to go on to an account that the shell happens to be signed in to would be the worst guess.
"""

import argparse
import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import Refused

ENDPOINT_FILE = Path(".labelmill/endpoint.json")
STACK = "labelmill"
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


class NoTarget(Refused):
    """The stack that was meant cannot be reached; the message says what to do."""


@contextlib.contextmanager
def chosen(args: argparse.Namespace) -> Iterator[str]:
    """Set the environment to what the command line means; a sentence on which stack that is.

    `args` are what `add_stack` of shared.py adds; `args.stack` becomes the stack's name where none was given.
    The environment is as before at the end. Raises NoTarget.
    """
    before = dict(os.environ)
    named = args.stack is not None or args.profile is not None
    args.stack = args.stack or STACK
    try:
        if args.profile:
            for name in (*_KEYS, "AWS_ENDPOINT_URL"):  # botocore would prefer them to a profile
                os.environ.pop(name, None)
            os.environ["AWS_PROFILE"] = args.profile
        elif args.local or not (named or "AWS_ENDPOINT_URL" in os.environ or not ENDPOINT_FILE.exists()):
            os.environ.pop("AWS_PROFILE", None)
            os.environ.pop("AWS_SESSION_TOKEN", None)
            os.environ.update(_settings(ENDPOINT_FILE))
        yield _sentence(args.stack)
    finally:
        os.environ.clear()
        os.environ.update(before)


def _settings(path: Path) -> dict[str, str]:
    """What AWS SDKs need to reach the stack of an endpoint file."""
    from urllib3.util import parse_url

    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        endpoint = parse_url(read["endpoint"])
        settings = {
            "AWS_ENDPOINT_URL": read["endpoint"],
            "AWS_ACCESS_KEY_ID": read["key_id"],
            "AWS_SECRET_ACCESS_KEY": read["secret"],
            "AWS_REGION": read["region"],
            "AWS_DEFAULT_REGION": read["region"],
        }
        port = endpoint.port or 80
    except FileNotFoundError:
        raise NoTarget(f"no stack runs in this folder: there is no {path}. Fix: labelmill local up") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoTarget(f"{path} cannot be read ({error!r}). Fix: labelmill local up writes it anew") from None
    if endpoint.host != "127.0.0.1":  # whoever gives somebody a folder must not get what they upload
        raise NoTarget(f"{path} leads to another machine, {endpoint.host}. Fix: remove it")
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        raise NoTarget(
            f"the stack of {path} does not answer at {read['endpoint']}. Fix: labelmill local up; or say "
            "which stack you mean, with --profile or --stack"
        ) from None
    return settings


def _sentence(stack: str) -> str:
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        return f"stack {stack} at {endpoint}"
    import boto3

    session = boto3.Session()
    keys = "AWS_ACCESS_KEY_ID" in os.environ
    who = "the environment's keys" if keys else f"profile {session.profile_name}"
    return f"stack {stack} on AWS, {session.region_name or 'no Region'}, {who}"
