"""The messages to MLOps before and after a decision on a winner; all others are in machines/ and handlers/.

A command fills the templates' fields with values, the state machine of comparisons with the paths to them.
"""

from typing import Any

from pipelines.ledger.items import Decision
from pipelines.ledger.reading import APPROVAL_DAYS

_DECIDED = "{verdict} for {group} {period}"
_EVIDENCE = "Evidence: {evidence}"
_COMPARED = " {reason}\n\n{summary}\n\n" + _EVIDENCE + "\nReport: labelmill report comparison {run}"
_BY_HAND = " {reason}\n\n{model} is now the winner, instead of {before}.\nDecided by {decided_by}."
_GO_BACK = "To roll back: labelmill models rollback {group} --to {replaces} --reason TEXT"

SUBJECT = "{verdict}: {group} {period}"
#: Of a comparison.
DECISION = _DECIDED + "." + _COMPARED

ASK_SUBJECT = "Approve? " + SUBJECT
#: It names two commands. It has no token: whoever reads mail is not whoever decides.
ASK = (
    _DECIDED
    + ", if a person approves."
    + _COMPARED
    + "\n\nYes: labelmill approve {run}\nNo: labelmill reject {run} --reason TEXT\n\n"
    + f"No answer within {APPROVAL_DAYS} days means no."
)


def by_hand(decision: Decision, period: str) -> dict[str, Any]:
    """The message on a decision of `changing.change`, as SNS takes it: subject, text, attributes.

    `period` is that of the model which is the winner now.
    """
    lines = [_DECIDED + "." + _BY_HAND]
    if "evidence" in decision:
        lines.append(_EVIDENCE)
    if decision["replaces"]:
        lines.append(_GO_BACK)
    fields = {**decision, "period": period, "before": decision["replaces"] or "none"}
    return {
        "Subject": SUBJECT.format(**fields),
        "Message": "\n".join(lines).format(**fields),
        "MessageAttributes": attributes(group=decision["group"], verdict=decision["verdict"]),
    }


def attributes(**values: Any) -> dict[str, Any]:
    """A message's attributes, as SNS takes them: people filter by them what they are sent."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
