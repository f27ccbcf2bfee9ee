"""What people write to the ledger: a group's winner and its pin, its retirement, answers to comparisons.

Each is written only if it still holds what the person was looking at: the winner that the decision replaces,
the group retired or not, no answer before this one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from pipelines.ledger import keys
from pipelines.ledger.items import NEW, RELEASED, Decision, change_of_winner, new, typed
from pipelines.ledger.reading import MAKES_WINNER, GroupLedger, LedgerError, check_model, pin, read
from pipelines.names import manual_run_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb import DynamoDBClient

#: How often a transaction is tried that meets others.
TRIES = 5


def change(
    ledger: GroupLedger,
    verdict: str,
    model: str,
    reason: str,
    by: str,
    now: datetime,
    until: date | None = None,
) -> Decision:
    """The decision, by a person, that makes `model` the winner: what `record` writes. Writes nothing.

    Scores and evidence are those of the last comparison of just these two models, where there was one.

    Args:
        ledger: the group's, as it was read.
        verdict: PROMOTE or ROLLBACK; a rollback pins its model.
        model: the model.
        reason: why.
        by: who decides.
        now: a time with a zone.
        until: the day (UTC) with whose beginning a rollback's pin ends; None: until a person releases it.

    Raises:
        LedgerError: it must not be done.
    """
    group, replaces = ledger.group, ledger.winner.get("model", "")
    check_model(ledger, model)
    if model == replaces:
        raise LedgerError(
            f"{model} is already the winner of {group}, since {ledger.winner['since']}. "
            f"Fix: name another one of labelmill models history {group}."
        )
    if verdict == "ROLLBACK" and not any(
        decision["model"] == model and decision["verdict"] in MAKES_WINNER for decision in ledger.decisions
    ):
        raise LedgerError(
            f"{model} was never the winner of {group}, so there is nothing to roll back to. "
            "Fix: name an earlier winner (labelmill models history), or use labelmill models promote."
        )
    time = _text(now)
    if ledger.winner and now <= datetime.fromisoformat(ledger.winner["since"]):
        raise LedgerError(
            f"By this machine's clock it is {time}, but the winner of {group} is from "
            f"{ledger.winner['since']}. Fix: set the clock; the ledger must stay in order."
        )
    if until and until <= now.astimezone(UTC).date():
        raise LedgerError(f"{until} is not later than today (UTC). Fix: name a later day, or none.")
    decision = _by_hand(ledger, verdict, model, reason, by, time)
    decision.update(_known_scores(ledger, model, replaces))  # type: ignore[typeddict-item]  # none is required
    if verdict == "ROLLBACK":
        decision["pinned_until"] = str(until or RELEASED)
    return decision


def _by_hand(ledger: GroupLedger, verdict: str, model: str, reason: str, by: str, time: str) -> Decision:
    """What every decision of a person holds."""
    run = manual_run_name(ledger.group, verdict, time)
    return Decision(
        group=ledger.group,
        entry=keys.DECISION.format(time=time, run=run),
        verdict=verdict,
        reason=reason,
        decided_by=by,
        model=model,
        replaces=ledger.winner.get("model", ""),
        data_digest=ledger.models[model]["data_digest"],
        code_digest=ledger.models[model]["code_digest"],
        codebook_version=ledger.registered["codebook_version"],
    )


def _known_scores(ledger: GroupLedger, model: str, replaces: str) -> dict[str, Any]:
    """Scores and evidence of the last comparison of two models, whichever was the challenger then."""
    sides = {(model, replaces): ("score", "replaced_score"), (replaces, model): ("replaced_score", "score")}
    for decision in reversed(ledger.decisions):
        names = sides.get((decision["model"], decision["replaces"]))
        if names and replaces and "evidence" in decision:
            scores = dict(zip(("score", "replaced_score"), (decision[name] for name in names), strict=True))
            return scores | {name: decision[name] for name in ("evidence", "evidence_digest")}
    return {}


def record(client: DynamoDBClient, table: str, decision: Decision) -> None:
    """Write a decision of `change`, and its model as the winner, if the winner is still the one it replaces.

    Both in one transaction, or nothing. `client` is a boto3 DynamoDB client. Raises LedgerError where another
    decision was faster.
    """
    group, time = decision["group"], keys.parse(decision["entry"])[1]["time"]
    if _written(client, change_of_winner(table, decision, time), f"The winner of {group}"):
        return
    now = read(client, table, group).winner.get("model", "none")
    raise LedgerError(
        f"Another decision on {group} was faster: the winner is {now} and no longer "
        f"{decision['replaces'] or 'none'}. Nothing was written. "
        f"Fix: look at it (labelmill models history {group}) and decide again."
    )


def release(
    client: DynamoDBClient, table: str, ledger: GroupLedger, by: str, reason: str, now: datetime
) -> Decision:
    """Let comparisons replace a pinned winner again; the next one decides. The winner stays.

    Args:
        client: a boto3 DynamoDB client.
        table: the ledger's name.
        ledger: the group's, as it was read.
        by: who decides.
        reason: why.
        now: a time with a zone.

    Returns:
        The decision RELEASE, as it was recorded.

    Raises:
        LedgerError: the winner is not pinned, or no longer the one that was read.
    """
    winner = ledger.winner
    if not pin(winner, now):
        raise LedgerError(
            f"The winner of {ledger.group} is not pinned: comparisons decide already. "
            "Fix: see labelmill models list for those that are."
        )
    decision = _by_hand(ledger, "RELEASE", winner["model"], reason, by, _text(now))
    unpin = {
        "TableName": table,
        "Key": typed({"group": ledger.group, "entry": keys.WINNER}),
        "UpdateExpression": "REMOVE pinned_until, pinned_by, pinned_reason",
        "ConditionExpression": "decision = :seen AND attribute_exists(pinned_until)",
        "ExpressionAttributeValues": {":seen": {"S": winner["decision"]}},
    }
    if not _written(client, [{"Update": unpin}, new(table, decision)], f"The winner of {ledger.group}"):
        raise LedgerError(
            f"Another decision on {ledger.group} was faster. Nothing was written. "
            f"Fix: look at it (labelmill models history {ledger.group}) and decide again."
        )
    return decision


def retire(
    client: DynamoDBClient, table: str, ledger: GroupLedger, by: str, reason: str, now: datetime
) -> None:
    """Let nothing of the group be ordered, trained on or labelled any more; what there is of it stays.

    Args:
        client: a boto3 DynamoDB client.
        table: the ledger's name.
        ledger: the group's, as it was read.
        by: who decides.
        reason: why.
        now: a time with a zone.

    Raises:
        LedgerError: the group is retired, or becomes so at the same moment.
    """
    if ledger.is_retired:
        since = {name: ledger.registered[f"retired_{name}"] for name in ("at", "by", "reason")}
        raise LedgerError(
            "{group} is retired since {at}, by {by}: {reason}".format(group=ledger.group, **since)
        )
    values = {"retired_at": _text(now), "retired_by": by, "retired_reason": reason}
    update = {
        "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in values),
        "ConditionExpression": "attribute_exists(entry) AND attribute_not_exists(retired_at)",
        "ExpressionAttributeValues": {f":{name}": {"S": value} for name, value in values.items()},
    }
    _change_status(client, table, ledger.group, "retired", update, by, reason, now)


def revive(
    client: DynamoDBClient, table: str, ledger: GroupLedger, by: str, reason: str, now: datetime
) -> None:
    """Take a retired group up again. The arguments are those of `retire`.

    Raises:
        LedgerError: the group is not retired, or no longer as it was read.
    """
    if not ledger.is_retired:
        raise LedgerError(f"{ledger.group} is not retired. Fix: labelmill groups list has those that are.")
    update = {
        "UpdateExpression": "REMOVE retired_at, retired_by, retired_reason",
        "ConditionExpression": "retired_at = :seen",
        "ExpressionAttributeValues": {":seen": {"S": ledger.registered["retired_at"]}},
    }
    _change_status(client, table, ledger.group, "active", update, by, reason, now)


def _change_status(
    client: DynamoDBClient,
    table: str,
    group: str,
    status: str,
    update: dict[str, Any],
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Update the group's item, and write beside it who did so, when and why; both or nothing."""
    change = {
        "group": group,
        "entry": keys.STATUS.format(time=_text(now)),
        "status": status,
        "by": by,
        "reason": reason,
    }
    registered = {"TableName": table, "Key": typed({"group": group, "entry": keys.GROUP})}
    items = [{"Update": registered | update}, {"Put": {"TableName": table, "Item": typed(change), **NEW}}]
    if not _written(client, items, f"The item of {group}"):
        raise LedgerError(
            f"Somebody else has just retired or revived {group}. Nothing was written. "
            "Fix: look at it (labelmill groups list) and decide again."
        )


