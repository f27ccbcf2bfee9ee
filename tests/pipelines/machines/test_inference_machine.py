"""The inference machine, executed."""

import pytest

from tests.pipelines.machines.definition_examples import (
    DELIVERED,
    GROUP,
    INPUTS,
    MODEL,
    MONTH_ITEM,
    OLD_MODEL,
    PERIOD,
    POLICY,
    RETIRED_ITEM,
    RUN,
    SUBSTITUTIONS,
    WINNER,
)
from tests.pipelines.machines.labelled_months import (
    OLD_RUN,
    TABLE,
    given_to,
    labels_of,
    objects,
    prepare,
    published,
)

MONTH, TEST, REVIEW = INPUTS["inference"], INPUTS["test"], INPUTS["review"]


@pytest.fixture
def cloud(cloud):
    return prepare(cloud)


def test_a_month_is_labelled_by_the_winner_and_published_for_the_stakeholders(cloud):
    cloud.put(WINNER)
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states == [
        *("Purpose", "ForStakeholders", "GetGroup", "GroupKnown", "Work"),
        *(
            "GroupActive",
            "GetWinner",
            "WinnerKnown",
            "UseWinner",
            "FindEarlier",
            "EarlierKnown",
            "FindCompared",
            "ComparedKnown",
            "GetMonth",
            "MonthKnown",
        ),
        *("MadeBefore", "GetModel", "ModelKnown", "ToLabel", "Prepare", "AnyItems"),
        *("GetArtefactBeforeTransform", "SameArtefactBeforeTransform", "Transform"),
        *("GetArtefactAfterTransform", "SameArtefactAfterTransform", "Publish"),
        *("PublishManifest", "Audience", "Superseded", "RecordLabels", "GetNewest", "NewestShown"),
        *(
            "PublishTable",
            "NoteShown",
            "GetNewest",
            "NewestShown",
            "CameTooLate",
            "NotifyStakeholders",
            "Attention",
        ),
        "Announce",
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


def test_an_empty_month_is_published_without_a_transform_job(cloud):
    cloud.put(WINNER)
    cloud.sagemaker.messages["processing.prepare"] |= {"rows": 0, "rejected": 0, "items": 0}
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.sagemaker.sent("CreateTransformJob") == []
    [publish] = given_to(cloud, "publish")
    # No job's input may be empty: of predictions there are none.
    assert publish["predictions"] == rejected(cloud)
    [month] = cloud.items("MONTH#")
    assert month["run"] == MONTH["run"]
    assert published(cloud, "labelled").keys() == {f"{labels_of(MONTH)}manifest.json", TABLE}
    [notice] = cloud.received("Stakeholders")
    assert notice["Subject"] == f"Labels ready: {GROUP} {PERIOD}"


def test_the_publication_of_an_empty_month_that_waits_for_a_machine_is_made_again_without_transform(cloud):
    cloud.put(WINNER)
    cloud.sagemaker.messages["processing.prepare"] |= {"rows": 0, "rejected": 0, "items": 0}
    no_machine = {"FailureReason": "CapacityError: Unable to provision requested ML compute capacity."}
    cloud.sagemaker.plan("CreateProcessingJob", None, no_machine)
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.sagemaker.sent("CreateTransformJob") == []
    assert [name for name in run.states if name in ("Prepare", "Publish")] == [
        "Prepare",
        "Publish",
        "Publish",
    ]


def test_stakeholders_are_sent_counts_and_the_address_of_the_manifest(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    [notice] = cloud.received("Stakeholders")
    assert notice["Subject"] == f"Labels ready: {GROUP} {PERIOD}"
    counts = "Items: 100. Labelled: 89 (7 by people). To review: 8. No code fits: 1. Rejected: 2."
    assert counts in notice["Message"]
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


def rejected(cloud) -> str:
    """Where Prepare writes rejected rows: a folder that is never empty, and stands for what is not there."""
    [prepare] = [
        request
        for request in cloud.sagemaker.sent("CreateProcessingJob")
        if "processing.prepare" in str(request["AppSpecification"])
    ]
    outputs = prepare["ProcessingOutputConfig"]["Outputs"]
    [uri] = [each["S3Output"]["S3Uri"] for each in outputs if each["OutputName"] == "rejected"]
    return uri


def test_what_one_job_writes_the_next_one_reads(cloud):
    cloud.run("inference", TEST)
    prepare, publish = cloud.sagemaker.sent("CreateProcessingJob")
    [transform] = cloud.sagemaker.sent("CreateTransformJob")
    written = {o["OutputName"]: o["S3Output"]["S3Uri"] for o in prepare["ProcessingOutputConfig"]["Outputs"]}
    read = {i["InputName"]: i["S3Input"]["S3Uri"] for i in publish["ProcessingInputs"]}
    assert transform["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == written["items"]
    assert read["predictions"] == transform["TransformOutput"]["S3OutputPath"]
    assert (read["items"], read["truth"]) == (written["items"], written["truth"])


def test_a_group_without_a_winner_fails_with_the_fix(cloud):
    run = cloud.run("inference", MONTH)
    assert run.status == "FAILED"
    assert "has no winner yet: deliver a training dataset" in run.cause
    assert cloud.sagemaker.requests == []
    assert cloud.received("failures")[0]["error"] == "NoWinner"


def test_an_unknown_group_fails_with_the_fix(cloud):
    run = cloud.run("inference", TEST | {"group": "FR-toys"})
    assert run.status == "FAILED" and "publish its codebook" in run.cause


def month_item(month: str, run: str) -> dict:
    labels = {"run": {"S": run}, "labels": {"S": f"s3://labelled/{run}/"}}
    labels |= {"table": {"S": f"labelled/labels/{GROUP}/{month}/{run}/labels.parquet"}}
    return MONTH_ITEM | {"entry": {"S": f"MONTH#{month}"}, **labels}


def test_a_month_is_compared_with_the_latest_earlier_month(cloud):
    months = {"2026-08": "august", "2026-09": "september", PERIOD: "before", "2026-11": "later"}
    cloud.put(WINNER, *(month_item(month, run) for month, run in months.items()))
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    assert given_to(cloud, "publish")[0]["earlier"] == "s3://labelled/september/"


def test_a_month_that_is_labelled_again_is_given_its_labels_with_peoples_decisions(cloud):
    cloud.put(WINNER, month_item("2026-09", "earlier"), month_item(PERIOD, "amended"))
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    [given] = given_to(cloud, "publish")
    assert given["replaced"] == "s3://labelled/amended/"
    assert given["reviewed"] == f"s3://work-bucket/reviewed/{GROUP}/"


def test_the_first_month_is_given_a_folder_without_labels_as_the_earlier_one(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    [given] = given_to(cloud, "publish")
    assert given["earlier"] == given["replaced"] == given["compared"] == rejected(cloud)


def decision_item(time: str, **evidence: str) -> dict:
    about = {"group": GROUP, "entry": f"DECISION#{time}#r", "verdict": "KEEP", **evidence}
    return {name: {"S": value} for name, value in about.items()}


def test_publish_is_given_the_evidence_of_the_groups_newest_comparison(cloud):
    address = "s3://work-bucket/runs/{}/evidence/comparison.json"
    old, new = ({"evidence": address.format(name), "evidence_digest": name * 32} for name in ("0d", "0e"))
    cloud.put(WINNER, decision_item("2026-10-01", **old), decision_item("2026-11-01", **new))
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    [publish] = [
        r for r in cloud.sagemaker.sent("CreateProcessingJob") if "publish" in str(r["AppSpecification"])
    ]
    arguments = publish["AppSpecification"]["ContainerArguments"]
    assert arguments[arguments.index("--compared-digest") + 1] == "0e" * 32
    assert given_to(cloud, "publish")[0]["compared"] == new["evidence"]


def test_a_decision_by_hand_without_evidence_hides_no_comparison_before_it(cloud):
    """A release changes no winner: what is known of the model stays known."""
    evidence = {"evidence": "s3://work-bucket/runs/r/evidence/comparison.json", "evidence_digest": "0d" * 32}
    cloud.put(WINNER, decision_item("2026-10-01", **evidence), decision_item("2026-11-01"))
    run = cloud.run("inference", MONTH)
    assert run.status == "SUCCEEDED", run.cause
    [given] = given_to(cloud, "publish")
    assert given["compared"] == evidence["evidence"]


def test_without_a_comparison_nothing_is_known_of_the_model(cloud):
    cloud.put(WINNER, decision_item("2026-11-01"))
    cloud.run("inference", MONTH)
    [given] = given_to(cloud, "publish")
    assert given["compared"] == rejected(cloud)


def test_publish_is_told_which_codes_the_model_has_seen_and_how_many_rows_came(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    assert given_to(cloud, "publish")[0]["trained"] == f"s3://work-bucket/runs/{GROUP}/{OLD_RUN}/report/"
    publish = cloud.sagemaker.sent("CreateProcessingJob")[1]
    arguments = publish["AppSpecification"]["ContainerArguments"]
    assert arguments[arguments.index("--rows") + 1] == "100"


def test_labels_are_recorded_as_the_months_and_in_its_history(cloud):
    cloud.put(WINNER)
    cloud.run("inference", MONTH)
    labels = {"labels": f"s3://labelled/{labels_of(MONTH)}", "run": MONTH["run"], "model": OLD_MODEL}
    labels |= {"group": GROUP, "delivered": DELIVERED, "digest": "3a" * 32}
    of_month = {"dataset": MONTH["dataset"], "table": f"labelled/{labels_of(MONTH)}labels.parquet"}
    assert cloud.items("MONTH#") == [labels | {"entry": f"MONTH#{PERIOD}"} | of_month]
    [version] = cloud.items("LABELS#")
    assert version.pop("recorded_at").startswith("20")
    assert version == labels | {"entry": f"LABELS#{PERIOD}#{MONTH['run']}"}


def labelled_later(cloud) -> None:
    """Another run of the month records its labels."""
    cloud.s3.put_object(Bucket="labelled", Key=f"labels/{GROUP}/{PERIOD}/later/labels.parquet", Body=b"later")
    cloud.put(month_item(PERIOD, "later"))


def test_athena_reads_the_months_labels_where_two_runs_of_it_end_at_the_same_moment(cloud):
    cloud.put(WINNER)
    copies = []

    def overtake(params, **_):
        if "/current/" in params["url_path"]:
            copies.append(params)
            if len(copies) == 1:
                labelled_later(cloud)

    cloud.s3.meta.events.register("before-call.s3.CopyObject", overtake)
    try:
        run = cloud.run("inference", MONTH)
    finally:
        cloud.s3.meta.events.unregister("before-call.s3.CopyObject", overtake)
    assert run.status == "SUCCEEDED", run.cause
    assert len(copies) == 2 and published(cloud, "labelled")[TABLE] == "later"


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
    cloud.put(MONTH_ITEM)
    run = cloud.run("inference", REVIEW)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[4:] == [
        *("Work", "GetMonth", "MonthKnown", "UseMonth", "MadeBefore", "ToAmend", "Amend"),
        *("PublishManifest", "Audience", "RecordAmended", "KeepDecisions", "GetNewest", "NewestShown"),
        *(
            "PublishTable",
            "NoteShown",
            "GetNewest",
            "NewestShown",
            "CameTooLate",
            "NotifyStakeholders",
            "Attention",
        ),
        "Announce",
    ]
    [given] = given_to(cloud, "amend")
    assert given["labels"] == MONTH_ITEM["labels"]["S"]
    assert given["decisions"] == f"s3://work-bucket/sheets/{GROUP}/{REVIEW['sheet']}/"
    assert published(cloud, "labelled") == {
        f"{labels_of(REVIEW)}manifest.json": REVIEW["run"],
        f"current/{GROUP}/{PERIOD}/labels.parquet": REVIEW["run"],
    }
    [request] = cloud.sagemaker.sent("CreateProcessingJob")
    words = request["AppSpecification"]["ContainerArguments"]
    assert words[words.index("--policy") + 1] == POLICY
    assert (
        "Labelled: 94 (12 by people). To review: 3. No code fits: 1."
        in cloud.received("Stakeholders")[0]["Message"]
    )


def test_amended_labels_are_still_of_the_delivery_and_model_that_they_were(cloud):
    cloud.put(MONTH_ITEM)
    cloud.run("inference", REVIEW)
    [month] = cloud.items("MONTH#")
    assert month["run"] == REVIEW["run"]
    for name in ("delivered", "model", "dataset"):
        assert month[name] == MONTH_ITEM[name]["S"]
    [(_, detail)] = cloud.events()
    assert (detail["model"], detail["dataset"]) == (OLD_MODEL, MONTH_ITEM["dataset"]["S"])


def test_decisions_are_training_rows_once_they_are_in_the_months_labels(cloud):
    cloud.put(MONTH_ITEM)
    assert cloud.run("inference", REVIEW).status == "SUCCEEDED"
    kept = objects(cloud, "work-bucket", "reviewed/")
    assert kept == {f"reviewed/{GROUP}/{REVIEW['sheet']}/decisions.jsonl": REVIEW["sheet"]}


def test_decisions_of_a_sheet_that_fails_are_never_training_rows(cloud):
    cloud.put(MONTH_ITEM)
    cloud.sagemaker.plan("CreateProcessingJob", {"ExitMessage": "Item '7' has two decisions."})
    assert cloud.run("inference", REVIEW).status == "FAILED"
    assert objects(cloud, "work-bucket", "reviewed/") == {}


def test_there_is_nothing_to_amend_in_a_month_without_labels(cloud):
    run = cloud.run("inference", REVIEW)
    assert run.status == "FAILED" and "there is nothing to put decisions into" in run.cause
    assert cloud.sagemaker.requests == [] and objects(cloud, "work-bucket", "reviewed/") == {}


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
    assert run.states[run.states.index("Tampered") - 2] == "Publish"
    assert published(cloud, "labelled") == {}
    assert cloud.events() == [] and cloud.received("Stakeholders") == []


def test_a_dataset_of_a_retired_group_fails_with_the_fix_and_starts_no_job(cloud):
    cloud.put(RETIRED_ITEM, WINNER)
    run = cloud.run("inference", MONTH)
    assert (run.status, run.cause) == (
        "FAILED",
        f"Model group {GROUP} is retired since 2026-10-20T08:00:00.000Z: left the country. "
        f"Revive it (labelmill groups revive {GROUP} --reason TEXT), then start again.",
    )
    assert cloud.sagemaker.requests == []


def test_of_a_retired_group_a_test_set_is_labelled_and_the_last_months_are_corrected(cloud):
    cloud.put(RETIRED_ITEM, MONTH_ITEM)
    for given in (TEST, REVIEW):
        run = cloud.run("inference", given)
        assert run.status == "SUCCEEDED", run.cause
