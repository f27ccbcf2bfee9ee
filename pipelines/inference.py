"""The inference workflow: label a dataset with a model and publish the labels, for a test set or a month."""

from sagemaker.transformer import Transformer
from stepfunctions.steps import choice_rule, states
from stepfunctions.steps import sagemaker as jobs

from pipelines.failure_tail import (
    CODEBOOK_URI,
    CODEBOOK_VERSION,
    failure_tail,
    get_item,
    known_group,
    refuse,
)
from pipelines.states import (
    HOUR,
    START_UP,
    Path,
    Selecting,
    call,
    guard_job,
    job_name,
    output,
    processing,
    session,
    tags,
    text,
)

TIMEOUT_SECONDS = 48 * HOUR
TRANSFORM_HOURS = 8
#: Where the published files stand, and where the manifest waits that makes them published.
PUBLISHED = text("s3://{}/{}", "$.target.bucket", "$.target.prefix")
STAGED = text("s3://{}/runs/{}/{}/manifest/", "$.target.bucket", "$.group", "$.run")


class TransformStep(Selecting, jobs.TransformStep): ...


def build() -> states.Graph:
    failure = failure_tail("inference")
    announce = _announce(failure)
    record = _record_predictions(failure)
    notify = _notify_stakeholders(failure)
    record.next(announce)
    notify.next(announce)
    audience = states.Choice("Audience")
    audience.add_choice(choice_rule.ChoiceRule.StringEquals("$.purpose", "test"), record)
    audience.default_choice(notify)
    steps = states.Chain(
        [_prepare(failure), _transform(failure), _publish(failure), _publish_manifest(failure), audience]
    )
    start = _purpose(failure, known_group(failure, steps))
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _purpose(failure, then):
    """A test set names its model and goes to the comparison; a month is labelled by the winner."""
    for_comparison = states.Pass(
        "ForComparison",
        parameters={
            "bucket": "${WorkBucket}",
            "key": "${WorkKeyArn}",
            "prefix": text("predictions/{}/{}/{}/{}/", "$.group", "$.test_set", "$.model", "$.run"),
            "challenger": Path("$.challenger"),
            "test_set": Path("$.test_set"),
        },
        result_path="$.target",
    )
    for_comparison.next(then)
    for_stakeholders = states.Pass(
        "ForStakeholders",
        parameters={
            "bucket": "${LabelledBucket}",
            "key": "${LabelledKeyArn}",
            "prefix": text("labels/group={}/period={}/run={}/", "$.group", "$.period", "$.run"),
            "challenger": "",
            "test_set": "",
        },
        result_path="$.target",
    )
    for_stakeholders.next(_winner(failure, then))

    purpose = states.Choice("Purpose")
    rule = choice_rule.ChoiceRule
    purpose.add_choice(rule.StringEquals("$.purpose", "test"), for_comparison)
    purpose.add_choice(rule.StringEquals("$.purpose", "inference"), for_stakeholders)
    unknown = "The inference workflow was given the purpose {}; it knows inference and test."
    purpose.default_choice(refuse("UnknownPurpose", failure, unknown, "$.purpose"))
    return purpose


def _winner(failure, then):
    get_winner = get_item("GetWinner", "WINNER", "$.winner", failure)
    use_winner = states.Pass("UseWinner", input_path="$.winner.Item.model.S", result_path="$.model")
    use_winner.next(then)
    known = states.Choice("WinnerKnown")
    known.add_choice(choice_rule.ChoiceRule.IsPresent("$.winner.Item.model.S", True), use_winner)
    none = "Model group {} has no winner yet: deliver a training dataset first, then start this run again."
    known.default_choice(refuse("NoWinner", failure, none, "$.group"))
    get_winner.next(known)
    return get_winner


def _prepare(failure):
    return processing(
        "Prepare",
        failure,
        inputs={"dataset": Path("$.dataset"), "codebook": Path(CODEBOOK_URI)},
        outputs={name: output(name) for name in ("items", "truth", "rejected", "report")},
        arguments={
            "group": "$.group",
            "period": "$.period",
            "purpose": "$.purpose",
            "run": "$.run",
            "dataset-uri": "$.dataset",
        },
        key="${WorkKeyArn}",
        result_path="$.prepared",
        max_hours=2,
    )


