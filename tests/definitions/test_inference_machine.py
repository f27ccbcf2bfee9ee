"""The inference machine, executed."""

import pytest
from definition_examples import GROUP, INPUTS, MODEL, OLD_MODEL, PERIOD, RUN, SUBSTITUTIONS

MONTH, TEST = INPUTS["inference"], INPUTS["test"]
WINNER = {"group": {"S": GROUP}, "entry": {"S": "WINNER"}, "model": {"S": OLD_MODEL}}


@pytest.fixture
def cloud(cloud):
    """With what Publish leaves: a manifest that waits, in the bucket where the files are."""
    for bucket, run in {"labelled": MONTH, "work": TEST}.items():
        key = f"runs/{GROUP}/{run['run']}/manifest/manifest.json"
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=run["run"].encode())
    return cloud


def published(cloud, bucket: str) -> dict[str, str]:
    """Content of the manifests in a bucket, outside of runs, by key."""
    keys = [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {
        key: cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        for key in keys
        if not key.startswith("runs/")
    }


def test_a_month_is_labelled_by_the_winner_and_published_for_the_stakeholders(cloud):
    cloud.put(WINNER)
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states == [
        *("Purpose", "ForStakeholders", "GetWinner", "WinnerKnown", "UseWinner", "GetGroup", "GroupKnown"),
        *("Prepare", "Transform", "Publish", "PublishManifest", "Audience", "NotifyStakeholders", "Announce"),
    ]
    assert cloud.sagemaker.sent("CreateTransformJob")[0]["ModelName"] == OLD_MODEL
    prefix = f"labels/group={GROUP}/period={PERIOD}/run={MONTH['run']}/"
    assert published(cloud, "labelled") == {f"{prefix}manifest.json": MONTH["run"]}
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]["ProcessingOutputConfig"]
    assert publish["Outputs"][0]["S3Output"]["S3Uri"] == f"s3://labelled/{prefix}"
    assert publish["KmsKeyId"] == SUBSTITUTIONS["LabelledKeyArn"]
    [(kind, detail)] = cloud.events()
    assert kind == "Inference Completed"
    assert detail == {
        **{name: MONTH[name] for name in ("group", "period", "run", "purpose", "dataset")},
        **{"model": OLD_MODEL, "challenger": "", "test_set": "", "predictions": f"s3://labelled/{prefix}"},
    }
    assert cloud.items("PREDICTIONS#") == []


def test_stakeholders_are_sent_counts_and_the_address_of_the_manifest(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    [notice] = cloud.received("Stakeholders")
    assert notice["Subject"] == f"Labels ready: {GROUP} {PERIOD}"
    assert "100 items, 90 labelled, 8 to review, 2 rejected" in notice["Message"]
    assert (
        f"s3://labelled/labels/group={GROUP}/period={PERIOD}/run={MONTH['run']}/manifest.json"
        in notice["Message"]
    )
    assert notice["MessageAttributes"]["group"]["Value"] == GROUP


def test_a_test_set_is_labelled_by_the_given_model_and_recorded_for_the_comparison(cloud):
    cloud.put(WINNER)
    run = cloud.run("inference", TEST)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Audience", "RecordPredictions", "Announce"]
    assert cloud.sagemaker.sent("CreateTransformJob")[0]["ModelName"] == MODEL
    prefix = f"predictions/{GROUP}/{RUN}/{MODEL}/{TEST['run']}/"
    assert published(cloud, "work") == {f"{prefix}manifest.json": TEST["run"]}
    assert published(cloud, "labelled") == {}
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]["ProcessingOutputConfig"]
    assert publish["KmsKeyId"] == SUBSTITUTIONS["WorkKeyArn"]
    [item] = cloud.items("PREDICTIONS#")
    assert item["entry"] == f"PREDICTIONS#{RUN}#{MODEL}"
    assert item["predictions"] == f"s3://work/{prefix}"
    [(_, detail)] = cloud.events()
    assert (detail["challenger"], detail["test_set"], detail["purpose"]) == (MODEL, RUN, "test")
    assert cloud.received("Stakeholders") == []


def test_what_one_job_writes_the_next_one_reads(cloud):
    cloud.run("inference", TEST)
    prepare, publish = cloud.sagemaker.sent("CreateProcessingJob")
    [transform] = cloud.sagemaker.sent("CreateTransformJob")
    written = {o["OutputName"]: o["S3Output"]["S3Uri"] for o in prepare["ProcessingOutputConfig"]["Outputs"]}
    read = {i["InputName"]: i["S3Input"]["S3Uri"] for i in publish["ProcessingInputs"]}
    assert transform["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == written["items"]
    assert read["predictions"] == transform["TransformOutput"]["S3OutputPath"]
    assert {name: read[name] for name in ("items", "truth", "rejected")} == {
        name: written[name] for name in ("items", "truth", "rejected")
    }


def test_a_group_without_a_winner_fails_with_the_fix(cloud):
    run = cloud.run("inference", MONTH)
    assert run.status == "FAILED"
    assert "has no winner yet: deliver a training dataset" in run.cause
    assert cloud.sagemaker.requests == []
    assert cloud.received("failures")[0]["error"] == "NoWinner"


def test_an_unknown_group_fails_with_the_fix(cloud):
    run = cloud.run("inference", TEST | {"group": "FR-toys"})
    assert run.status == "FAILED" and "publish its codebook" in run.cause


def test_another_purpose_is_refused(cloud):
    run = cloud.run("inference", MONTH | {"purpose": "training"})
    assert run.status == "FAILED" and "purpose training" in run.cause


def test_nothing_is_published_when_the_rows_do_not_reconcile(cloud):
    cloud.put(WINNER)
    sentence = "98 items went in and 97 came back."
    cloud.sagemaker.plan("CreateProcessingJob", None, {"ExitMessage": sentence})
    run = cloud.run("inference", MONTH)
    assert (run.status, run.cause) == ("FAILED", sentence)
    assert run.states[run.states.index("QueueFailure") - 1] == "Publish"
    assert published(cloud, "labelled") == {}
    assert cloud.events() == [] and cloud.received("Stakeholders") == []
