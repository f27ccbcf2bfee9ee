"""The winner ledger: which model labels a group's items, since when, who decided it and on what evidence.

The items are described in docs/ledger.md. All items of a group are read at once, and pure functions answer
from them. Nothing is written here; pipelines/ledger/changing.py does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.errors import Refused
from pipelines.ledger import keys
from pipelines.names import group_of_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryOutputTypeDef, ScanOutputTypeDef

#: Verdicts that make their model the winner; the other decisions leave the winner as it is.
MAKES_WINNER = ("FIRST", "PROMOTE", "ROLLBACK")


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
        predictions: items PREDICTIONS# by test set and model.
        approvals: items APPROVAL# by the run that asked.
        months: items MONTH# by period: which labels are the month's.
        labels: items LABELS#, in the order in which they were recorded, each with its `period`.
        without_items: items NOITEMS# by purpose and period.
        dismissed: items DISMISSED# by what nobody need start again.
        claims: items TRAINING# by digest: which run learned from which rows.
        changes: items STATUS#, the oldest first, each with its `time`: who retired or revived the group.
    """

    group: str
    registered: dict[str, Any] = field(default_factory=dict)
    winner: dict[str, Any] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    predictions: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    approvals: dict[str, dict[str, Any]] = field(default_factory=dict)
    months: dict[str, dict[str, Any]] = field(default_factory=dict)
    labels: list[dict[str, Any]] = field(default_factory=list)
    without_items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    dismissed: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_retired(self) -> bool:
        """Whether somebody retired the group and nobody has revived it since."""
        return "retired_at" in self.registered


def read(client: DynamoDBClient, table: str, group: str) -> GroupLedger:
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
        raise not_known(client, table, group)
    return ledger


def check_known(client: DynamoDBClient, table: str, group: str) -> None:
    """Raises LedgerError for a group that has no codebook; `client` is a boto3 DynamoDB client."""
    key = {"group": {"S": group}, "entry": {"S": keys.GROUP}}
    if "Item" not in client.get_item(TableName=table, Key=key, ConsistentRead=True):
        raise not_known(client, table, group)


def not_known(client: DynamoDBClient, table: str, group: str) -> LedgerError:
    """What is said of a group that is not known: it names those that are, to whoever may list them."""
    try:
        known = ", ".join(ledger.group for ledger in read_all(client, table) if ledger.registered)
    except client.exceptions.ClientError:  # not everybody who may read a group has dynamodb:Scan
        known = ""
    return LedgerError(
        f"Model group {group} is not known. Fix: {f'name one of {known}; ' if known else ''}publish its "
        "codebook first (labelmill codebook publish); or say which stack you mean with --stack."
    )


def read_all(client: DynamoDBClient, table: str) -> list[GroupLedger]:
    """The ledgers of all groups, by name. `client` is a boto3 DynamoDB client."""
    return _assemble(client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True))


def _assemble(pages: Iterable[QueryOutputTypeDef | ScanOutputTypeDef]) -> list[GroupLedger]:
    ledgers: dict[str, GroupLedger] = {}
    items = [_plain(item) for page in pages for item in page["Items"]]
    for item in sorted(items, key=lambda item: (item["group"], item["entry"])):
        ledger = ledgers.setdefault(item["group"], GroupLedger(item["group"]))
        match keys.parse(item["entry"]):
            case keys.GROUP, _:
                ledger.registered.update(item)
            case keys.WINNER, _:
                ledger.winner.update(item)
            case keys.MODEL, {"model": model}:
                ledger.models[model] = item
            case keys.DECISION, named:
                ledger.decisions.append(named | item)
            case keys.PREDICTIONS, {"test_set": test_set, "model": model}:
                ledger.predictions[test_set, model] = item
            case keys.APPROVAL, {"run": run}:
                ledger.approvals[run] = item
            case keys.MONTH, {"period": period}:
                ledger.months[period] = item
            case keys.LABELS, named:
                ledger.labels.append(named | item)
            case keys.NO_ITEMS, {"purpose": purpose, "period": period}:
                ledger.without_items[purpose, period] = item
            case keys.DISMISSED, {"name": name}:
                ledger.dismissed[name] = item
            case keys.TRAINING, {"digest": digest}:
                ledger.claims[digest] = item
            case keys.STATUS, named:
                ledger.changes.append(named | item)
    for ledger in ledgers.values():
        ledger.labels.sort(key=lambda item: item["recorded_at"])
    return list(ledgers.values())


