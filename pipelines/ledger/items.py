"""The items of a decision on a group's winner, and the one transaction that writes them (docs/ledger.md).

Values are what a command knows, or, where a state machine is compiled, the paths to them.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from pipelines.ledger import keys

#: An item that is written once.
NEW = {"ConditionExpression": "attribute_not_exists(entry)"}
NUMBERS = ("score", "replaced_score")


class Decision(TypedDict):
    """An item DECISION#; a group's first winner and a decision by hand lack what is not required."""

    group: Any
    entry: Any
    verdict: Any
    reason: Any
    decided_by: Any
    model: Any
    replaces: Any
    score: NotRequired[Any]
    replaced_score: NotRequired[Any]
    evidence: NotRequired[Any]
    evidence_digest: NotRequired[Any]
    policy: NotRequired[Any]
    compared_by_code: NotRequired[Any]
    data_digest: Any
    code_digest: Any
    codebook_version: Any


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as DynamoDB takes it: scores as numbers with all their digits, everything else as text."""
    return {
        name: {"N" if name in NUMBERS else "S": repr(value) if isinstance(value, float) else value}
        for name, value in item.items()
    }


def change_of_winner(table: str, decision: Decision, since: Any, replaces: Any | None) -> list[Any]:
    """The decision and its model as the winner: `TransactItems`, which are written together or not at all.

    Args:
        since: the time of the decision.
        replaces: the model that must still be the winner; None where there must be none.
    """
    winner: dict[str, Any] = {
        "group": decision["group"],
        "entry": keys.WINNER,
        "model": decision["model"],
        "decision": decision["entry"],
        "since": since,
    }
    unchanged: dict[str, Any] = NEW
    if replaces is not None:
        unchanged = {
            "ConditionExpression": "model = :replaces",
            "ExpressionAttributeValues": {":replaces": {"S": replaces}},
        }
    return [
        {"Put": {"TableName": table, "Item": typed(winner), **unchanged}},
        {"Put": {"TableName": table, "Item": typed(decision), **NEW}},
    ]
