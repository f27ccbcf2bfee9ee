"""The inference machine, executed."""

import pytest

from tests.pipelines.machines.definition_examples import (
    GROUP,
    INPUTS,
    MODEL,
    MODEL_ITEM,
    OLD_MODEL,
    PERIOD,
    RUN,
    SUBSTITUTIONS,
)

MONTH, TEST, REVIEW = INPUTS["inference"], INPUTS["test"], INPUTS["review"]
OLD_RUN = f"{GROUP}-training-2026-09-0f3a9c21d4e5"
WINNER = {"group": {"S": GROUP}, "entry": {"S": "WINNER"}, "model": {"S": OLD_MODEL}}


@pytest.fixture
def cloud(cloud):
    """With two models in the ledger and what Publish leaves: files, and beside them a manifest that waits."""
    for bucket, run in (("labelled", MONTH), ("labelled", REVIEW), ("work-bucket", TEST)):
        key = f"runs/{GROUP}/{run['run']}/manifest/manifest.json"
        cloud.s3.put_object(Bucket=bucket, Key=key, Body=run["run"].encode())
    for run in (MONTH, REVIEW):
        cloud.s3.put_object(
            Bucket="labelled", Key=f"{labels_of(run)}labels.parquet", Body=run["run"].encode()
        )
    for model, run in {MODEL: RUN, OLD_MODEL: OLD_RUN}.items():
        cloud.put(MODEL_ITEM | {"entry": {"S": f"MODEL#{model}"}, "run": {"S": run}})
    return cloud


def labels_of(run: dict) -> str:
    return f"labels/{GROUP}/{PERIOD}/{run['run']}/"


def published(cloud, bucket: str) -> dict[str, str]:
    """Content of the manifests in a bucket, outside of runs, and of the table that Athena reads, by key."""
    keys = [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {
        key: cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        for key in keys
        if key.startswith("current/") or (key.endswith("/manifest.json") and not key.startswith("runs/"))
    }


def test_a_month_is_labelled_by_the_winner_and_published_for_the_stakeholders(cloud):
    cloud.put(WINNER)
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states == [
        *(
            "Purpose",
            "ForStakeholders",
            "GetWinner",
            "WinnerKnown",
            "UseWinner",
            "FindEarlier",
            "EarlierKnown",
            "FindReplaced",
            "ReplacedKnown",
        ),
        *("GetGroup", "GroupKnown", "Work", "GetModel", "ModelKnown", "Prepare", "Transform", "Publish"),
        *("PublishManifest", "Audience", "RecordLabels", "FindNewest", "NewestShown", "PublishTable"),
        *("NoteShown", "FindNewest", "NewestShown", "NotifyStakeholders", "Attention", "Announce"),
    ]
    assert cloud.sagemaker.sent("CreateTransformJob")[0]["ModelName"] == OLD_MODEL
    prefix = labels_of(MONTH)
    assert published(cloud, "labelled") == {
        f"{prefix}manifest.json": MONTH["run"],
        f"current/{GROUP}/{PERIOD}/labels.parquet": MONTH["run"],
    }
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]["ProcessingOutputConfig"]
    assert publish["Outputs"][0]["S3Output"]["S3Uri"] == f"s3://labelled/{prefix}"
    assert publish["KmsKeyId"] == SUBSTITUTIONS["LabelledKeyArn"]
    [(kind, detail)] = cloud.events()
    assert kind == "Inference Completed"
    assert detail == {
        "version": "1",
        **{name: MONTH[name] for name in ("group", "period", "run", "purpose", "dataset")},
        **{"model": OLD_MODEL, "challenger": "", "test_set": "", "predictions": f"s3://labelled/{prefix}"},
    }
    assert cloud.items("PREDICTIONS#") == []


