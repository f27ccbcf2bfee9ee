"""The training machine, executed."""

import json

from definition_examples import GROUP, INPUTS, RUN, TUNED

RUN_OF = INPUTS["training"]


def test_a_dataset_becomes_a_recorded_and_announced_model(cloud):
    run = cloud.run("training", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states == [
        *("GetGroup", "GroupKnown", "Prepare", "Tune", "Train", "CreateModel", "RecordModel", "Announce")
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
        **{name: RUN_OF[name] for name in ("group", "period", "run")},
        **{"model": model, "test_set": RUN, "dataset": f"s3://work-bucket/runs/{GROUP}/{RUN}/test/"},
    }


def test_the_best_setting_of_the_search_is_trained(cloud):
    cloud.run("training", RUN_OF)
    [train] = cloud.sagemaker.sent("CreateTrainingJob")
    code = "/opt/ml/input/data/code"
    fixed = {"sagemaker_program": "training.train", "sagemaker_submit_directory": code}
    assert train["HyperParameters"] == TUNED | fixed


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
    assert cloud.events() == [] and cloud.items("MODEL#") == []


def test_a_failed_tuning_job_is_told_by_its_failure_reason(cloud):
    cloud.sagemaker.plan("CreateHyperParameterTuningJob", {"FailureReason": "All training jobs failed."})
    run = cloud.run("training", RUN_OF)
    assert run.cause == "All training jobs failed."


def test_a_task_that_takes_too_long_is_told_by_the_name_of_its_error(cloud):
    def never_ends():
        raise TimeoutError

    cloud.sagemaker.on_wait = never_ends
    run = cloud.run("training", RUN_OF)
    assert (run.status, run.cause) == ("FAILED", "States.Timeout")
    assert cloud.received("failures")[0]["error"] == "States.Timeout"


def test_a_failed_job_without_a_reason_is_told_by_the_whole_cause(cloud):
    cloud.sagemaker.plan("CreateTrainingJob", {})
    run = cloud.run("training", RUN_OF)
    assert json.loads(run.cause)["TrainingJobStatus"] == "Failed"


def test_a_full_quota_is_waited_for_and_every_try_has_a_name_of_its_own(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", *["ResourceLimitExceeded"] * 12)
    run = cloud.run("training", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    names = [request["ProcessingJobName"] for request in cloud.sagemaker.sent("CreateProcessingJob")]
    assert len(set(names)) == len(names) == 13
    assert max(cloud.waits) <= 600 and len(set(cloud.waits)) > 1


def test_throttling_is_waited_for_and_a_lasting_refusal_is_not(cloud):
    cloud.sagemaker.plan("CreateTrainingJob", *["ThrottlingException"] * 3)
    assert cloud.run("training", RUN_OF).status == "SUCCEEDED"
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
