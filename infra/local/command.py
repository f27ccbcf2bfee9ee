"""`labelmill local`: the whole system on this machine."""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.clients import CLIENTS, advice
from infra.local.endpoint import ENDPOINT_FILE, Connection
from infra.local.lock import take
from pipelines.commands.shared import Subparsers, guarded
from pipelines.names import address

_PRUNE_SECONDS = 600
STARTING = "starting the local stack: ten seconds or more"
EXAMPLE = """\
Example:
  labelmill local up
  labelmill local run models list
  labelmill codebook publish --help
  aws --endpoint-url ENDPOINT s3 cp dataset/ s3://BUCKET/training/DE-weee/2026-10/d1/ --recursive
  labelmill local down

`up` prints the commands with the right address and names. All that the stack holds is kept in the folder,
and is there at the next `up`.
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `local` and its verbs to the command line."""
    local = subparsers.add_parser(
        "local",
        description="AWS imitated at 127.0.0.1, with the templates, functions and jobs that are deployed.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = local.add_subparsers(dest="verb", metavar="up|down|status|run|schedule|prune", required=True)
    examples = {
        "up": "labelmill local up --port 4566",
        "down": "labelmill local down",
        "status": "labelmill local status",
        "run": "labelmill local run models list",
        "schedule": "labelmill local schedule labelmill-training --at 2026-11-01T04:00",
        "prune": "labelmill local prune",
    }
    up = verbs.add_parser("up", help="start it, in the background; print its address and names")
    up.add_argument("--port", type=_port, default=0, help="port on 127.0.0.1 (default: a free one)")
    up.add_argument("--from-demo", action="store_true", help="begin with what labelmill demo has left")
    up.add_argument("--foreground", action="store_true", help="print what happens until Ctrl-C")
    down = verbs.add_parser("down", help="stop it")
    status = verbs.add_parser("status", help="say whether it is running, and where")
    status.add_argument(
        "--client",
        choices=list(CLIENTS),
        metavar="CLIENT",
        help=f"say how that program talks to it: {', '.join(CLIENTS)} (docs/clients.md)",
    )
    schedule = verbs.add_parser("schedule", help="fire one of its schedules now, as if its time had come")
    schedule.add_argument("name", help="such as labelmill-training")
    schedule.add_argument(
        "--at",
        type=_time,
        help="as if at this time, such as 2026-11-01T04:00 (UTC unless it says otherwise; default: now)",
    )
    prune = verbs.add_parser(
        "prune", help="remove what ended jobs have worked with; requests, logs and objects stay"
    )
    for verb in (up, down, status, schedule, prune):
        verb.add_argument("--dir", type=Path, default=Path(".labelmill"), help="folder of runs and results")
    against = verbs.add_parser("run", help="run another command against it; it is started where none runs")
    against.add_argument("--dir", type=Path, default=Path(".labelmill"), help="folder of runs and results")
    against.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND", help="such as models list")
    for name, verb in verbs.choices.items():
        verb.epilog = f"Example: {examples[name]}"
    local.set_defaults(run=guarded(run, talks=lambda args: False))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is not a port. Fix: name one from 1 to 65535, or 0 for any")
    return int(text)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time. Fix: write it like 2026-11-01T04:00"
        ) from None


def run(args: argparse.Namespace) -> int:
    """Do what the verb says; return the exit code."""
    running = find(args.dir)
    if args.verb == "down":
        return _down(args.dir, running)
    if args.verb == "status":
        if not running:
            print(f"nothing runs in {args.dir}. Fix: labelmill local up", file=sys.stderr)
            return 1
        connection, names = _connection(running), running["names"]
        if args.client:
            bucket, queue = names.get("LandingBucket", "BUCKET"), names.get("TrainingQueueUrl", "QUEUE")
            print(advice(args.client, connection, bucket, queue))
        else:
            print(_describe(connection, names, args.dir))
            _tell_misplaced(connection, names)
        return 0
    if args.verb == "schedule":
        return _fire(args, running)
    if args.verb == "prune":
        return _prune(args.dir, running)
    if args.verb == "run":
        return _run_against(args, running)
    if running:
        print(f"A local stack runs in {args.dir}/ already; no second one was started.", file=sys.stderr)
        print(_describe(_connection(running), running["names"], args.dir))
        return 0
    return _up(args)


def find(folder: Path) -> dict[str, Any] | None:
    """What `endpoint.json` says of the server of `folder`, if that server really answers."""
    try:
        running = json.loads((folder / ENDPOINT_FILE).read_text())
        connection = _connection(running)
        if not connection.endpoint.startswith(
            "http://127.0.0.1:"
        ):  # another's file: it names a process to end
            return None
        return running if connection.get("status")["pid"] == running["pid"] else None
    except (OSError, ValueError, KeyError):
        return None


