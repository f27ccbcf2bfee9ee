"""The comparison workflow: score the challenger against the winner, record the decision, notify MLOps."""

from stepfunctions.steps import choice_rule, states

from pipelines import messages, names
from pipelines.ledger import keys
from pipelines.ledger.items import Decision, change_of_winner, typed
from pipelines.ledger.keys import APPROVAL_DAYS
from pipelines.machines.approval import approval
from pipelines.machines.capacity import out_of_capacity
from pipelines.machines.failure_path import (
    CODEBOOK_URI,
    CODEBOOK_VERSION,
    NO_RECORD,
    POLICY,
    failure_path,
    get_item,
    known_group,
    refuse,
)
from pipelines.machines.states import (
    CANCELLED,
    HOUR,
    Path,
    call,
    in_work_bucket,
    notify,
    output,
    processing,
    report_of,
    retry,
    text,
)
from pipelines.runs import EVENT_VERSION

TIMEOUT_SECONDS = (1 + APPROVAL_DAYS) * 24 * HOUR
EVIDENCE = in_work_bucket(names.EVIDENCE)


def build() -> states.Graph:
    failure = failure_path("comparison")
    found = states.Pass(
        "Found",
        parameters={
            "verdict": Path("$.compared.message.verdict"),
            "reason": Path("$.compared.message.reason"),
            "by": "comparison",
        },
        result_path="$.decision",
    )
    no_machine, waited = out_of_capacity(failure)
    compare = _compare(no_machine)
    waited.next(compare)
    steps = states.Chain([compare, found, approval(failure, EVIDENCE, then=_verdict(failure))])
    start = known_group(failure, _known_models(failure, steps))
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _known_models(failure: states.State, then: states.State) -> states.State:
    """What the ledger has on both models: which run trained each, of which data, with which code.

    Without a winner the challenger stands in its place, since no job's input may be empty.
    """
    no_winner = states.Pass("NoWinner", input_path="$.recorded", result_path="$.replaced")
    no_winner.next(then)
    has_winner = states.Choice("HasWinner")
    has_winner.add_choice(choice_rule.ChoiceRule.StringEquals("$.winner.model", ""), no_winner)
    has_winner.default_choice(_known_model("Winner", "$.replaced", failure, then))
    return _known_model("Challenger", "$.recorded", failure, has_winner)


def _known_model(role: str, result_path: str, failure: states.State, then: states.State) -> states.State:
    model = f"$.{role.lower()}.model"
    get_model = get_item(f"Get{role}", text(keys.MODEL, model=model), result_path, failure)
    known = states.Choice(f"{role}Known")
    known.add_choice(choice_rule.ChoiceRule.IsPresent(f"{result_path}.Item.run.S", True), then)
    known.default_choice(refuse(f"Unknown{role}", failure, NO_RECORD, model))
    get_model.next(known)
    return get_model


def _verdict(failure: states.State) -> states.State:
    notify = _notify_mlops(failure)
    changed = _winner_changed(failure)
    verdict = states.Choice("Verdict")
    for value, step in {
        "FIRST": _record_winner("FirstWinner", failure, changed, replaces=None),
        "PROMOTE": _record_winner("SwitchWinner", failure, changed, replaces="$.winner.model"),
    }.items():
        step.next(notify)
        verdict.add_choice(choice_rule.ChoiceRule.StringEquals("$.decision.verdict", value), step)
    record = _record_decision(failure)
    record.next(notify)
    verdict.default_choice(record)
    return verdict


def _compare(failure: states.State) -> states.State:
    return processing(
        "Compare",
        failure,
        inputs={
            "challenger": Path("$.challenger.predictions"),
            "winner": Path("$.winner.predictions"),
            "codebook": Path(CODEBOOK_URI),
            # What Prepare reported when each was trained: which codes it has seen.
            "challenger-trained": report_of("$.recorded"),
            "winner-trained": report_of("$.replaced"),
        },
        outputs={"evidence": output("evidence")},
        arguments={
            "group": "$.group",
            "period": "$.period",
            "run": "$.run",
            "challenger": "$.challenger.model",
            "winner": "$.winner.model",
            "policy": POLICY,
        },
        key="${WorkKeyArn}",
        result_path="$.compared",
        max_hours=2,
    )


