"""The comparison workflow: score the challenger against the winner, record the decision, notify MLOps.

What was compared must still hold when the decision is written: the winner, the codebook, the policy. Where
one of them is another by then, nothing is written and the challenger is compared anew.
"""

from typing import Any

from stepfunctions.steps import choice_rule, states

from pipelines import messages, names
from pipelines.ledger import keys
from pipelines.ledger.items import Decision, decision_alone, new, promotion
from pipelines.ledger.keys import APPROVAL_DAYS
from pipelines.machines.approval import approval
from pipelines.machines.capacity import out_of_capacity
from pipelines.machines.failure_path import (
    CODEBOOK_DIGEST,
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
    AFTER_LABELS,
    CANCELLED,
    HOUR,
    Path,
    call,
    event,
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
            "at": Path("$$.State.EnteredTime"),
        },
        result_path="$.decision",
    )
    no_machine, waited = out_of_capacity(failure)
    compare = _compare(no_machine)
    waited.next(compare)
    notify = _notify_mlops(failure)
    verdict = _verdict(failure, notify)
    decided = approval(failure, EVIDENCE, then=verdict, rejected=_record_rejection(failure, notify))
    steps = states.Chain([compare, found, _unless_pinned(failure, decided, pinned=verdict)])
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


def _verdict(failure: states.State, notify: states.State) -> states.State:
    outdated = _outdated(failure, notify)

    def record(state_id: str, transaction: list[Any]) -> states.State:
        return _record(state_id, transaction, failure, outdated, notify)

    since = Path("$$.State.EnteredTime")
    first, other = _decision(first=True), _decision()
    verdict = states.Choice("Verdict")
    for value, step in {
        "FIRST": record("FirstWinner", promotion("${LedgerTable}", first, since)),
        "PROMOTE": record("SwitchWinner", promotion("${LedgerTable}", other, since)),
    }.items():
        verdict.add_choice(choice_rule.ChoiceRule.StringEquals("$.decision.verdict", value), step)
    verdict.default_choice(record("RecordDecision", decision_alone("${LedgerTable}", other)))
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
            "codebook-digest": CODEBOOK_DIGEST,
            "challenger": "$.challenger.model",
            "challenger-digest": "$.challenger.digest",
            "winner": "$.winner.model",
            "winner-digest": "$.winner.digest",
            "policy": POLICY,
            "undecided": "$.undecided",
        },
        key="${WorkKeyArn}",
        result_path="$.compared",
        max_hours=2,
        quota=AFTER_LABELS,
    )


def _unless_pinned(failure: states.State, then: states.State, pinned: states.State) -> states.State:
    """On to `then`; with a promotion that a pin forbids to `pinned`, where it is recorded as KEEP.

    A person is not asked to approve what may not be. A pin that comes after this look is a condition of the
    transaction that promotes.
    """
    rule, until = choice_rule.ChoiceRule, "$.pin.Item.pinned_until.S"
    kept = states.Pass(
        "KeptByPin",
        parameters={
            "verdict": "KEEP",
            "reason": text(
                "{} Would have been promoted, but the winner is pinned by {} until {}: {}",
                "$.compared.message.reason",
                "$.pin.Item.pinned_by.S",
                until,
                "$.pin.Item.pinned_reason.S",
            ),
            "by": "pin",
        },
        result_path="$.decision",
    )
    kept.next(pinned)
    is_pinned = [rule.IsPresent(until, True), rule.StringGreaterThanPath(until, "$.decision.at")]
    choice = states.Choice("Pinned")
    choice.add_choice(rule.And([rule.StringEquals("$.decision.verdict", "PROMOTE"), *is_pinned]), kept)
    choice.default_choice(then)
    get_pin = get_item("GetPin", keys.WINNER, "$.pin", failure)
    get_pin.next(choice)
    return get_pin


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


def _record(
    state_id: str, transaction: list[Any], failure: states.State, outdated: states.State, then: states.State
) -> states.State:
    """Write what belongs together, if winner, codebook and policy are still those of the comparison."""
    of_the_comparison = {
        "TableName": "${LedgerTable}",
        "Key": {"group": {"S": Path("$.group")}, "entry": {"S": keys.GROUP}},
        "ConditionExpression": "codebook_version = :codebook_version AND policy = :policy",
        "ExpressionAttributeValues": {
            ":codebook_version": {"S": Path(CODEBOOK_VERSION)},
            ":policy": {"S": Path(POLICY)},
        },
    }
    winner, decision = transaction
    parameters = {
        "TransactItems": [winner, {"ConditionCheck": of_the_comparison}, decision],
        # A retry after a lost answer is the same write, not a second one.
        "ClientRequestToken": Path(
            "States.Hash(States.Format('{} {}', $$.Execution.Id, $$.State.EnteredTime), 'MD5')"
        ),
    }
    # Transactions that meet cancel one another, and each is to be tried again.
    step = call(
        state_id, "aws-sdk:dynamodb:transactWriteItems", parameters, failure, retry([CANCELLED], 1, 5, 5)
    )
    step.catches.insert(0, states.Catch(outdated, error_equals=[CANCELLED], result_path="$.failure"))
    step.next(then)
    return step


def _outdated(failure: states.State, recorded: states.State) -> states.State:
    """Why a transaction was cancelled, by what DynamoDB says of its items, the decision last of them.

    "Transaction cancelled, please refer cancellation reasons for specific reasons [None,
    ConditionalCheckFailed, None]" (DynamoDB API Reference, TransactWriteItems, TransactionCanceledException).
    A decision of this run and moment is there only where an earlier try has written it all. Whatever is no
    condition's doing is a failure as any other.
    """
    rule = choice_rule.ChoiceRule
    choice = states.Choice("Outdated")
    choice.add_choice(rule.StringMatches("$.failure.Cause", "*ConditionalCheckFailed]*"), recorded)
    choice.add_choice(
        rule.StringMatches("$.failure.Cause", "*ConditionalCheckFailed,*"), _announce_again(failure)
    )
    choice.default_choice(failure)
    return choice


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
    return call("AnnounceAgain", "events:putEvents", event("Inference Completed", detail), failure)


def _record_rejection(failure: states.State, then: states.State) -> states.State:
    """A person's no is about the challenger: it holds whoever has won meanwhile."""
    put = new("${LedgerTable}", _decision())["Put"]
    parameters = {
        **put,
        # Never over another decision, but a retry after a lost answer may meet its own.
        "ConditionExpression": "attribute_not_exists(entry) OR evidence = :evidence",
        "ExpressionAttributeValues": {":evidence": {"S": EVIDENCE}},
    }
    step = call("RecordRejection", "dynamodb:putItem", parameters, failure)
    step.next(then)
    return step


def _notify_mlops(failure: states.State) -> states.State:
    verdict = "$.decision.verdict"
    return notify(
        "NotifyMlops",
        "${MlopsTopicArn}",
        messages.DECISION,
        failure,
        {
            "verdict": verdict,
            "reason": "$.decision.reason",
            "summary": "$.compared.message.summary",
            "evidence": EVIDENCE.to_jsonpath(),
        },
        verdict=Path(verdict),
    )