def test_stakeholders_are_sent_counts_and_the_address_of_the_manifest(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    [notice] = cloud.received("Stakeholders")
    assert notice["Subject"] == f"Labels ready: {GROUP} {PERIOD}"
    assert "Items: 100. Labelled: 89. To review: 8. No code fits: 1. Rejected: 2." in notice["Message"]
    assert "Needs attention: Nothing." in notice["Message"]
    assert f"s3://labelled/{labels_of(MONTH)}manifest.json" in notice["Message"]
    assert notice["MessageAttributes"]["group"]["Value"] == GROUP


def test_a_test_set_is_labelled_by_the_given_model_and_recorded_for_the_comparison(cloud):
    cloud.put(WINNER)
    run = cloud.run("inference", TEST)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Audience", "RecordPredictions", "Announce"]
    assert cloud.sagemaker.sent("CreateTransformJob")[0]["ModelName"] == MODEL
    prefix = f"predictions/{GROUP}/{RUN}/{MODEL}/{TEST['run']}/"
    assert published(cloud, "work-bucket") == {f"{prefix}manifest.json": TEST["run"]}
    assert published(cloud, "labelled") == {}
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]["ProcessingOutputConfig"]
    assert publish["KmsKeyId"] == SUBSTITUTIONS["WorkKeyArn"]
    [item] = cloud.items("PREDICTIONS#")
    assert item["entry"] == f"PREDICTIONS#{RUN}#{MODEL}"
    assert item["predictions"] == f"s3://work-bucket/{prefix}"
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


def given_to_publish(cloud) -> dict[str, str]:
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]
    return {given["InputName"]: given["S3Input"]["S3Uri"] for given in publish["ProcessingInputs"]}


def put_labels(cloud, *published):
    """Have the ledger know labels: month, time and run of each."""
    for month, time, run in published:
        entry = {"group": {"S": GROUP}, "entry": {"S": f"LABELS#{month}#{time}#{run}"}}
        cloud.put(entry | {"labels": {"S": f"s3://labelled/{run}/"}})


def test_a_month_is_compared_with_the_newest_labels_of_the_latest_earlier_month(cloud):
    cloud.put(WINNER)
    put_labels(
        cloud,
        ("2026-08", "2026-09-30T00:00:00Z", "august-corrected-late"),
        ("2026-09", "2026-09-01T00:00:00Z", "september"),
        ("2026-09", "2026-09-02T00:00:00Z", "september-amended"),
        (PERIOD, "2026-10-01T00:00:00Z", "this-month-before"),
        ("2026-11", "2026-09-01T00:00:00Z", "later"),
    )
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert given_to_publish(cloud)["earlier"] == "s3://labelled/september-amended/"


def test_a_month_that_is_labelled_again_is_given_its_newest_labels_with_peoples_decisions(cloud):
    cloud.put(WINNER)
    put_labels(
        cloud,
        ("2026-09", "2026-12-01T00:00:00Z", "earlier"),
        (PERIOD, "2026-10-01T00:00:00Z", "this-month"),
        (PERIOD, "2026-10-02T00:00:00Z", "this-month-amended"),
        ("2026-11", "2026-09-01T00:00:00Z", "later"),
    )
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert given_to_publish(cloud)["replaced"] == "s3://labelled/this-month-amended/"


