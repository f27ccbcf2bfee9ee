"""What `labelmill approve` and `labelmill reject` share: answering a comparison that waits for a person."""

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from pipelines.commands.ledger_access import add_by, decider, open_ledger, reason_of
from pipelines.commands.shared import Subparsers, add_stack, guarded
from pipelines.names import parse_run

#: What Step Functions says of a token whose execution has been answered, has expired or was stopped.
GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


def add_command(subparsers: Subparsers, name: str, *, approved: bool, text: str, needs_reason: bool) -> None:
    """Add one of the two commands to the command line."""
    parser = subparsers.add_parser(
        name,
        description=f"{text.capitalize()} (docs/ledger.md). The SNS message names the run.",
        epilog=f"Example: labelmill {name} DE-weee-comparison-2026-10-0f3a9c21d4e5 --reason 'as agreed'",
    )
    parser.add_argument("name", metavar="RUN", help="the comparison's run")
    parser.add_argument(
        "--reason",
        required=needs_reason,
        default="no reason was given",
        metavar="TEXT",
        help="why; kept with the decision",
    )
    add_by(parser)
    add_stack(parser)
    parser.set_defaults(run=guarded(lambda args: _answer(args, approved)))


def _answer(args: argparse.Namespace, approved: bool) -> int:
    from pipelines.ledger import changing, keys, reading

    named = parse_run(args.name)
    if not named or named.purpose != "comparison":
        raise reading.LedgerError(
            f"{args.name} is not a comparison. Fix: copy the run from the message, "
            "like DE-weee-comparison-2026-10-0f3a9c21d4e5."
        )
    client, table = open_ledger(args.stack)
    found = reading.read(client, table, named.group)
    for decision in found.decisions:
        if decision["run"] == args.name:
            raise reading.LedgerError(
                f"{args.name} was decided on {decision['time']} by {decision['decided_by']}: "
                f"{decision['verdict']}. {decision['reason']}"
            )
    if args.name not in found.approvals:
        raise reading.LedgerError(f"{args.name} is not waiting for approval. Fix: check the run and --stack.")
    by, reason, now = decider(args.by), reason_of(args), datetime.now(UTC)
    word = "approved" if approved else "rejected"
    asked = changing.answer(client, table, found.approvals[args.name], word, by, reason, now)
    # Whoever was first may not have got as far as this: the answer that stands is sent in any case.
    was_waiting = send(asked)
    see = f"Fix: see the outcome (labelmill models history {found.group})."
    if (asked["answer"], asked["answered_by"], asked["answer_reason"]) != (word, by, reason):
        raise reading.LedgerError(
            f"{args.name} was {asked['answer']} on {asked['answered_at']} by {asked['answered_by']}: "
            f"{asked['answer_reason']}. {see}"
        )
    if not was_waiting:
        raise reading.LedgerError(
            f"{args.name} is no longer waiting: it was answered or stopped, or more than "
            f"{keys.APPROVAL_DAYS} days have passed. {see}"
        )
    done = "approved: it becomes the winner" if approved else "rejected: the winner stays"
    print(f"{asked['model']} is {done}. MLOps get a message once this is recorded.")
    return 0


def send(asked: Mapping[str, str]) -> bool:
    """Give the comparison its answer; whether it was still waiting for one."""
    import boto3

    answer = {
        "approved": asked["answer"] == "approved",
        "by": asked["answered_by"],
        "reason": asked["answer_reason"],
    }
    states = boto3.client("stepfunctions")
    try:
        states.send_task_success(taskToken=asked["token"], output=json.dumps(answer))
    except states.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
        return False
    return True
