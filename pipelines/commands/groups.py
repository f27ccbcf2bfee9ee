"""`labelmill groups`: the model groups, and which of them are retired: by whom, when and why."""

import argparse
from datetime import UTC, datetime
from typing import Any

from pipelines.commands.arguments import group
from pipelines.commands.ledger_access import add_by, decider, open_ledger, reason_of
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json, print_table

EPILOG = """\
Examples:
  labelmill groups list
  labelmill groups retire GB-weee --reason "left the country on 30 November"
  labelmill groups revive GB-weee --reason "back since May"
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `groups` and its verbs to the command line."""
    parser = subparsers.add_parser(
        "groups",
        description="List the model groups; retire one that has ended, and revive it (docs/ledger.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    text = "every group: codebook, winner, newest month, and since when it is retired"
    listing = verbs.add_parser("list", help=text, description=text, epilog="Example: labelmill groups list")
    listing.add_argument("--json", action="store_true", help="print it as JSON, with the history")
    listing.set_defaults(run=guarded(_list))
    add_stack(listing)
    for name, text, run in (
        ("retire", "let nothing of it be ordered, trained on or labelled; what there is stays", _retire),
        ("revive", "take a retired group up again", _revive),
    ):
        example = f'labelmill groups {name} GB-weee --reason "agreed with compliance"'
        verb = verbs.add_parser(name, help=text, description=text, epilog=f"Example: {example}")
        verb.add_argument("group", type=group, metavar="GROUP", help="the model group, such as DE-weee")
        verb.add_argument("--reason", required=True, metavar="TEXT", help="why; kept in the ledger")
        add_by(verb)
        add_stack(verb)
        verb.set_defaults(run=guarded(run))


def _list(args: argparse.Namespace) -> int:
    from pipelines.ledger import reading

    groups = [each for each in reading.read_all(*open_ledger(args.stack)) if each.registered]
    rows: list[dict[str, Any]] = [
        {
            "group": each.group,
            "codebook_version": each.registered["codebook_version"],
            "winner": each.winner.get("model"),
            "newest_month": max(each.months, default=None),
            **{name: each.registered.get(name) for name in ("retired_at", "retired_by", "retired_reason")},
            "history": [
                {name: change[name] for name in ("time", "status", "by", "reason")} for change in each.changes
            ],
        }
        for each in groups
    ]
    if args.json:
        return print_json(rows)
    titles = ("group", "codebook", "winner", "newest month", "retired")
    return print_table(
        titles,
        [
            (
                row["group"],
                row["codebook_version"],
                row["winner"] or "none",
                row["newest_month"] or "none",
                "{retired_at:.10} by {retired_by}: {retired_reason}".format(**row)
                if row["retired_at"]
                else "",
            )
            for row in rows
        ],
    )


def _retire(args: argparse.Namespace) -> int:
    from pipelines.ledger import changing

    _change(args, changing.retire)
    print(
        f"{args.group} is retired: nothing of it is ordered, trained on or labelled any more. "
        "Its labels and its history stay. "
        f"To take it up again: labelmill groups revive {args.group} --reason TEXT"
    )
    return 0


def _revive(args: argparse.Namespace) -> int:
    from pipelines.ledger import changing

    _change(args, changing.revive)
    print(
        f"{args.group} is no longer retired: the next schedule orders its datasets. "
        "What was missed is ordered by hand (docs/operations.md)."
    )
    return 0


def _change(args: argparse.Namespace, change: Any) -> None:
    from pipelines.ledger import reading

    client, table = open_ledger(args.stack)
    ledger = reading.read(client, table, args.group)
    change(client, table, ledger, decider(args.by), reason_of(args), datetime.now(UTC))