def test_the_first_month_is_given_a_folder_without_labels_as_the_earlier_one(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    given = given_to_publish(cloud)
    assert given["earlier"] == given["replaced"] == given["rejected"]


def test_publish_is_told_which_codes_the_model_has_seen_and_how_many_rows_came(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    assert given_to_publish(cloud)["trained"] == f"s3://work-bucket/runs/{GROUP}/{OLD_RUN}/report/"
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]
    arguments = publish["AppSpecification"]["ContainerArguments"]
    assert arguments[arguments.index("--rows") + 1] == "100"


def test_every_published_version_is_recorded(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    [item] = cloud.items("LABELS#")
    assert item["entry"].startswith(f"LABELS#{PERIOD}#") and item["entry"].endswith(f"#{MONTH['run']}")
    assert (item["labels"], item["model"]) == (f"s3://labelled/{labels_of(MONTH)}", OLD_MODEL)


def labelled_later(cloud) -> dict[str, str]:
    """Another run of the month has recorded its labels after this one; returns what Athena must read then."""
    cloud.s3.put_object(Bucket="labelled", Key=f"labels/{GROUP}/{PERIOD}/later/labels.parquet", Body=b"later")
    entry = {"entry": {"S": f"LABELS#{PERIOD}#2999-01-01T00:00:00.000Z#later"}, "run": {"S": "later"}}
    cloud.put({"group": {"S": GROUP}, **entry})
    return {f"current/{GROUP}/{PERIOD}/labels.parquet": "later"}


def test_athena_reads_the_newest_labels_where_another_run_of_the_month_has_overtaken_this_one(cloud):
    cloud.put(WINNER)
    newest = labelled_later(cloud)
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states.count("PublishTable") == 1
    assert published(cloud, "labelled").items() >= newest.items()


def test_athena_reads_the_newest_labels_where_two_runs_of_a_month_end_at_the_same_moment(cloud):
    cloud.put(WINNER)
    newest = {}

    def overtake(params, **_):
        if "/current/" in params["url_path"] and not newest:
            newest.update(labelled_later(cloud))

    cloud.s3.meta.events.register("before-call.s3.CopyObject", overtake)
    try:
        run = cloud.run("inference", MONTH)
    finally:
        cloud.s3.meta.events.unregister("before-call.s3.CopyObject", overtake)
    assert run.status == "SUCCEEDED", run.cause
    assert newest and published(cloud, "labelled").items() >= newest.items()


def test_labels_that_cannot_be_copied_are_recorded_so_that_the_next_run_of_the_month_shows_the_newest(cloud):
    cloud.put(WINNER)
    cloud.s3.delete_object(Bucket="labelled", Key=f"{labels_of(MONTH)}labels.parquet")
    run = cloud.run("inference", MONTH)
    assert run.status == "FAILED"
    assert [item["run"] for item in cloud.items("LABELS#")] == [MONTH["run"]]


def test_what_needs_attention_reaches_stakeholders_and_mlops(cloud):
    cloud.put(WINNER)
    sentence = "The model cannot predict code 3a, new since it was trained."
    cloud.sagemaker.messages["processing.publish"] |= {"alarms": 1, "attention": sentence}
    run = cloud.run("inference", MONTH)
    assert run.states[-3:] == ["Attention", "NotifyMlops", "Announce"]
    [notice] = cloud.received("Mlops")
    assert sentence in notice["Message"] and f"{labels_of(MONTH)}summary.json" in notice["Message"]
    assert f"Needs attention: {sentence}" in cloud.received("Stakeholders")[0]["Message"]


def test_decisions_of_reviewers_are_published_as_a_new_version(cloud):
    run = cloud.run("inference", REVIEW)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[4:9] == ["Work", "Amend", "ClaimAmendment", "PublishManifest", "Audience"]
    [amend] = cloud.sagemaker.sent("CreateProcessingJob")
    given = {given["InputName"]: given["S3Input"]["S3Uri"] for given in amend["ProcessingInputs"]}
    assert (given["labels"], given["decisions"]) == (REVIEW["amends"], REVIEW["decisions"])
    assert published(cloud, "labelled") == {
        f"{labels_of(REVIEW)}manifest.json": REVIEW["run"],
        f"current/{GROUP}/{PERIOD}/labels.parquet": REVIEW["run"],
    }
    assert "Labelled: 94. To review: 3. No code fits: 1." in cloud.received("Stakeholders")[0]["Message"]


def test_labels_are_amended_once_so_that_no_sheet_undoes_another(cloud):
    claim = {"group": {"S": GROUP}, "entry": {"S": f"AMENDED#{REVIEW['amends']}"}, "run": {"S": "another"}}
    cloud.put(claim)
    run = cloud.run("inference", REVIEW)
    assert run.status == "FAILED"
    assert "were amended by another sheet: import this one again" in run.cause
    assert published(cloud, "labelled") == {}
    assert cloud.waits == []


def test_a_sheet_whose_run_is_started_again_keeps_its_claim(cloud):
    claim = {
        "group": {"S": GROUP},
        "entry": {"S": f"AMENDED#{REVIEW['amends']}"},
        "run": {"S": REVIEW["run"]},
    }
    cloud.put(claim)
    assert cloud.run("inference", REVIEW).status == "SUCCEEDED"


def test_a_model_that_the_ledger_does_not_know_is_refused(cloud):
    run = cloud.run("inference", TEST | {"model": "DE-abcdefghijkl-2026-10-00000000"})
    assert run.status == "FAILED" and "has no record of the model" in run.cause
    assert cloud.sagemaker.requests == []


def test_another_purpose_is_refused(cloud):
    run = cloud.run("inference", MONTH | {"purpose": "training"})
    assert run.status == "FAILED" and "purpose training" in run.cause


def test_nothing_is_published_when_the_rows_do_not_reconcile(cloud):
    cloud.put(WINNER)
    sentence = "98 items went in and 97 came back."
    cloud.sagemaker.plan("CreateProcessingJob", None, {"ExitMessage": sentence})
    run = cloud.run("inference", MONTH)
    assert (run.status, run.cause) == ("FAILED", sentence)
    assert run.states[run.states.index("QueueFailure") - 2] == "Publish"
    assert published(cloud, "labelled") == {}
    assert cloud.events() == [] and cloud.received("Stakeholders") == []
