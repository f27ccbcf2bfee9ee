"""The items of a decision on a group's winner, and the one transaction that writes them (docs/ledger.md).

Values are what a command knows, or, where a state machine is compiled, the paths to them.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from pipelines.ledger import keys

#: The term of a pin that ends when a person releases it. As text it is later than any time.
RELEASED = "released"
#: An item that is written once.
NEW = {"ConditionExpression": "attribute_not_exists(entry)"}
NUMBERS = ("score", "replaced_score")


class Decision(TypedDict):
    """An item DECISION#; a group's first winner and a decision by hand lack what is not required.

    `pinned_until` is a rollback's alone: until when no comparison replaces its model.
    """

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
    pinned_until: NotRequired[Any]


def typed(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as DynamoDB takes it: scores as numbers with all their digits, everything else as text."""
    return {
        name: {"N" if name in NUMBERS else "S": repr(value) if isinstance(value, float) else value}
        for name, value in item.items()
    }


def change_of_winner(table: str, decision: Decision, since: Any) -> list[Any]:
    """The decision, made at the time `since`, and its model as the winner, if `replaces` still is.

    Nor does it come before a decision that has been made meanwhile: one may have made the same winner again.
    A decision with `pinned_until` pins its model, any other ends a pin.

    Returns:
        `TransactItems`, which are written together or not at all: the winner first, the decision last.
    """
    winner: dict[str, Any] = {
        "group": decision["group"],
        "entry": keys.WINNER,
        "model": decision["model"],
        "decision": decision["entry"],
        "since": since,
    }
    if "pinned_until" in decision:
        winner |= {
            "pinned_until": decision["pinned_until"],
            "pinned_by": decision["decided_by"],
            "pinned_reason": decision["reason"],
        }
    unchanged = _still_wins(decision)
    unchanged["ConditionExpression"] += " AND since < :since"
    unchanged["ExpressionAttributeValues"][":since"] = {"S": since}
    return [{"Put": {"TableName": table, "Item": typed(winner), **unchanged}}, new(table, decision)]


def promotion(table: str, decision: Decision, since: Any) -> list[Any]:
    """As `change_of_winner`, of a comparison: only where no pin holds at the time `since`."""
    winner, decided = change_of_winner(table, decision, since)
    # In front: of AND and OR, AND binds closer.
    winner["Put"]["ConditionExpression"] = (
        f"(attribute_not_exists(pinned_until) OR pinned_until <= :since) "
        f"AND ({winner['Put']['ConditionExpression']})"
    )
    return [winner, decided]


def decision_alone(table: str, decision: Decision) -> list[Any]:
    """As `change_of_winner`, of a decision that leaves the winner as it is."""
    winner = typed({"group": decision["group"], "entry": keys.WINNER})
    return [
        {"ConditionCheck": {"TableName": table, "Key": winner, **_still_wins(decision)}},
        new(table, decision),
    ]


def new(table: str, decision: Decision) -> dict[str, Any]:
    """The decision, which is written once."""
    return {"Put": {"TableName": table, "Item": typed(decision), **NEW}}


def _still_wins(decision: Decision) -> dict[str, Any]:
    """The winner is the one that the decision replaces; an empty text stands for none."""
    return {
        "ConditionExpression": "attribute_not_exists(entry) OR model = :replaces",
        "ExpressionAttributeValues": {":replaces": {"S": decision["replaces"]}},
    }