def _decision(*, first: bool = False) -> Decision:
    """An item that is written once: its key holds the time and the run. A first winner replaces no score."""
    decision = Decision(
        group=Path("$.group"),
        entry=text(keys.DECISION, time="$$.State.EnteredTime"),
        verdict=Path("$.decision.verdict"),
        reason=Path("$.decision.reason"),
        decided_by=Path("$.decision.by"),
        model=Path("$.challenger.model"),
        replaces=Path("$.winner.model"),
        score=text("{}", "$.compared.message.score"),
        evidence=EVIDENCE,
        evidence_digest=Path("$.compared.message.evidence_digest"),
        policy=Path(POLICY),
        compared_by_code="${CodeDigest}",
        data_digest=Path("$.recorded.Item.data_digest.S"),
        code_digest=Path("$.recorded.Item.code_digest.S"),
        codebook_version=Path(CODEBOOK_VERSION),
    )
    if not first:
        decision["replaced_score"] = text("{}", "$.compared.message.winner_score")
    return decision


def _record_winner(
    state_id: str, failure: states.State, changed: states.State, replaces: str | None
) -> states.State:
    """Decision and winner in one transaction, if the winner is still the one that was compared."""
    since = Path("$$.State.EnteredTime")
    parameters = {
        "TransactItems": change_of_winner(
            "${LedgerTable}", _decision(first=replaces is None), since, Path(replaces) if replaces else None
        ),
        # A retry after a lost answer is the same write, not a second one.
        "ClientRequestToken": Path("States.Hash($$.Execution.Id, 'MD5')"),
    }
    # Two transactions that meet cancel one another; the next try finds out whether the winner did change.
    step = call(
        state_id, "aws-sdk:dynamodb:transactWriteItems", parameters, failure, retry([CANCELLED], 1, 5, 2)
    )
    step.catches.insert(0, states.Catch(changed, error_equals=[CANCELLED], result_path="$.failure"))
    return step


def _winner_changed(failure: states.State) -> states.State:
    """Another comparison was faster: announce the challenger again, to be compared with the new winner."""
    changed = states.Choice("WinnerChanged")
    rule = choice_rule.ChoiceRule.StringMatches("$.failure.Cause", "*ConditionalCheckFailed*")
    changed.add_choice(rule, _announce_again(failure))
    changed.default_choice(failure)
    return changed


def _announce_again(failure: states.State) -> states.State:
    detail = {
        "version": EVENT_VERSION,
        "group": Path("$.group"),
        "period": Path("$.period"),
        "run": Path("$.run"),
        "purpose": "test",
        "model": Path("$.challenger.model"),
        "challenger": Path("$.challenger.model"),
        "test_set": Path("$.test_set"),
        "dataset": in_work_bucket(f"{names.RUN_FOLDER}test/", run="$.test_set"),
        "predictions": Path("$.challenger.predictions"),
    }
    entry = {"Source": "labelmill", "DetailType": "Inference Completed", "Detail": detail}
    return call("AnnounceAgain", "events:putEvents", {"Entries": [entry]}, failure)


def _record_decision(failure: states.State) -> states.State:
    parameters = {
        "TableName": "${LedgerTable}",
        "Item": typed(_decision()),
        # Never over another decision, but a retry after a lost answer may meet its own.
        "ConditionExpression": "attribute_not_exists(entry) OR evidence = :evidence",
        "ExpressionAttributeValues": {":evidence": {"S": EVIDENCE}},
    }
    return call("RecordDecision", "dynamodb:putItem", parameters, failure)


def _notify_mlops(failure: states.State) -> states.State:
    verdict = "$.decision.verdict"
    return notify(
        "NotifyMlops",
        "${MlopsTopicArn}",
        text(messages.DECISION.subject, verdict=verdict),
        text(
            messages.DECISION.text,
            verdict=verdict,
            reason="$.decision.reason",
            summary="$.compared.message.summary",
            evidence=EVIDENCE.to_jsonpath(),
        ),
        failure,
        verdict=Path(verdict),
    )
