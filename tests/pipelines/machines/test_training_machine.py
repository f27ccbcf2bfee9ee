"""The training machine, executed."""

import json

import pytest

from tests.pipelines.machines.definition_examples import (
    GROUP,
    GROUP_ITEM,
    INPUTS,
    RUN,
    SUBSTITUTIONS,
    TRAINED_ITEM,
    TUNED,
)

RUN_OF = INPUTS["training"]


def test_a_dataset_becomes_a_recorded_and_announced_model(cloud):
    run = cloud.run("training", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states == [
        *("GetGroup", "GroupKnown", "Prepare", "GetTrained", "NothingNew", "Featurize", "FirstMachines"),
        *("SearchedBefore", "Tune", "Train", "CreateModel", "RecordModel", "Announce", "RecordTrained"),
    ]
    [record] = cloud.items("MODEL#")
    model = record["entry"].removeprefix("MODEL#")
    assert cloud.sagemaker.sent("CreateModel")[0]["ModelName"] == model
    assert cloud.sagemaker.sent("CreateTrainingJob")[0]["TrainingJobName"] == model
    assert record["objective"] == "0.8734" and record["data_digest"] == "ab12cd34ef56"
    assert record["artefact"] == f"s3://work-bucket/runs/{GROUP}/{RUN}/model/{model}/output/model.tar.gz"
    assert record["test_set"] == record["run"] == RUN
    [(kind, detail)] = cloud.events()
    assert kind == "Model Trained"
    assert detail == {
        "version": "1",
        **{name: RUN_OF[name] for name in ("group", "period", "run")},
        **{"model": model, "test_set": RUN, "dataset": f"s3://work-bucket/runs/{GROUP}/{RUN}/test/"},
    }


def test_the_best_setting_of_the_search_is_trained(cloud):
    cloud.run("training", RUN_OF)
    [train] = cloud.sagemaker.sent("CreateTrainingJob")
    code = "/opt/ml/input/data/code"
    fixed = {"sagemaker_program": "training.train", "sagemaker_submit_directory": code}
    assert train["HyperParameters"] == TUNED | fixed | {"precision": "0.97"}


def test_the_next_search_goes_on_from_the_last_one(cloud):
    cloud.run("training", RUN_OF)
    [first] = cloud.sagemaker.sent("CreateHyperParameterTuningJob")
    cloud.sagemaker.messages["processing.prepare"]["rows_digest"] = "d3" * 32
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "SUCCEEDED", run.cause
    assert "TuneWarm" in run.states and "Tune" not in run.states
    [_, second] = cloud.sagemaker.sent("CreateHyperParameterTuningJob")
    [parent] = second["WarmStartConfig"]["ParentHyperParameterTuningJobs"]
    assert parent["HyperParameterTuningJobName"] == first["HyperParameterTuningJobName"]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(["ValidationException"] * 7, id="refused: no such parent, or other ranges"),
        pytest.param([{"FailureReason": "parent without trials"}], id="failed"),
    ],
)
def test_a_search_that_cannot_go_on_from_the_last_one_begins_anew(cloud, trouble):
    cloud.put(TRAINED_ITEM)
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", *trouble)
    run = cloud.run("training", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert "TuneWarm" in run.states and "Tune" in run.states
    assert "WarmStartConfig" not in cloud.sagemaker.sent("CreateHyperParameterTuningJob")[-1]
    assert cloud.received("failures") == []


def test_the_same_rows_code_codebook_and_policy_are_not_learned_twice(cloud):
    cloud.run("training", RUN_OF)
    [model] = cloud.items("MODEL#")
    paid_for = len(cloud.sagemaker.requests)
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-2:] == ["NothingNew", "NotifyMlops"]
    assert [operation for operation, _ in cloud.sagemaker.requests[paid_for:]] == ["CreateProcessingJob"]
    assert len(cloud.items("MODEL#")) == 1 and len(cloud.events()) == 1
    [notice] = cloud.received("Mlops")
    assert notice["Subject"] == f"Nothing new to learn: {GROUP} 2026-10"
    assert model["entry"].removeprefix("MODEL#") in notice["Message"]


@pytest.mark.parametrize(
    "changed",
    [
        {"rows_digest": "d2" * 31},
        {"code_digest": "f" * 16},
        {"image": SUBSTITUTIONS["ImageUri"].replace("1a", "2b")},
        {"codebook_version": "2026-09"},
        {"policy": '{"min_gain": 0.1}'},
    ],
)
def test_whatever_changed_since_the_last_training_is_learned(cloud, changed):
    same = TRAINED_ITEM | {"rows_digest": {"S": "d2" * 32}}
    cloud.put(same | {name: {"S": value} for name, value in changed.items()})
    assert "TuneWarm" in cloud.run("training", RUN_OF).states


def test_a_group_that_shares_is_always_trained_as_others_may_have_new_rows(cloud):
    cloud.put(TRAINED_ITEM | {"rows_digest": {"S": "d2" * 32}}, GROUP_ITEM | {"share_by": {"S": "unu"}})
    run = cloud.run("training", RUN_OF)
    assert "TuneWarm" in run.states
    prepare, featurize = cloud.sagemaker.sent("CreateProcessingJob")
    outputs = {
        item["OutputName"]: item["S3Output"]["S3Uri"] for item in prepare["ProcessingOutputConfig"]["Outputs"]
    }
    inputs = {item["InputName"]: item["S3Input"]["S3Uri"] for item in featurize["ProcessingInputs"]}
    assert outputs["shared"] == f"s3://work-bucket/shared/unu/{GROUP}/"
    assert inputs["shared"] == "s3://work-bucket/shared/unu/"


