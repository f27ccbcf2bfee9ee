"""The jobs of the inference workflow."""

from sagemaker.transformer import Transformer
from stepfunctions.steps import sagemaker as jobs
from stepfunctions.steps import states

from pipelines.machines.failure_path import CODEBOOK_DIGEST, CODEBOOK_URI, POLICY
from pipelines.machines.states import (
    ABOUT_DATASET,
    HOUR,
    LABELS_FIRST,
    START_UP,
    Path,
    Selecting,
    guard_job,
    in_work_bucket,
    job_name,
    output,
    processing,
    report_of,
    session,
    tags,
    text,
)
from pipelines.names import REVIEWED, RUN_FOLDER, SHEET, address

TRANSFORM_HOURS = 8
#: Where the results of jobs are whose work a wait for machines need not do again.
PREPARED, TRANSFORMED = "$.made.prepared", "$.made.transformed"
#: Where the address of the predictions is, as `uri`.
PREDICTED = "$.made.predictions"
#: Where the published files stand, and where the manifest waits that makes them published.
PUBLISHED = text(address("{}", "{}"), "$.target.bucket", "$.target.folder.prefix")
STAGED = text(address("{}", f"{RUN_FOLDER}manifest/"), "$.target.bucket")
#: By it the ledger knows what is published.
MANIFEST_DIGEST = "$.published.message.manifest_digest"


class TransformStep(Selecting, jobs.TransformStep): ...


def prepare(failure: states.State) -> states.State:
    return processing(
        "Prepare",
        failure,
        inputs={"dataset": Path("$.dataset"), "codebook": Path(CODEBOOK_URI)},
        outputs={name: output(name) for name in ("items", "truth", "rejected", "report")},
        arguments={**ABOUT_DATASET, "codebook-digest": CODEBOOK_DIGEST},
        key="${WorkKeyArn}",
        result_path=PREPARED,
        max_hours=2,
        quota=LABELS_FIRST,
    )


def transform(failure: states.State) -> states.State:
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
        result_path=TRANSFORMED,
    )
    return guard_job(step, failure, LABELS_FIRST)


def publish(failure: states.State) -> states.State:
    """Files go to their final place at once, the manifest beside it: copying that is what publishes them.

    All outputs of a job are under one key and a bucket takes its own key only: both stand in the same bucket.
    """
    return processing(
        "Publish",
        failure,
        inputs={
            **{name: output(name) for name in ("items", "truth")},
            "predictions": Path(f"{PREDICTED}.uri"),
            "codebook": Path(CODEBOOK_URI),
            "earlier": Path("$.target.earlier.labels.S"),
            "replaced": Path("$.target.month.labels.S"),
            # Never empty, which a job's input may not be: publishing a codebook puts a note there.
            "reviewed": in_work_bucket(REVIEWED),
            "compared": Path("$.target.compared.evidence.S"),
            "trained": report_of("$.recorded"),
        },
        outputs={"files": PUBLISHED, "manifest": STAGED},
        arguments={
            **ABOUT_DATASET,
            "model": "$.model",
            "codebook-digest": CODEBOOK_DIGEST,
            "earlier-digest": "$.target.earlier.digest.S",
            "replaced-digest": "$.target.month.digest.S",
            "compared-digest": "$.target.compared.evidence_digest.S",
            "policy": POLICY,
            # Not from the data: what Prepare reported to the service, so that a lost file cannot go
            # unnoticed.
            "rows": text("{}", f"{PREPARED}.message.rows").to_jsonpath(),
            "destination": PUBLISHED.to_jsonpath(),
        },
        key=Path("$.target.key"),
        result_path="$.published",
        max_hours=2,
        quota=LABELS_FIRST,
    )


def amend(failure: states.State) -> states.State:
    """The decisions of people become a new version of the month's labels."""
    return processing(
        "Amend",
        failure,
        inputs={
            "labels": Path("$.target.month.labels.S"),
            "decisions": in_work_bucket(SHEET),
            "codebook": Path(CODEBOOK_URI),
        },
        outputs={"files": PUBLISHED, "manifest": STAGED},
        arguments={
            "group": "$.group",
            "period": "$.period",
            "run": "$.run",
            "codebook-digest": CODEBOOK_DIGEST,
            "amends": "$.target.month.labels.S",
            "labels-digest": "$.target.month.digest.S",
            "policy": POLICY,
            "destination": PUBLISHED.to_jsonpath(),
        },
        key=Path("$.target.key"),
        result_path="$.published",
        max_hours=2,
        quota=LABELS_FIRST,
    )
