"""How the inference workflow ends: the labels are published, recorded and announced."""

from stepfunctions.steps import choice_rule, states

from pipelines import messages
from pipelines.ledger import keys
from pipelines.machines.failure_path import CODEBOOK_VERSION, get_item
from pipelines.machines.inference_jobs import MANIFEST_DIGEST, PUBLISHED
from pipelines.machines.labels_record import SUPERSEDED, record_labels, record_superseded, show_month
from pipelines.machines.states import Path, call, event, notify, now_or_later, text
from pipelines.names import DECISIONS, RUN_FOLDER, SHEET
from pipelines.runs import EVENT_VERSION

MODEL = "$.made.model"
#: How many labels without a person are right, by a blind sample; empty where nobody has looked.
AUDITED = "$.published.message.audited"
#: What a message that asks for attention says beside group, period and model.
ATTENTION = {
    "attention": "$.published.message.attention",
    "bucket": "$.target.bucket",
    "prefix": "$.target.folder.prefix",
}


def end(failure: states.State) -> tuple[states.State, states.Choice, states.Choice]:
    """The publication, and on: a test set to the comparison, the labels of a month to people and to Athena.

    Returns:
        Where it begins; where it goes on with what is published; and the Choice of a run that could not
        record its labels, whose default, to look again, is left open.
    """
    announce = _announce(failure)
    tell = states.Chain([_notify_stakeholders(failure), _attention(failure, announce)])
    shown = show_month(failure, _unless_late(tell))
    keep = _keep_decisions(failure)
    keep.next(shown)
    lost, recorded = _lost(failure, keep, shown)
    labelled = record_labels("RecordLabels", failure, lost, winner=MODEL)
    labelled.next(shown)
    late = states.Choice("Superseded")
    # It shows the month as any other does: its labels may have been shown before, by a try that died.
    late.add_choice(
        SUPERSEDED, states.Chain([record_superseded(failure), *_notify_superseded(failure), shown])
    )
    late.default_choice(labelled)

    amended = record_labels("RecordAmended", failure, lost, found={"audited": Path(AUDITED)})
    audience = states.Choice("Audience")
    ways = {
        "test": states.Chain([_record_predictions(failure), announce]),
        "review": states.Chain([amended, keep]),
    }
    for purpose, way in ways.items():
        audience.add_choice(choice_rule.ChoiceRule.StringEquals("$.purpose", purpose), way)
    audience.default_choice(late)
    return states.Chain([_publish_manifest(failure), audience]), audience, recorded


def _unless_late(tell: states.State) -> states.Choice:
    """On to telling people that their labels are ready; labels that came too late were told of as such."""
    ended = states.Choice("CameTooLate")
    ended.add_choice(SUPERSEDED, states.Succeed("Kept"))
    ended.default_choice(tell)
    return ended


def _publish_manifest(failure: states.State) -> states.State:
    parameters = {
        "Bucket": Path("$.target.bucket"),
        "Key": text("{}manifest.json", "$.target.folder.prefix"),
        "CopySource": text(f"{{}}/{RUN_FOLDER}manifest/manifest.json", "$.target.bucket"),
    }
    return call("PublishManifest", "aws-sdk:s3:copyObject", parameters, failure)


def _lost(
    failure: states.State, keep: states.State, shown: states.State
) -> tuple[states.Choice, states.Choice]:
    """Labels that could not be recorded: on with those that were before, by a try whose answer was lost."""
    rule = choice_rule.ChoiceRule
    look = get_item("GetRecorded", text(keys.LABELS), "$.found", failure)
    there = rule.IsPresent("$.found.Item", True)
    recorded = states.Choice("Recorded")
    recorded.add_choice(rule.And([there, rule.StringEquals("$.purpose", "review")]), keep)
    recorded.add_choice(there, shown)
    look.next(recorded)
    lost = states.Choice("SomethingChanged")
    lost.add_choice(rule.StringMatches("$.failure.Cause", "*ConditionalCheckFailed*"), look)
    lost.default_choice(failure)
    return lost, recorded


def _keep_decisions(failure: states.State) -> states.State:
    """Decisions are training rows once labels with them are recorded, and not before."""
    parameters = {
        "Bucket": "${WorkBucket}",
        "Key": text(f"{DECISIONS}decisions.jsonl"),
        "CopySource": text(f"${{WorkBucket}}/{SHEET}decisions.jsonl"),
    }
    return now_or_later("KeepDecisions", "aws-sdk:s3:copyObject", parameters, failure)


def _record_predictions(failure: states.State) -> states.State:
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text(keys.PREDICTIONS)},
        "predictions": {"S": PUBLISHED},
        "digest": {"S": Path(MANIFEST_DIGEST)},
        "run": {"S": Path("$.run")},
        "made_at": {"S": Path("$$.State.EnteredTime")},
    }
    return call(
        "RecordPredictions", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure
    )


def _notify_superseded(failure: states.State) -> list[states.State]:
    said = {"dataset": "$.made.dataset", "newer": "$.target.month.run.S", "labels": PUBLISHED.to_jsonpath()}
    return [
        notify(
            f"Tell{audience}",
            f"${{{audience}TopicArn}}",
            messages.SUPERSEDED,
            failure,
            said,
        )
        for audience in ("Operators", "Stakeholders")
    ]


def _notify_stakeholders(failure: states.State) -> states.State:
    """Counts and an address; never an item."""
    return notify(
        "NotifyStakeholders",
        "${StakeholdersTopicArn}",
        messages.LABELS_READY,
        failure,
        {
            **{
                name: f"$.published.message.{name}"
                for name in ("rows", "labelled", "decided", "review", "none", "rejected", "expected", "found")
            },
            "model": MODEL,
            "codebook": CODEBOOK_VERSION,
            **ATTENTION,
        },
    )


def _attention(failure: states.State, then: states.State) -> states.Choice:
    """The model may be the cause, or the cure."""
    notify_mlops = notify(
        "NotifyMlops",
        "${MlopsTopicArn}",
        messages.LABELS_NEED_ATTENTION,
        failure,
        {"model": MODEL, **ATTENTION},
    )
    notify_mlops.next(then)
    attention = states.Choice("Attention")
    attention.add_choice(
        choice_rule.ChoiceRule.NumericGreaterThan("$.published.message.alarms", 0), notify_mlops
    )
    attention.default_choice(then)
    return attention


def _announce(failure: states.State) -> states.State:
    detail = {
        "version": EVENT_VERSION,
        **{name: Path(f"$.{name}") for name in ("group", "period", "run", "purpose")},
        **{name: Path(f"$.made.{name}") for name in ("model", "dataset")},
        **{name: Path(f"$.target.{name}") for name in ("challenger", "test_set")},
        "predictions": PUBLISHED,
    }
    request = event("Inference Completed", detail)
    announce = now_or_later("Announce", "events:putEvents", request, failure)
    # Without its event a test set is never compared: that run fails, and a new one sends it.
    lost = states.Choice("AnnounceFailed")
    lost.add_choice(choice_rule.ChoiceRule.StringEquals("$.purpose", "test"), failure)
    lost.default_choice(announce.later)
    announce.catches[0].next_step = lost
    return announce
