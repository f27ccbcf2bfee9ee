"""Changing a group's winner by hand: the decision and its one write. The message to MLOps: messages.py.

Only `record` writes, and only if the winner is still the one that the decision replaces.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.ledger import keys
from pipelines.ledger.items import Decision, change_of_winner
from pipelines.ledger.reading import MAKES_WINNER, GroupLedger, LedgerError, check_model, read
from pipelines.names import manual_run_name

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


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
    time = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
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

    Both in one transaction, or nothing. `client` is a boto3 DynamoDB client. Raises LedgerError where
    another decision was faster.
    """
    group, time = decision["group"], keys.parse(decision["entry"])[1]["time"]
    try:
        client.transact_write_items(
            TransactItems=change_of_winner(table, decision, time, decision["replaces"] or None)
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
