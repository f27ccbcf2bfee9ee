"""Approval by a person, where the group's policy asks for it: the comparison waits with a task token."""

from stepfunctions.steps import choice_rule, states

from pipelines import messages
from pipelines.ledger import keys
from pipelines.ledger.keys import APPROVAL_DAYS
from pipelines.machines.states import HOUR, Path, Task, guard, notify, retry, text


def approval(
    failure: states.State, evidence: Path, then: states.State, rejected: states.State
) -> states.State:
    """Go on to `then`, with `$.decision` as a person answered where one had to be asked.

    `rejected` is where a person's no leads.
    """
    ask = _ask(failure, evidence)
    verdict, reason = "$.compared.message.verdict", "$.compared.message.reason"
    # Whatever the answer, its record says all that the comparison said: rows set aside, too.
    no = "Not approved. The comparison said {}: {}"
    by = ("$.answer.by", "$.answer.reason")
    answers = {
        "Approved": _answered("Approved", Path(verdict), text("{} Approved by {}: {}", reason, *by)),
        "Rejected": _answered("Rejected", "KEEP", text(f"{no} Rejected by {{}}: {{}}", verdict, reason, *by)),
    }
    answer = states.Choice("Answer")
    answer.add_choice(choice_rule.ChoiceRule.BooleanEquals("$.answer.approved", True), answers["Approved"])
    answer.default_choice(answers["Rejected"])
    expired = states.Pass(
        "Expired",
        parameters={
            "verdict": "KEEP",
            "reason": text(
                f"{no} Nobody answered within {APPROVAL_DAYS} days, which means no.", verdict, reason
            ),
            "by": "expiry",
        },
        result_path="$.decision",
    )
    answers["Rejected"].next(rejected)
    for step in (answers["Approved"], expired):
        step.next(then)
    wait = _await(failure, evidence, expired)
    ask.next(wait)
    wait.next(answer)

    wanted = states.Choice("ApprovalWanted")
    wanted.add_choice(choice_rule.ChoiceRule.BooleanEquals("$.compared.message.approval", True), ask)
    wanted.default_choice(then)
    return wanted


def _ask(failure: states.State, evidence: states.State) -> states.State:
    verdict = "$.compared.message.verdict"
    return notify(
        "AskMlops",
        "${MlopsTopicArn}",
        messages.APPROVAL_WANTED,
        failure,
        {
            "verdict": verdict,
            "reason": "$.compared.message.reason",
            "summary": "$.compared.message.summary",
            "evidence": evidence.to_jsonpath(),
        },
        verdict=Path(verdict),
        approval="wanted",
    )


def _await(failure: states.State, evidence: states.State, expired: states.State) -> states.State:
    """Keeps the token in the ledger, where `labelmill approve` and `reject` find it, and waits for it."""
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.APPROVAL)},
        "token": {"S": Path("$$.Task.Token")},
        "verdict": {"S": Path("$.compared.message.verdict")},
        "model": {"S": Path("$.challenger.model")},
        "replaces": {"S": Path("$.winner.model")},
        "evidence": {"S": evidence},
        "evidence_digest": {"S": Path("$.compared.message.evidence_digest")},
        "asked_at": {"S": Path("$$.State.EnteredTime")},
    }
    step = Task(
        "AwaitApproval",
        resource="arn:aws:states:::aws-sdk:dynamodb:putItem.waitForTaskToken",
        parameters={"TableName": "${LedgerTable}", "Item": item},
        timeout_seconds=APPROVAL_DAYS * 24 * HOUR,
        result_path="$.answer",
    )
    # TaskFailed is every error but the timeout, which is an answer here and not to be tried again.
    guard(step, failure, retry(["States.TaskFailed"], 1, 20, 5))
    step.catches.insert(0, states.Catch(expired, error_equals=["States.Timeout"], result_path="$.answer"))
    return step


def _answered(state_id: str, verdict: str | Path, reason: Path) -> states.State:
    return states.Pass(
        state_id,
        parameters={"verdict": verdict, "reason": reason, "by": Path("$.answer.by")},
        result_path="$.decision",
    )
