"""The winner ledger: which model labels a group's items, since when, who decided it and on what evidence.

The items are described in docs/ledger.md. All of a group is read at once and looked at by pure functions.
Only `record` writes, and only if the winner is still the one that the decision replaces.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.errors import Refused

#: Verdicts that make their model the winner; the other decisions leave the winner as it is.
MAKES_WINNER = ("FIRST", "PROMOTE", "ROLLBACK")
#: Without an answer for so long the answer is no: a week holds a weekend, and is less than a month.
APPROVAL_DAYS = 7


class LedgerError(Refused):
    """What was asked cannot be answered, or must not be done; the message says why and what to do."""


@dataclass(frozen=True)
class GroupLedger:
    """The items of one model group, numbers as float and all else as text.

    Attributes:
        registered: the item GROUP; empty where the group is not known.
        winner: the item WINNER; empty where there is none.
        models: items MODEL# by the model's name.
        decisions: items DECISION#, the oldest first, each with its `time` and `run`.
        approvals: items APPROVAL# by the run that asked.
    """

    group: str
    registered: dict = field(default_factory=dict)
    winner: dict = field(default_factory=dict)
    models: dict[str, dict] = field(default_factory=dict)
    decisions: list[dict] = field(default_factory=list)
    approvals: dict[str, dict] = field(default_factory=dict)


def read(client: Any, table: str, group: str) -> GroupLedger:
    """The ledger of one group; `client` is a boto3 DynamoDB client. Raises LedgerError for an unknown one."""
    pages = client.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="#group = :group",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={":group": {"S": group}},
    )
    [ledger] = _assemble(pages) or [GroupLedger(group)]
    if not ledger.registered:
        raise LedgerError(
            f"Model group {group} is not known. "
            "Fix: write it like DE-weee, name its stack with --stack, or publish its codebook first."
        )
    return ledger


def read_all(client: Any, table: str) -> list[GroupLedger]:
    """The ledgers of all groups, by name. `client` is a boto3 DynamoDB client."""
    return _assemble(client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True))


def _assemble(pages) -> list[GroupLedger]:
    ledgers: dict[str, GroupLedger] = {}
    items = [_plain(item) for page in pages for item in page["Items"]]
    for item in sorted(items, key=lambda item: (item["group"], item["entry"])):
        ledger = ledgers.setdefault(item["group"], GroupLedger(item["group"]))
        match item["entry"].split("#"):
            case ["GROUP"]:
                ledger.registered.update(item)
            case ["WINNER"]:
                ledger.winner.update(item)
            case ["MODEL", model]:
                ledger.models[model] = item
            case ["DECISION", time, run]:
                ledger.decisions.append({"time": time, "run": run, **item})
            case ["APPROVAL", run]:
                ledger.approvals[run] = item
    return list(ledgers.values())


def _plain(item: dict) -> dict:
    return {name: float(value["N"]) if "N" in value else value.get("S", "") for name, value in item.items()}


def winner_at(ledger: GroupLedger, moment: datetime) -> dict | None:
    """The decision that had made the winner of a moment (with a time zone); None before the first."""
    made = [
        decision
        for decision in ledger.decisions
        if decision["verdict"] in MAKES_WINNER and datetime.fromisoformat(decision["time"]) < moment
    ]
    return made[-1] if made else None


def status(ledger: GroupLedger, model: str, now: datetime) -> str:
    """What has become of a model, in a few words."""
    if ledger.winner.get("model") == model:
        return f"winner since {ledger.winner['since'][:10]}"
    decided = [decision for decision in ledger.decisions if decision["model"] == model]
    runs = {decision["run"] for decision in ledger.decisions}
    for run, asked in ledger.approvals.items():
        expires = datetime.fromisoformat(asked["asked_at"]) + timedelta(days=APPROVAL_DAYS)
        current = asked["replaces"] == ledger.winner.get("model", "")
        if asked["model"] == model and current and run not in runs and now < expires:
            return f"waits for approval of {run}"
    if not decided:
        return "not compared yet"
    last = decided[-1]
    return "winner before" if last["verdict"] in MAKES_WINNER else f"{last['verdict']} {last['time'][:10]}"


def older_codebook(ledger: GroupLedger, model: str) -> str:
    """A warning where the model was trained under another codebook than the current one, else empty."""
    trained, current = ledger.models[model]["codebook_version"], ledger.registered["codebook_version"]
    if trained == current:
        return ""
    return (
        f"{model} was trained under codebook {trained}; the current one is {current}. "
        f"It gives no code that is new since {trained}."
    )


def change(ledger: GroupLedger, verdict: str, model: str, reason: str, by: str, now: datetime) -> dict:
    """The decision, by a person, that makes `model` the winner: what `record` writes. Writes nothing.

    `verdict` is PROMOTE or ROLLBACK; `now` has a time zone. Scores and evidence are those of the last
    comparison of just these two models, where there was one. Raises LedgerError where it must not be done.
    """
    group, replaces = ledger.group, ledger.winner.get("model", "")
    _check_model(ledger, model)
    if model == replaces:
        raise LedgerError(f"{model} is already the winner of {group}, since {ledger.winner['since']}.")
    if verdict == "ROLLBACK" and not any(
        decision["model"] == model and decision["verdict"] in MAKES_WINNER for decision in ledger.decisions
    ):
        raise LedgerError(
            f"{model} was never the winner of {group}, so there is nothing to go back to. "
            "Fix: name an earlier winner (labelmill models history), or use labelmill models promote."
        )
    time = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if ledger.winner and now <= datetime.fromisoformat(ledger.winner["since"]):
        raise LedgerError(
            f"By this machine's clock it is {time}, but the winner of {group} is from "
            f"{ledger.winner['since']}. Fix: set the clock; the ledger must stay in order."
        )
    run = f"{group}-{verdict.lower()}-{re.sub('[^0-9]', '', time)}"
    made_of = {name: ledger.models[model][name] for name in ("data_digest", "code_digest")}
    return {
        "group": group,
        "entry": f"DECISION#{time}#{run}",
        "verdict": verdict,
        "reason": reason,
        "decided_by": by,
        "model": model,
        "replaces": replaces,
        **_known_scores(ledger, model, replaces),
        **made_of,
        "codebook_version": ledger.registered["codebook_version"],
    }


def _check_model(ledger: GroupLedger, model: str) -> None:
    if model in ledger.models:
        return
    named = re.fullmatch(r"([A-Z]{2}-[a-z0-9]{2,12})-[0-9]{4}-[0-9]{2}-[0-9a-f]{8}", model)
    if named and named[1] != ledger.group:
        raise LedgerError(
            f"{model} is a model of {named[1]}, not of {ledger.group}. Fix: name a model of {ledger.group}."
        )
    known = ", ".join(sorted(ledger.models)[-5:]) or "no model so far"
    raise LedgerError(f"{ledger.group} has no model {model}. Fix: name one of its own: {known}.")


def _known_scores(ledger: GroupLedger, model: str, replaces: str) -> dict:
    """Scores and evidence of the last comparison of two models, whichever was the challenger then."""
    sides = {(model, replaces): ("score", "replaced_score"), (replaces, model): ("replaced_score", "score")}
    for decision in reversed(ledger.decisions):
        names = sides.get((decision["model"], decision["replaces"]))
        if names and replaces and "evidence" in decision:
            scores = dict(zip(("score", "replaced_score"), (decision[name] for name in names), strict=True))
            return scores | {name: decision[name] for name in ("evidence", "evidence_digest")}
    return {}


def record(client: Any, table: str, decision: dict) -> None:
    """Write a decision of `change`, and its model as the winner, if the winner is still the one it replaces.

    Both in one transaction, or nothing. `client` is a boto3 DynamoDB client. Raises LedgerError where
    another decision was faster.
    """
    group, time = decision["group"], decision["entry"].split("#")[1]
    winner = {
        "group": group,
        "entry": "WINNER",
        "model": decision["model"],
        "decision": decision["entry"],
        "since": time,
    }
    unchanged: dict = {"ConditionExpression": "attribute_not_exists(entry)"}
    if decision["replaces"]:
        unchanged = {
            "ConditionExpression": "model = :replaces",
            "ExpressionAttributeValues": {":replaces": {"S": decision["replaces"]}},
        }
    once = {"ConditionExpression": "attribute_not_exists(entry)"}
    puts = [(winner, unchanged), (decision, once)]
    try:
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": table, "Item": _typed(item), **condition}} for item, condition in puts
            ]
        )
    except client.exceptions.TransactionCanceledException as error:
        codes = {reason["Code"] for reason in error.response["CancellationReasons"]}
        if not codes & {"ConditionalCheckFailed", "TransactionConflict"}:
            raise
        now = read(client, table, group).winner.get("model", "none")
        raise LedgerError(
            f"Another decision on {group} was faster: the winner is {now} and no longer "
            f"{decision['replaces'] or 'none'}. Nothing was written. "
            f"Fix: look at it (labelmill models history {group}) and decide again."
        ) from error


def _typed(item: dict) -> dict:
    return {
        name: {"N": repr(value)} if isinstance(value, float) else {"S": value} for name, value in item.items()
    }
