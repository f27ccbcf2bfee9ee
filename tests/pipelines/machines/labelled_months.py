"""What runs of the inference machine find in the buckets and the ledger, and what they leave there."""

from tests.pipelines.machines.conftest import Cloud
from tests.pipelines.machines.definition_examples import (
    GROUP,
    INPUTS,
    MODEL,
    MODEL_ITEM,
    OLD_MODEL,
    PERIOD,
    RUN,
)

OLD_RUN = f"{GROUP}-training-2026-09-0f3a9c21d4e5"
TABLE = f"current/{GROUP}/{PERIOD}/labels.parquet"


def prepare(cloud: Cloud, *more: dict) -> Cloud:
    """With two models in the ledger, and what the jobs of the example runs and of `more` leave behind.

    That is files, and beside them a manifest that waits; of a review, the sheet that its import left.
    """
    for run in (INPUTS["inference"], INPUTS["review"], INPUTS["test"], *more):
        bucket = "work-bucket" if run["purpose"] == "test" else "labelled"
        waiting = f"runs/{GROUP}/{run['run']}/manifest/manifest.json"
        cloud.s3.put_object(Bucket=bucket, Key=waiting, Body=run["run"].encode())
        for look in ("", "again/"):
            table = f"{labels_of(run)}{look}labels.parquet"
            cloud.s3.put_object(Bucket="labelled", Key=table, Body=run["run"].encode())
        if "sheet" in run:
            sheet = f"sheets/{GROUP}/{run['sheet']}/decisions.jsonl"
            cloud.s3.put_object(Bucket="work-bucket", Key=sheet, Body=run["sheet"].encode())
    for model, run in {MODEL: RUN, OLD_MODEL: OLD_RUN}.items():
        cloud.put(MODEL_ITEM | {"entry": {"S": f"MODEL#{model}"}, "run": {"S": run}})
    return cloud


def labels_of(run: dict) -> str:
    return f"labels/{GROUP}/{PERIOD}/{run['run']}/"


def published(cloud: Cloud, bucket: str) -> dict[str, str]:
    """Content of the manifests in a bucket, outside of runs, and of the table that Athena reads, by key."""
    return {
        key: content
        for key, content in objects(cloud, bucket).items()
        if key.startswith("current/") or (key.endswith("/manifest.json") and not key.startswith("runs/"))
    }


def objects(cloud: Cloud, bucket: str, prefix: str = "") -> dict[str, str]:
    """Content of all objects, by key."""
    keys = [
        item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    ]
    return {key: cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}


def given_to(cloud: Cloud, job: str) -> list[dict[str, str]]:
    """The inputs of every processing job so far whose script is `job`, by name."""
    return [
        {given["InputName"]: given["S3Input"]["S3Uri"] for given in request["ProcessingInputs"]}
        for request in cloud.sagemaker.sent("CreateProcessingJob")
        if request["AppSpecification"]["ContainerEntrypoint"][-1] == f"processing.{job}"
    ]
