"""`labelmill models`: the models of each group, who won when and why, and changing the winner by hand."""

import argparse
import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pipelines.commands.arguments import group
from pipelines.commands.ledger_access import add_by, decider, open_ledger, reason_of, tell_mlops
from pipelines.commands.shared import Command, Subparsers, add_stack, guarded, print_json, print_table

EPILOG = """\
Examples:
  labelmill models list
  labelmill models history DE-weee
  labelmill models winner DE-weee --on 2026-10-31
  labelmill models rollback DE-weee --to DE-weee-2026-09-5e6f7a8b --reason "wrong codes for lamps"
  labelmill models release DE-weee --reason "the next training has the lamps right"
  labelmill models promote DE-weee --model DE-weee-2026-10-1a2b3c4d --reason "agreed with compliance"
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `models` and its verbs to the command line."""
    parser = subparsers.add_parser(
        "models",
        description="Show models and decisions; change a group's winner (docs/ledger.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, run: Command, text: str, example: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text, epilog=f"Example: {example}")
        if name != "list":
            added.add_argument("group", type=group, metavar="GROUP", help="the model group, such as DE-weee")
        added.add_argument("--json", action="store_true", help="print it as JSON")
        add_stack(added)
        added.set_defaults(run=guarded(run))
        return added

    verb("list", _list, "every model of every group, and what became of it", "labelmill models list")
    verb("history", _history, "all decisions on a group, oldest first", "labelmill models history DE-weee")
    winner = verb("winner", _winner, "the winner, now or on a given day", "labelmill models winner DE-weee")
    winner.add_argument(
        "--on", type=_day, metavar="DATE", help="at the end of this day (UTC), like 2026-10-31"
    )
    rollback = verb(
        "rollback",
        _rollback,
        "make an earlier winner the winner again, and pin it: comparisons do not replace it",
        "labelmill models rollback DE-weee --to DE-weee-2026-09-5e6f7a8b --reason 'wrong codes for lamps'",
    )
    rollback.add_argument("--to", required=True, metavar="MODEL", dest="model", help="the earlier winner")
    rollback.add_argument(
        "--until",
        type=_day,
        metavar="DATE",
        help="the day (UTC) from which comparisons decide again (default: once it is released)",
    )
    release = verb(
        "release",
        _release,
        "let comparisons replace a pinned winner again",
        "labelmill models release DE-weee --reason 'the next training has the lamps right'",
    )
    promote = verb(
        "promote",
        _promote,
        "make any model of the group the winner",
        "labelmill models promote DE-weee --model DE-weee-2026-10-1a2b3c4d --reason 'agreed on'",
    )
    promote.add_argument("--model", required=True, metavar="MODEL", help="the model")
    for changing in (rollback, release, promote):
        changing.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with the decision")
        add_by(changing)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day. Fix: write it like 2026-10-31") from None


def _list(args: argparse.Namespace) -> int:
    from pipelines.ledger import reading

    now = datetime.now(UTC)
    rows = [
        {"model": name, "group": each.group}
        | {key: model[key] for key in ("period", "trained_at", "objective", "codebook_version", "test_set")}
        | {"status": reading.status(each, name, now)}
        for each in reading.read_all(*open_ledger(args.stack))
        for name, model in each.models.items()
    ]
    if args.json:
        return print_json(rows)
    titles = ("model", "period", "trained", "objective", "codebook", "status")
    cells = [
        (
            *(row["model"], row["period"], row["trained_at"][:10], f"{row['objective']:.4f}"),
            *(row["codebook_version"], row["status"]),
        )
        for row in rows
    ]
    return print_table(titles, cells)


def _history(args: argparse.Namespace) -> int:
    from pipelines.ledger import reading

    decisions = reading.read(*open_ledger(args.stack), args.group).decisions
    if args.json:
        return print_json(decisions)
    print("\n\n".join(map(_in_words, decisions)) or f"{args.group}: no decisions yet")
    return 0


def _in_words(decision: dict[str, Any]) -> str:
    """One decision in a few lines."""
    head = f"{decision['time'][:19].replace('T', ' ')}  {decision['verdict']}  {decision['model']}"
    lines = [f"{head} (winner before: {decision['replaces'] or 'none'})", decision["reason"]]
    if "score" in decision:
        replaced = f", against {decision['replaced_score']:.4f}" if "replaced_score" in decision else ""
        lines.append(f"macro-F1 {decision['score']:.4f}{replaced}, codebook {decision['codebook_version']}")
    if "pinned_until" in decision:
        lines.append(f"pinned until {decision['pinned_until']}")
    lines.append(f"decided by {decision['decided_by']}")
    if "evidence" in decision:
        lines.append(f"evidence {decision['evidence']} sha256 {decision['evidence_digest']}")
    return "\n    ".join(lines)


def _winner(args: argparse.Namespace) -> int:
    from pipelines.ledger import reading

    client, table = open_ledger(args.stack)
    found, when, now = reading.read(client, table, args.group), "now", datetime.now(UTC)
    answer = {"model": found.winner.get("model"), "since": found.winner.get("since")}
    pin = reading.pin(found.winner, now)
    if args.on:
        if args.on > now.date():
            raise reading.LedgerError(f"{args.on} is in the future. Fix: name a day up to today (UTC).")
        midnight = datetime.combine(args.on + timedelta(days=1), time(), UTC)
        decision = reading.winner_at(found, midnight) or {"model": None, "time": None}
        answer, when = {"model": decision["model"], "since": decision["time"]}, f"on {args.on}"
        pin = ""
    if not answer["model"]:
        raise reading.LedgerError(f"{args.group} has no winner {when}.")
    if args.json:
        return print_json({"group": args.group, **answer, **({"pin": pin} if pin else {})})
    print(f"{answer['model']} since {answer['since']}{f', {pin}' if pin else ''}")
    return 0


def _rollback(args: argparse.Namespace) -> int:
    return _change(args, "ROLLBACK", args.until)


def _promote(args: argparse.Namespace) -> int:
    return _change(args, "PROMOTE")


def _change(args: argparse.Namespace, verdict: str, until: date | None = None) -> int:
    from pipelines import messages
    from pipelines.ledger import changing, reading

    client, table = open_ledger(args.stack)
    found, reason = reading.read(client, table, args.group), reason_of(args)
    now = datetime.now(UTC)
    decision = changing.change(found, verdict, args.model, reason, decider(args.by), now, until)
    changing.record(client, table, decision)
    tell_mlops(args.stack, messages.decision_by_hand(decision, found.models[args.model]["period"]))
    if warning := reading.older_codebook(found, args.model):
        print(f"Warning: {warning}", file=sys.stderr)
    if args.json:
        return print_json(decision)
    before = decision["replaces"] or "none"
    pinned = f", and pinned until {decision['pinned_until']}" if "pinned_until" in decision else ""
    print(f"{args.model} is now the winner of {args.group}, instead of {before}{pinned}.")
    return 0


def _release(args: argparse.Namespace) -> int:
    from pipelines import messages
    from pipelines.ledger import changing, reading

    client, table = open_ledger(args.stack)
    found, reason, now = reading.read(client, table, args.group), reason_of(args), datetime.now(UTC)
    decision = changing.release(client, table, found, decider(args.by), reason, now)
    tell_mlops(args.stack, messages.decision_by_hand(decision, found.models[decision["model"]]["period"]))
    if args.json:
        return print_json(decision)
    print(f"{decision['model']} stays the winner of {args.group}; the next comparison may replace it.")
    return 0