def _plain(item: Mapping[str, AttributeValueTypeDef]) -> dict[str, Any]:
    return {name: float(value["N"]) if "N" in value else value.get("S", "") for name, value in item.items()}


def winner_at(ledger: GroupLedger, moment: datetime) -> dict[str, Any] | None:
    """The decision that had made the winner of a moment (with a time zone); None before the first."""
    made = [
        decision
        for decision in ledger.decisions
        if decision["verdict"] in MAKES_WINNER and datetime.fromisoformat(decision["time"]) < moment
    ]
    return made[-1] if made else None


def pin(winner: Mapping[str, Any], now: datetime) -> str:
    """What keeps comparisons from replacing the item WINNER, in words; empty where nothing does.

    `now` has a time zone. A term that is no day is later than all: until a person releases it.
    """
    until = winner.get("pinned_until", "")
    if until <= now.astimezone(UTC).isoformat():
        return ""
    return f"pinned by {winner['pinned_by']} until {until}: {winner['pinned_reason']}"


def status(ledger: GroupLedger, model: str, now: datetime) -> str:
    """What has become of a model, in a few words."""
    if ledger.winner.get("model") == model:
        pinned = f", pinned until {ledger.winner['pinned_until']}" if pin(ledger.winner, now) else ""
        return f"winner since {ledger.winner['since'][:10]}{pinned}"
    decided = [decision for decision in ledger.decisions if decision["model"] == model]
    runs = {decision["run"] for decision in ledger.decisions}
    for run, asked in ledger.approvals.items():
        if asked["model"] == model and run not in runs and waits(asked, ledger.winner.get("model", ""), now):
            return f"waiting for approval of {run}"
    if not decided:
        return "not compared yet"
    if any(decision["verdict"] in MAKES_WINNER for decision in decided):
        return "winner before"
    return f"{decided[-1]['verdict']} {decided[-1]['time'][:10]}"


def expiry(asked: dict[str, Any]) -> datetime:
    """The time from which an unanswered item APPROVAL# means no."""
    return datetime.fromisoformat(asked["asked_at"]) + timedelta(days=keys.APPROVAL_DAYS)


def waits(asked: dict[str, Any], winner: str, now: datetime) -> bool:
    """Whether an item APPROVAL#, of a comparison without a decision, can still be answered with effect.

    `winner` is the group's winner now, empty for none; `now` has a time zone.
    """
    return asked["replaces"] == winner and now < expiry(asked)


def older_codebook(ledger: GroupLedger, model: str) -> str:
    """A warning where the model was trained under another codebook than the current one, else empty."""
    trained, current = ledger.models[model]["codebook_version"], ledger.registered["codebook_version"]
    if trained == current:
        return ""
    return (
        f"{model} was trained under codebook {trained}; the current one is {current}. "
        f"It cannot predict codes that are new since {trained}."
    )


def model_or_winner(ledger: GroupLedger, model: str | None) -> tuple[str, dict[str, Any]]:
    """Name and item MODEL# of a model of the group, of its winner where none is named. Raises LedgerError."""
    name = model or ledger.winner.get("model")
    if not name:
        raise LedgerError(f"{ledger.group} has no winner yet. Fix: name one of its models with --model.")
    check_model(ledger, name)
    return name, ledger.models[name]


def check_model(ledger: GroupLedger, model: str) -> None:
    """Raises LedgerError where the group has no such model."""
    if model in ledger.models:
        return
    group = group_of_model(model)
    if group and group != ledger.group:
        raise LedgerError(
            f"{model} is a model of {group}, not of {ledger.group}. Fix: name a model of {ledger.group}."
        )
    known = ", ".join(sorted(ledger.models)[-5:]) or "no models yet"
    raise LedgerError(f"{ledger.group} has no model {model}. Fix: name one of its models: {known}.")
