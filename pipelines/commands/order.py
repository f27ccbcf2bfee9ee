"""`labelmill order`: ask the warehouse again for a group's datasets of a month."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime

from pipelines.commands.arguments import group, period
from pipelines.commands.display import lines
from pipelines.commands.shared import Subparsers, add_stack, guarded

PURPOSES = ("training", "inference")


def add_parser(subparsers: Subparsers) -> None:
    """Add `order` to the command line."""
    parser = subparsers.add_parser(
        "order",
        description="Ask the warehouse for a model group's datasets of a month that has ended, under a new "
        "delivery name. What lands starts its run. It does not wait.",
        epilog="Example: labelmill order DE-weee 2026-10 --purpose inference",
    )
    parser.add_argument("group", type=group, metavar="GROUP", help="the model group, such as DE-weee")
    parser.add_argument("period", type=period, metavar="PERIOD", help="the month, such as 2026-10")
    parser.add_argument("--purpose", choices=PURPOSES, help="only the dataset for this (default: both)")
    add_stack(parser)
    parser.set_defaults(run=guarded(_order))


def _order(args: argparse.Namespace) -> int:
    from pipelines.errors import Refused
    from pipelines.failures.failure import open_stack
    from pipelines.ledger import reading
    from pipelines.warehouse.unload import Order, month_before

    stack, now = open_stack(args.stack), datetime.now(UTC)
    last = month_before(now, stack.outputs["TimeZone"])
    if args.period > last:
        raise Refused(f"{args.period} has not ended. Fix: order a month up to {last}.")
    if not stack.has_warehouse:
        raise Refused(
            f"{args.stack} has no warehouse to order from. Fix: deliver a file (labelmill deliver), or "
            "connect a warehouse (docs/warehouse.md)."
        )
    if reading.read(stack.client("dynamodb"), stack.table, args.group).is_retired:
        raise Refused(
            f"{args.group} is retired. Fix: labelmill groups revive {args.group} --reason TEXT, then order."
        )
    delivery = f"{now:%Y%m%dT%H%M%SZ}"
    for purpose in [args.purpose] if args.purpose else PURPOSES:
        order = Order(purpose, args.period, delivery, (args.group,))
        body = json.dumps(asdict(order))
        stack.client("sqs").send_message(QueueUrl=stack.outputs["UnloadQueueUrl"], MessageBody=body)
        print(f"ordered: {purpose} {args.group} {args.period}, delivery {delivery}")
    print(lines(f"labelmill deliveries list --group {args.group} --period {args.period} shows when it lands"))
    return 0
