"""Every message that people get by SNS: to operators, to MLOps, to stakeholders.

Sentences that are put into them come from where they are found out: a job, a verdict, a function.

State machines fill the fields in braces with paths (`text` in pipelines/machines/states.py), functions and
commands with values (`str.format`). No message holds an item. Lambda functions carry this module.
docs/message.schema.json says what subscribers get, with the attributes by which they filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.ledger.keys import APPROVAL_DAYS
from pipelines.names import address

if TYPE_CHECKING:
    from pipelines.ledger.items import Decision


class Message(NamedTuple):
    """A message, subject and text with fields in braces; its kind is an attribute of what is sent."""

    kind: str
    subject: str
    text: str


# To operators.
RUN_FAILED = Message(
    "run-failed",
    "{machine} failed: {run}",
    "{sentence}\n\n"
    "What to do: once that is put right, labelmill retry --run {run}\n\n"
    "The {machine} run {run} failed (error {error}).{log} More: labelmill runs show {run}",
)
UNLOAD_FAILED = Message(
    "unload-failed",
    "unload failed: {group} {purpose} {period}",
    "The warehouse delivered no {purpose} dataset of {group} for {period}: {cause}\n\n"
    "What to do: once that is put right, labelmill retry --run {statement}\n\n"
    "Statement {statement}, {statement_id} (error {error}). No run was started.",
)
NO_ITEMS = Message(
    "no-items",
    "no items: {group} {purpose} {period}",
    "The warehouse has no items of {group} for {purpose} {period}: the statement "
    "{statement} found no rows, so it wrote no dataset and no run was started. If there should be some, "
    "check the table or view it reads, then order the dataset again under another delivery.",
)
MONTH_OVERDUE = Message(
    "month-overdue",
    "{period} is not finished: {left} of {groups} model groups",
    "The deadline of {period} has passed, and these model groups are not done:\n\n"
    "{lines}\n\n"
    "Datasets land in {folder}.\n"
    "What to do: docs/runbook.md#month-unfinished. You get this notice every day until all are done.\n",
)
# To operators and stakeholders.
SUPERSEDED = Message(
    "superseded",
    "Superseded: {group} {period}",
    "{group} {period}: the dataset {dataset} was labelled, but a newer delivery of the same month is "
    "published already (run {newer}). The newer one stays; the labels of the older one are kept as "
    "superseded, at {labels}. If the older one should count, deliver it again.",
)

# To MLOps.
NOTHING_NEW = Message(
    "nothing-new",
    "Nothing new to learn: {group} {period}",
    "{group} {period}: nothing new to learn. Rows, code, codebook and policy are the same as for "
    "model {model}, so no model was trained. Run: {run}",
)
NOTHING_NEW_BUT_UNDECIDED = Message(
    "nothing-new",
    "Nothing new to learn, but to decide: {group} {period}",
    "{group} {period}: nothing new to learn. Rows, code, codebook and policy are the same as for "
    "model {model}, so no model was trained. That model has not been decided upon: of its tests and its "
    "comparison, what is missing or has failed is started now; if it waits for a person, it goes on waiting. "
    "Run: {run}",
)
LEARNED_ALREADY = Message(
    "nothing-new",
    "Being learned already: {group} {period}",
    "{group} {period}: run {other} is learning from the same rows with the same code, codebook and "
    "policy, so this run trained no model. Operators are told if that one fails. Run: {run}",
)
LABELS_NEED_ATTENTION = Message(
    "needs-attention",
    "Labels need attention: {group} {period}",
    "{group} {period}, model {model}: {attention} "
    f"Summary: {address('{bucket}', '{prefix}summary.json')}",
)

# To MLOps, of a decision on the winner.
_DECIDED = "{verdict} for {group} {period}"
_EVIDENCE = "Evidence: {evidence}"
_COMPARED = " {reason}\n\n{summary}\n\n" + _EVIDENCE + "\nReport: labelmill report comparison {run}"
_BY_HAND = " {reason}\n\n{model} {is_now}.\nDecided by {decided_by}."
_PINNED = (
    "Pinned until {pinned_until}: no comparison replaces it. "
    "To end that: labelmill models release {group} --reason TEXT"
)
_GO_BACK = "To roll back: labelmill models rollback {group} --to {replaces} --reason TEXT"

DECISION = Message("decision", "{verdict}: {group} {period}", _DECIDED + "." + _COMPARED)
#: It names two commands. It has no token: whoever reads mail is not whoever decides.
APPROVAL_WANTED = Message(
    "approval-wanted",
    "Approve? " + DECISION.subject,
    _DECIDED
    + ", if a person approves."
    + _COMPARED
    + "\n\nYes: labelmill approve {run}\nNo: labelmill reject {run} --reason TEXT\n\n"
    + f"No answer within {APPROVAL_DAYS} days means no.",
)

# To stakeholders: counts and an address.
LABELS_READY = Message(
    "labels-ready",
    "Labels ready: {group} {period}",
    "{group} {period}. Items: {rows}. Labelled: {labelled} ({decided} by people). To review: {review}. "
    "No code fits: {none}. Rejected: {rejected}. Expected: {expected} "
    "Found in the data (docs/input.md): {found}. "
    "Model: {model}. Codebook: {codebook}. Needs attention: {attention} "
    f"Manifest of the files: {address('{bucket}', '{prefix}manifest.json')}",
)


def decision_by_hand(decision: Decision, period: str) -> dict[str, Any]:
    """The message on a decision that a person makes, as SNS takes it: subject, text, attributes.

    `period` is that of the model which is the winner now.
    """
    lines, replaces = [_DECIDED + "." + _BY_HAND], decision["replaces"]
    if decision["verdict"] == "RELEASE":
        is_now = "stays the winner until a comparison replaces it"
    else:
        is_now = "is now the winner" + (f", instead of {replaces}" if replaces else "")
        if "pinned_until" in decision:
            lines.append(_PINNED)
        if "evidence" in decision:
            lines.append(_EVIDENCE)
        if replaces:
            lines.append(_GO_BACK)
    fields = {**decision, "period": period, "is_now": is_now}
    return {
        "Subject": DECISION.subject.format(**fields),
        "Message": "\n".join(lines).format(**fields),
        "MessageAttributes": attributes(
            kind=DECISION.kind, group=decision["group"], period=period, verdict=decision["verdict"]
        ),
    }


def attributes(**values: Any) -> dict[str, Any]:
    """A message's attributes, as SNS takes them: people filter by them what they are sent."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