def _transform(failure):
    """The service itself joins each output to its input line, so no label ever depends on row order."""
    transformer = Transformer(
        model_name="model",  # replaced by the step's model_name
        instance_count=1,
        instance_type="${TransformInstanceType}",
        # In script mode the image does not tell Batch Transform how it wants its requests: say it here.
        strategy="MultiRecord",
        max_payload=6,
        max_concurrent_transforms=4,
        assemble_with="Line",
        accept="application/jsonlines",
        output_path=output("predictions"),
        output_kms_key="${WorkKeyArn}",
        volume_kms_key="${WorkKeyArn}",
        sagemaker_session=session(),
    )
    step = TransformStep(
        "Transform",
        transformer=transformer,
        job_name=job_name("Transform"),
        model_name=Path("$.model"),
        data=output("items"),
        content_type="application/jsonlines",
        split_type="Line",
        join_source="Input",
        output_filter="$['item_id','SageMakerOutput']",
        tags=tags(),
        timeout_seconds=TRANSFORM_HOURS * HOUR + START_UP,
        result_selector={"job.$": "$.TransformJobName"},
        result_path="$.transformed",
    )
    return guard_job(step, failure)


def _publish(failure):
    """Files go to their final place at once, the manifest beside it: copying that is what publishes them.

    All outputs of a job are under one key and a bucket takes its own key only: both stand in the same bucket.
    """
    return processing(
        "Publish",
        failure,
        inputs={
            **{name: output(name) for name in ("items", "truth", "rejected", "predictions")},
            "codebook": Path(CODEBOOK_URI),
        },
        outputs={"files": PUBLISHED, "manifest": STAGED},
        arguments={
            "group": "$.group",
            "period": "$.period",
            "purpose": "$.purpose",
            "run": "$.run",
            "dataset-uri": "$.dataset",
            "model": "$.model",
            "codebook-version": CODEBOOK_VERSION,
            "destination": PUBLISHED.to_jsonpath(),
        },
        key=Path("$.target.key"),
        result_path="$.published",
        max_hours=2,
    )


def _publish_manifest(failure):
    parameters = {
        "Bucket": Path("$.target.bucket"),
        "Key": text("{}manifest.json", "$.target.prefix"),
        "CopySource": text("{}/runs/{}/{}/manifest/manifest.json", "$.target.bucket", "$.group", "$.run"),
    }
    return call("PublishManifest", "aws-sdk:s3:copyObject", parameters, failure)


def _record_predictions(failure):
    item = {
        "group": {"S": Path("$.group")},
        "entry": {"S": text("PREDICTIONS#{}#{}", "$.test_set", "$.model")},
        "predictions": {"S": PUBLISHED},
        "run": {"S": Path("$.run")},
        "made_at": {"S": Path("$$.State.EnteredTime")},
    }
    return call(
        "RecordPredictions", "dynamodb:putItem", {"TableName": "${LedgerTable}", "Item": item}, failure
    )


def _notify_stakeholders(failure):
    """Counts and an address; never an item."""
    parameters = {
        "TopicArn": "${StakeholdersTopicArn}",
        "Subject": text("Labels ready: {} {}", "$.group", "$.period"),
        "Message": text(
            "{} {}: {} items, {} labelled, {} to review, {} rejected. "
            "Labelled by model {} under codebook {}. Manifest of the files: s3://{}/{}manifest.json",
            "$.group",
            "$.period",
            *(f"$.published.message.{count}" for count in ("rows", "labelled", "review", "rejected")),
            "$.model",
            CODEBOOK_VERSION,
            "$.target.bucket",
            "$.target.prefix",
        ),
        "MessageAttributes": {"group": {"DataType": "String", "StringValue": Path("$.group")}},
    }
    return call("NotifyStakeholders", "sns:publish", parameters, failure)


def _announce(failure):
    detail = {
        **{name: Path(f"$.{name}") for name in ("group", "period", "run", "purpose", "model", "dataset")},
        **{name: Path(f"$.target.{name}") for name in ("challenger", "test_set")},
        "predictions": PUBLISHED,
    }
    entry = {"Source": "labelmill", "DetailType": "Inference Completed", "Detail": detail}
    return call("Announce", "events:putEvents", {"Entries": [entry]}, failure)