def test_a_run_that_failed_before_its_end_is_no_reason_to_skip_the_next(cloud):
    cloud.sagemaker.plan("CreateModel", *["ValidationException"] * 50)
    assert cloud.run("training", RUN_OF).status == "FAILED"
    cloud.sagemaker.plan("CreateModel")
    assert "Tune" in cloud.run("training", RUN_OF | {"run": f"{RUN}x"}).states


def test_an_unknown_group_fails_with_the_fix_and_starts_no_job(cloud):
    run = cloud.run("training", RUN_OF | {"group": "FR-toys"})
    assert run.status == "FAILED"
    assert "FR-toys" in run.cause and "publish its codebook" in run.cause
    assert cloud.sagemaker.requests == []
    assert cloud.received("failures")[0]["error"] == "UnknownGroup"


def test_a_failed_job_is_queued_to_start_again_and_told_in_its_own_words(cloud):
    sentence = "labels.csv row 7: the title is empty. Fill it in."
    described = {"ExitMessage": sentence, "FailureReason": "AlgorithmError: exit code 1"}
    cloud.sagemaker.plan("CreateProcessingJob", described)
    run = cloud.run("training", RUN_OF)
    assert (run.status, run.error, run.cause) == ("FAILED", "RunFailed", sentence)
    [failure] = cloud.received("failures")
    assert failure["error"] == "States.TaskFailed"
    assert set(failure) == {"machine", "run", "input", "error", "cause"}
    assert (failure["machine"], failure["run"], failure["input"]) == ("training", RUN, RUN_OF)
    assert json.loads(failure["cause"])["FailureReason"] == "AlgorithmError: exit code 1"
    [notice] = cloud.received("Operators")
    assert notice["Subject"] == f"training failed: {RUN}"
    assert sentence in notice["Message"]
    [job] = cloud.sagemaker.sent("CreateProcessingJob")
    page = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups"
    streams = "$252Faws$252Fsagemaker$252FProcessingJobs$3FlogStreamNameFilter$3D"
    sentence = (
        f"Job {job['ProcessingJobName']}, log: {page}/log-group/{streams}{job['ProcessingJobName']} Its input"
    )
    assert sentence in notice["Message"]
    assert cloud.events() == [] and cloud.items("MODEL#") == []


def test_a_stopped_job_has_no_reason_and_its_status_is_told(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", {"ProcessingJobStatus": "Stopped"})
    run = cloud.run("training", RUN_OF)
    assert (run.status, run.error) == ("FAILED", "RunFailed")
    assert run.cause.startswith("The job is Stopped and gives no reason. ")
    [job] = cloud.sagemaker.sent("CreateProcessingJob")
    [notice] = cloud.received("Operators")
    assert run.cause in notice["Message"] and f"Job {job['ProcessingJobName']}, log: " in notice["Message"]
    assert cloud.received("failures")[0]["input"] == RUN_OF


def test_a_failed_tuning_job_is_told_by_its_failure_reason(cloud):
    reason = {"FailureReason": "All training jobs failed."}
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", reason, reason)
    run = cloud.run("training", RUN_OF)
    assert run.cause == "All training jobs failed."
    _, job = cloud.sagemaker.sent("CreateHyperParameterTuningJob")  # the second on other machines
    trials = f"$252FTrainingJobs$3FlogStreamNameFilter$3D{job['HyperParameterTuningJobName']} "
    assert trials in cloud.received("Operators")[0]["Message"]


def test_a_task_that_takes_too_long_is_told_by_the_name_of_its_error(cloud):
    def never_ends():
        raise TimeoutError

    cloud.sagemaker.on_wait = never_ends
    run = cloud.run("training", RUN_OF)
    assert (run.status, run.cause) == ("FAILED", "States.Timeout")
    assert "(error States.Timeout). Its input is kept" in cloud.received("Operators")[0]["Message"]
    assert cloud.received("failures")[0]["error"] == "States.Timeout"


def test_a_full_quota_is_waited_for_and_every_try_has_a_name_of_its_own(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", *["ResourceLimitExceeded"] * 12)
    run = cloud.run("training", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    names = [request["ProcessingJobName"] for request in cloud.sagemaker.sent("CreateProcessingJob")]
    assert len(set(names)) == len(names) == 12 + 2
    assert max(cloud.waits) <= 600 and len(set(cloud.waits)) > 1


def test_throttling_is_waited_for_and_a_lasting_refusal_is_not(cloud):
    cloud.sagemaker.plan("CreateTrainingJob", *["ThrottlingException"] * 3)
    assert cloud.run("training", RUN_OF).status == "SUCCEEDED"
    cloud.sagemaker.messages["processing.prepare"]["rows_digest"] = "d3" * 32
    cloud.sagemaker.plan("CreateTrainingJob", *["ValidationException"] * 50)
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "FAILED" and "not now" in run.cause
    assert cloud.received("failures")[0]["error"] == "SageMaker.AmazonSageMakerException"


def test_the_state_stays_small(cloud):
    assert cloud.run("training", RUN_OF).largest < 8 * 1024


def test_operators_are_told_even_when_the_failure_queue_is_gone(cloud):
    cloud.sqs.delete_queue(QueueUrl=cloud.queues["failures"])
    run = cloud.run("training", RUN_OF | {"group": "FR-toys"})
    assert run.status == "FAILED"
    assert "publish its codebook" in cloud.received("Operators")[0]["Message"]
