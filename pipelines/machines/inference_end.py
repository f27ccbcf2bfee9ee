"""How the inference workflow ends: the labels are published, recorded and announced."""

from stepfunctions.steps import choice_rule, states

from pipelines import messages
from pipelines.ledger import keys
from pipelines.machines.failure_path import CODEBOOK_VERSION, refuse
from pipelines.machines.inference_jobs import PUBLISHED
from pipelines.machines.labels_record import record_labels, show_newest
from pipelines.machines.states import Path, call, notify, retry, text
from pipelines.names import RUN_FOLDER
from pipelines.runs import EVENT_VERSION

#: What a message that asks for attention says beside group, period and model.
ATTENTION = {
    "attention": "$.published.message.attention",
    "bucket": "$.target.bucket",
    "prefix": "$.target.prefix",
}
TAKEN = ["DynamoDB.ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"]


def audience(failure: states.State) -> states.State:
    """A test set goes on to the comparison; the labels of a month go to people and to Athena."""
    announce = _announce(failure)
    record = _record_predictions(failure)
    record.next(announce)
    notify_mlops = _notify_mlops(failure)
    notify_mlops.next(announce)
    attention = states.Choice("Attention")
    attention.add_choice(
        choice_rule.ChoiceRule.NumericGreaterThan("$.published.message.alarms", 0), notify_mlops
    )
    attention.default_choice(announce)
    for_people = record_labels(failure)
    for_people.next(show_newest(failure, states.Chain([_notify_stakeholders(failure), attention])))
    choice = states.Choice("Audience")
    choice.add_choice(choice_rule.ChoiceRule.StringEquals("$.purpose", "test"), record)
    choice.default_choice(for_people)
    return choice


def publish_manifest(failure: states.State) -> states.State:
    parameters = {
        "Bucket": Path("$.target.bucket"),
        "Key": text("{}manifest.json", "$.target.prefix"),
        "CopySource": text(f"{{}}/{RUN_FOLDER}manifest/manifest.json", "$.target.bucket"),
    }
    return call("PublishManifest", "aws-sdk:s3:copyObject", parameters, failure)


def claim_amendment(failure: states.State) -> states.State:
    """Labels are amended once, the next sheet amends the amended ones; else one of two would be lost."""
    parameters = {
        "TableName": "${LedgerTable}",
        "Item": {
            "group": {"S": Path("$.group")},
            "entry": {"S": text(keys.AMENDED, labels="$.amends")},
            "run": {"S": Path("$.run")},
        },
        "ConditionExpression": "attribute_not_exists(entry) OR #run = :run",
        "ExpressionAttributeNames": {"#run": "run"},
        "ExpressionAttributeValues": {":run": {"S": Path("$.run")}},
    }
    step = call("ClaimAmendment", "dynamodb:putItem", parameters, failure, retry(TAKEN, 1, 5, 0))
    taken = "The labels at {} were amended by another sheet: import this one again; it will then amend those."
    refused = refuse("AlreadyAmended", failure, taken, "$.amends")
    step.catches.insert(0, states.Catch(refused, error_equals=TAKEN, result_path="$.failure"))
    return step


def _record_predictions(failure: states.State) -> states.State:
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.PREDICTIONS)},
        "predictions": {"S": PUBLISHED},
        "run": {"S": Path("$.run")},
        "made_at": {"S": Path("$$.State.EnteredTime")},
    }
    return call(
        "RecordPredictions", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure
    )


def _notify_stakeholders(failure: states.State) -> states.State:
    """Counts and an address; never an item."""
    return notify(
        "NotifyStakeholders",
        "${StakeholdersTopicArn}",
        text(messages.LABELS_READY.subject),
        text(
            messages.LABELS_READY.text,
            **{
                name: f"$.published.message.{name}"
                for name in ("rows", "labelled", "review", "none", "rejected")
            },
            codebook=CODEBOOK_VERSION,
            **ATTENTION,
        ),
        failure,
    )


def _notify_mlops(failure: states.State) -> states.State:
    """The model may be the cause, or the cure."""
    return notify(
        "NotifyMlops",
        "${MlopsTopicArn}",
        text(messages.LABELS_NEED_ATTENTION.subject),
        text(messages.LABELS_NEED_ATTENTION.text, **ATTENTION),
        failure,
    )


def _announce(failure: states.State) -> states.State:
    detail = {
        "version": EVENT_VERSION,
        **{name: Path(f"$.{name}") for name in ("group", "period", "run", "purpose", "model", "dataset")},
        **{name: Path(f"$.target.{name}") for name in ("challenger", "test_set")},
        "predictions": PUBLISHED,
    }
    entry = {"Source": "labelmill", "DetailType": "Inference Completed", "Detail": detail}
    return call("Announce", "events:putEvents", {"Entries": [entry]}, failure)
