"""What people write to the ledger: a change of a group's winner, and an answer to a comparison that asks.

`record` writes only if the winner is still the one that the decision replaces, `answer` only if nobody has
answered before.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.ledger import keys
from pipelines.ledger.items import Decision, change_of_winner
from pipelines.ledger.reading import MAKES_WINNER, GroupLedger, LedgerError, check_model, read
from pipelines.names import manual_run_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from types_boto3_dynamodb import DynamoDBClient

#: How often a transaction is tried that meets others.
TRIES = 5


def change(ledger: GroupLedger, verdict: str, model: str, reason: str, by: str, now: datetime) -> Decision:
    """The decision, by a person, that makes `model` the winner: what `record` writes. Writes nothing.

    `verdict` is PROMOTE or ROLLBACK; `now` has a time zone. Scores and evidence are those of the last
    comparison of just these two models, where there was one. Raises LedgerError where it must not be done.
    """
    group, replaces = ledger.group, ledger.winner.get("model", "")
    check_model(ledger, model)
    if model == replaces:
        raise LedgerError(f"{model} is already the winner of {group}, since {ledger.winner['since']}.")
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
    run = manual_run_name(group, verdict, time)
    decision: Decision = Decision(
        group=group,
        entry=keys.DECISION.format(time=time, run=run),
        verdict=verdict,
        reason=reason,
        decided_by=by,
        model=model,
        replaces=replaces,
        **_known_scores(ledger, model, replaces),  # type: ignore[typeddict-item]  # none is required
        data_digest=ledger.models[model]["data_digest"],
        code_digest=ledger.models[model]["code_digest"],
        codebook_version=ledger.registered["codebook_version"],
    )
    return decision


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

    Both in one transaction, or nothing. `client` is a boto3 DynamoDB client. Transactions that meet cancel
    one another, and this one is tried again. Raises LedgerError where another decision was faster.
    """
    group, time = decision["group"], keys.parse(decision["entry"])[1]["time"]
    for _ in range(TRIES):
        try:
            client.transact_write_items(TransactItems=change_of_winner(table, decision, time))
            return
        except client.exceptions.TransactionCanceledException as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
            if codes[0] == "ConditionalCheckFailed":
                break
            if "TransactionConflict" not in codes:
                raise
    else:
        raise LedgerError(
            f"The winner of {group} is being written by others all the time, so nothing was changed. "
            "Fix: run the same command again."
        )
    now = read(client, table, group).winner.get("model", "none")
    raise LedgerError(
        f"Another decision on {group} was faster: the winner is {now} and no longer "
        f"{decision['replaces'] or 'none'}. Nothing was written. "
        f"Fix: look at it (labelmill models history {group}) and decide again."
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
