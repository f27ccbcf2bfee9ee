"""The comparison workflow: score the challenger against the winner, record the decision, tell MLOps."""

from stepfunctions.steps import choice_rule, states

from pipelines.failure_tail import CODEBOOK_URI, CODEBOOK_VERSION, POLICY, failure_tail, known_group
from pipelines.states import HOUR, Path, call, output, processing, retry, text

TIMEOUT_SECONDS = 24 * HOUR
CANCELLED = "DynamoDb.TransactionCanceledException"


def build() -> states.Graph:
    failure = failure_tail("comparison")
    notify = _notify_mlops(failure)
    changed = _winner_changed(failure)
    rule = choice_rule.ChoiceRule
    verdict = states.Choice("Verdict")
    for value, step in {
        "FIRST": _record_winner("FirstWinner", failure, changed, replaces=None),
        "PROMOTE": _record_winner("SwitchWinner", failure, changed, replaces="$.winner.model"),
    }.items():
        step.next(notify)
        verdict.add_choice(rule.StringEquals("$.compared.message.verdict", value), step)
    record = _record_decision(failure)
    record.next(notify)
    verdict.default_choice(record)
    start = known_group(failure, states.Chain([_compare(failure), verdict]))
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _compare(failure):
    return processing(
        "Compare",
        failure,
        inputs={
            "challenger": Path("$.challenger.predictions"),
            "winner": Path("$.winner.predictions"),
            "codebook": Path(CODEBOOK_URI),
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


def _decision() -> dict:
    """An item that is written once: its key holds the time and the run."""
    return {
        "group": {"S": Path("$.group")},
        "entry": {"S": text("DECISION#{}#{}", "$$.State.EnteredTime", "$.run")},
        "verdict": {"S": Path("$.compared.message.verdict")},
        "reason": {"S": Path("$.compared.message.reason")},
        "model": {"S": Path("$.challenger.model")},
        "replaces": {"S": Path("$.winner.model")},
        "score": {"N": text("{}", "$.compared.message.score")},
        "replaced_score": {"N": text("{}", "$.compared.message.winner_score")},
        "evidence": {"S": text("s3://${WorkBucket}/runs/{}/{}/evidence/comparison.json", "$.group", "$.run")},
        "decided_by": {"S": "comparison"},
        "codebook_version": {"S": Path(CODEBOOK_VERSION)},
    }


def _record_winner(state_id: str, failure, changed, replaces: str | None):
    """Decision and winner in one transaction, if the winner is still the one that was compared."""
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": "WINNER"},
        "model": {"S": Path("$.challenger.model")},
        "decision": _decision()["entry"],
        "since": {"S": Path("$$.State.EnteredTime")},
    }
    unchanged = {"ConditionExpression": "attribute_not_exists(entry)"}
    if replaces:
        unchanged = {
            "ConditionExpression": "model = :replaces",
            "ExpressionAttributeValues": {":replaces": {"S": Path(replaces)}},
        }
    parameters = {
        "TransactItems": [
            {"Put": {"TableName": "${LedgerTable}", "Item": item, **unchanged}},
            {
                "Put": {
                    "TableName": "${LedgerTable}",
                    "Item": _decision(),
                    "ConditionExpression": "attribute_not_exists(entry)",
                }
            },
        ],
        # A retry after a lost answer is the same write, not a second one.
        "ClientRequestToken": Path("States.Hash($$.Execution.Id, 'MD5')"),
    }
    # Two transactions that meet cancel one another; the next try finds out whether the winner did change.
    step = call(
        state_id, "aws-sdk:dynamodb:transactWriteItems", parameters, failure, retry([CANCELLED], 1, 5, 2)
    )
    step.catches.insert(0, states.Catch(changed, error_equals=[CANCELLED], result_path="$.failure"))
    return step


def _winner_changed(failure):
    """Another comparison was faster: announce the challenger again, to be compared with the new winner."""
    changed = states.Choice("WinnerChanged")
    rule = choice_rule.ChoiceRule.StringMatches("$.failure.Cause", "*ConditionalCheckFailed*")
    changed.add_choice(rule, _announce_again(failure))
    changed.default_choice(failure)
    return changed


def _announce_again(failure):
    detail = {
        "group": Path("$.group"),
        "period": Path("$.period"),
        "run": Path("$.run"),
        "purpose": "test",
        "model": Path("$.challenger.model"),
        "challenger": Path("$.challenger.model"),
        "test_set": Path("$.test_set"),
        "dataset": text("s3://${WorkBucket}/runs/{}/{}/test/", "$.group", "$.test_set"),
        "predictions": Path("$.challenger.predictions"),
    }
    entry = {"Source": "labelmill", "DetailType": "Inference Completed", "Detail": detail}
    return call("AnnounceAgain", "events:putEvents", {"Entries": [entry]}, failure)


def _record_decision(failure):
    parameters = {
        "TableName": "${LedgerTable}",
        "Item": _decision(),
        # Never over another decision, but a retry after a lost answer may meet its own.
        "ConditionExpression": "attribute_not_exists(entry) OR evidence = :evidence",
        "ExpressionAttributeValues": {":evidence": _decision()["evidence"]},
    }
    return call("RecordDecision", "dynamodb:putItem", parameters, failure)


def _notify_mlops(failure):
    verdict = Path("$.compared.message.verdict")
    parameters = {
        "TopicArn": "${MlopsTopicArn}",
        "Subject": text("{}: {} {}", "$.compared.message.verdict", "$.group", "$.period"),
        "Message": text(
            "{} for {} {}. {} Challenger {} scored {}, winner {} scored {}, on {} test rows. "
            "Evidence: s3://${WorkBucket}/runs/{}/{}/evidence/comparison.json",
            "$.compared.message.verdict",
            "$.group",
            "$.period",
            "$.compared.message.reason",
            "$.challenger.model",
            "$.compared.message.score",
            "$.winner.model",
            "$.compared.message.winner_score",
            "$.compared.message.rows",
            "$.group",
            "$.run",
        ),
        "MessageAttributes": {
            "group": {"DataType": "String", "StringValue": Path("$.group")},
            "verdict": {"DataType": "String", "StringValue": verdict},
        },
    }
    return call("NotifyMlops", "sns:publish", parameters, failure)