def _up(args: argparse.Namespace) -> int:
    from infra.local.demo_folder import copy_demo
    from infra.local.stack import LocalStack, launch

    if args.from_demo:
        copy_demo(args.dir)
    print(STARTING, file=sys.stderr)
    if not args.foreground:
        _, running = launch(args.dir, "--port", str(args.port), *_warehouse(args.dir), with_parent=False)
        print(_describe(_connection(running), running["names"], args.dir))
        return 0
    with LocalStack(args.dir, port=args.port, options=_warehouse(args.dir)) as stack:
        print(_describe(stack.connection, stack.names, args.dir), flush=True)
        with contextlib.suppress(KeyboardInterrupt, OSError):
            for event in stack.events():
                words = (str(value) for key, value in event.items() if key not in ("number", "kind", "arn"))
                print(f"{event['kind']:10}", *words, flush=True)
    return 0


def _warehouse(folder: Path) -> tuple[str, ...]:
    """The server's options for a folder: without tables, no warehouse is connected, as on AWS by default."""
    return () if any(folder.glob("warehouse/*/*.parquet")) else ("--without-warehouse",)


def _run_against(args: argparse.Namespace, running: dict[str, Any] | None) -> int:
    """Run another command, as if its settings had been exported in the shell."""
    from infra.local.stack import launch
    from pipelines import cli

    if not args.words or args.words[0] not in cli.COMMANDS:
        wrong = f"there is no command {args.words[0]}" if args.words else "name a command"
        print(f"labelmill local run: {wrong}. Fix: labelmill local run models list", file=sys.stderr)
        return 2
    if not running:
        print(STARTING, file=sys.stderr)
        running = launch(args.dir, *_warehouse(args.dir), with_parent=False)[1]
    os.environ.pop("AWS_PROFILE", None)
    os.environ.update(_connection(running).settings)
    print(f"On the local stack at {running['endpoint']}; it runs until labelmill local down", file=sys.stderr)
    return cli.main(args.words)


def _down(folder: Path, running: dict[str, Any] | None) -> int:
    if not running:
        if folder.is_dir() and (lock := take(folder)):  # none is being started either
            (folder / ENDPOINT_FILE).unlink(missing_ok=True)  # of one that was killed
            lock.close()
        print(f"nothing runs in {folder}")
        return 0
    os.kill(running["pid"], signal.SIGTERM)
    while (folder / ENDPOINT_FILE).exists():  # the last thing it removes
        time.sleep(0.05)
    print(f"stopped; runs and results are in {folder}")
    return 0


def _fire(args: argparse.Namespace, running: dict[str, Any] | None) -> int:
    from infra.local.schedules import fire

    if not running:
        print(f"nothing runs in {args.dir}. Fix: labelmill local up", file=sys.stderr)
        return 1
    at = args.at or datetime.now(UTC)
    sent = fire(_connection(running).client, args.name, at if at.tzinfo else at.replace(tzinfo=UTC))
    print(f"{args.name} has sent {sent}")
    return 0


def _prune(folder: Path, running: dict[str, Any] | None) -> int:
    from infra.local.sagemaker.pruning import prune

    if running:  # it knows which of its jobs have not ended
        removed = _connection(running).get("prune", timeout=_PRUNE_SECONDS)["removed"]
    else:
        removed = str(prune(folder / "jobs", running=set))
    print(f"removed: {removed}; requests, logs and objects stay in {folder}")
    return 0


def _tell_misplaced(connection: Connection, names: dict[str, str]) -> None:
    from infra.local.misplaced import problems

    found = list(problems(connection.client("s3"), names["LandingBucket"])) if names else []
    if found:
        print("\nManifests from which no run has started:\n", *found, sep="\n  ")


def _connection(running: dict[str, Any]) -> Connection:
    return Connection(running["endpoint"], running["secret"])


def _describe(connection: Connection, names: dict[str, str], folder: Path) -> str:
    lines = [f"The local stack is running at {connection.endpoint}; runs and results are in {folder}/", ""]
    lines += [f"  {name:28} {value}" for name, value in names.items()]
    landing = address(names.get("LandingBucket", "LANDING"), "training/DE-weee/2026-10/d1/")
    lines += [
        "",
        "Commands of labelmill in this folder find it. Other programs need this in their shell:",
        "",
    ]
    lines += [f"  export {name}={value}" for name, value in connection.settings.items()]
    lines += ["", f"Some need more: labelmill local status --client CLIENT, of {', '.join(CLIENTS)}"]
    lines += ["", "Upload a dataset; its manifest, last, starts the run:", ""]
    lines += [
        f"  aws s3 cp dataset/ {landing} --recursive --exclude manifest",
        f"  aws s3 cp dataset/manifest {landing}",
    ]
    return "\n".join(lines)