def _written(client: DynamoDBClient, items: list[Any], what: str) -> bool:
    """Write all the items in one transaction; False, and nothing, where the first one's condition fails.

    Transactions that meet cancel one another, and this one is tried again. Raises LedgerError if it meets
    others every time; `what` says then what they are writing.
    """
    for _ in range(TRIES):
        try:
            client.transact_write_items(TransactItems=items)
            return True
        except client.exceptions.TransactionCanceledException as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
            if codes[0] == "ConditionalCheckFailed":
                return False
            if "TransactionConflict" not in codes:
                raise
    raise LedgerError(
        f"{what} is being written by others all the time, so nothing was changed. "
        "Fix: run the same command again."
    )


def answer(
    client: DynamoDBClient,
    table: str,
    asked: Mapping[str, Any],
    word: str,
    by: str,
    reason: str,
    now: datetime,
) -> dict[str, str]:
    """Keep the first answer to a comparison that waits for a person; an answer before this one stands.

    Args:
        client: a boto3 DynamoDB client.
        asked: the item APPROVAL#.
        word: `approved` or `rejected`.
        by: who answers.
        reason: why.
        now: a time with a zone.

    Returns:
        The item with the answer that stands: `answer`, `answered_by`, `answered_at`, `answer_reason`.
    """
    given = {"answer": word, "answered_by": by, "answered_at": _text(now), "answer_reason": reason}
    try:
        item = client.update_item(
            TableName=table,
            Key={name: {"S": asked[name]} for name in ("group", "entry")},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in given),
            ConditionExpression="attribute_not_exists(answer)",
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in given.items()},
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )["Attributes"]
    except client.exceptions.ConditionalCheckFailedException as error:
        item = error.response["Item"]  # type: ignore[typeddict-item]  # as asked for with ALL_OLD
    return {name: value["S"] for name, value in item.items()}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
