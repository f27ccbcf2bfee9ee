"""The training machine, executed."""

import contextlib
import itertools

import pytest
from botocore.exceptions import ClientError

from tests.pipelines.machines.conftest import client
from tests.pipelines.machines.definition_examples import (
    GROUP,
    GROUP_ITEM,
    INPUTS,
    OLD_MODEL,
    RETIRED_ITEM,
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
        *("GetGroup", "GroupKnown", "GroupActive", "Prepare", "ClaimRows"),
        *("GetTrained", "NothingNew", "Featurize"),
        *("FirstMachines", "SearchedBefore", "Tune", "Train", "KeepArtefact", "CreateModel"),
        *("RecordModel", "RecordTrained", "Announce"),
    ]
    [record] = cloud.items("MODEL#")
    model = record["entry"].removeprefix("MODEL#")
    assert cloud.sagemaker.sent("CreateModel")[0]["ModelName"] == model
    assert cloud.sagemaker.sent("CreateTrainingJob")[0]["TrainingJobName"] == model
    assert record["objective"] == "0.8734" and record["data_digest"] == "ab12cd34ef56"
    assert record["artefact"] == f"s3://work-bucket/models/{GROUP}/{model}/model.tar.gz"
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
    decide(cloud, model["entry"].removeprefix("MODEL#"))
    paid_for = len(cloud.sagemaker.requests)
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-4:] == ["NothingNew", "FindDecision", "Decided", "NotifyMlops"]
    assert [operation for operation, _ in cloud.sagemaker.requests[paid_for:]] == ["CreateProcessingJob"]
    assert len(cloud.items("MODEL#")) == 1 and len(cloud.events()) == 1
    [notice] = cloud.received("Mlops")
    assert notice["Subject"] == f"Nothing new to learn: {GROUP} 2026-10"
    assert model["entry"].removeprefix("MODEL#") in notice["Message"]


def decide(cloud, model: str) -> None:
    """Record a decision on a model, and one on another."""
    for number, name in enumerate((model, OLD_MODEL)):
        texts = {"group": GROUP, "entry": f"DECISION#2026-11-0{number}T08:00:00.000Z#run", "model": name}
        cloud.put({name: {"S": text} for name, text in texts.items()})


def test_a_model_that_nobody_has_decided_upon_is_announced_again_as_its_own_run_did(cloud):
    cloud.run("training", RUN_OF)
    [(_, announced)] = cloud.events()
    decide(cloud, "another")
    again = RUN_OF | {"run": RUN.replace("2026-10", "2026-11"), "period": "2026-11"}
    run = cloud.run("training", again)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Decided", "AnnounceAgain", "NotifyUndecided"]
    assert cloud.events() == [("Model Trained", announced | {"again": again["run"]})]
    [notice] = cloud.received("Mlops")
    assert notice["Subject"] == f"Nothing new to learn, but to decide: {GROUP} 2026-11"
    assert f"model {announced['model']}, so no model was trained" in notice["Message"]
    assert len(cloud.items("MODEL#")) == 1


def test_a_model_whose_announcement_failed_is_announced_when_its_rows_come_again(cloud):
    with refused("events", "PutEvents"):
        cloud.run("training", RUN_OF)
    assert cloud.events() == []
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "SUCCEEDED" and "AnnounceAgain" in run.states
    [(_, detail)] = cloud.events()
    assert [f"MODEL#{detail['model']}"] == [item["entry"] for item in cloud.items("MODEL#")]


@contextlib.contextmanager
def refused(service: str, operation: str, times: int = 100):
    """The next calls of an operation are refused."""
    left = iter(range(times))

    def refuse(**_):
        if next(left, None) is not None:
            meta = {"HTTPStatusCode": 400, "RequestId": "1"}
            error = {"Error": {"Code": "ThrottlingException", "Message": "not now"}, "ResponseMetadata": meta}
            raise ClientError(error, operation)

    event = f"before-call.{service}.{operation}"
    client(service).meta.events.register(event, refuse)
    try:
        yield
    finally:
        client(service).meta.events.unregister(event, refuse)


def meanwhile(cloud, run: dict) -> list:
    """Let `run` be executed while the next job runs; what came of it."""
    ended = []

    def start():
        cloud.sagemaker.on_wait = lambda: None
        ended.append(cloud.run("training", run))

    cloud.sagemaker.on_wait = start
    return ended


def jobs(cloud) -> list[str]:
    return [operation for operation, _ in cloud.sagemaker.requests]


def test_of_two_runs_of_the_same_rows_at_once_one_learns_and_the_other_says_which(cloud):
    second = RUN_OF | {"run": f"{RUN}x"}
    others = []

    def while_it_searches():
        if jobs(cloud)[-1] == "CreateHyperParameterTuningJob" and not others:
            others.append(cloud.run("training", second))

    cloud.sagemaker.on_wait = while_it_searches
    run = cloud.run("training", RUN_OF)
    assert (run.status, run.states[-1]) == ("SUCCEEDED", "Announce")
    [other] = others
    assert other.status == "SUCCEEDED", other.cause
    assert other.states[-5:] == [
        *("ClaimRows", "GetClaim", "DescribeClaimant", "ClaimantAtWork", "NotifyClaimed")
    ]
    assert jobs(cloud).count("CreateTrainingJob") == len(cloud.items("MODEL#")) == len(cloud.events()) == 1
    [notice] = cloud.received("Mlops")
    assert notice["Subject"] == f"Being learned already: {GROUP} 2026-10"
    assert f"run {RUN} is learning" in notice["Message"] and f"Run: {RUN}x" in notice["Message"]


def test_a_run_that_was_overtaken_while_it_prepared_the_rows_does_not_learn_them_again(cloud):
    """The other has ended by the time this one would claim the rows: its model is there."""
    others = meanwhile(cloud, RUN_OF | {"run": f"{RUN}x"})
    run = cloud.run("training", RUN_OF)
    assert others[0].states[-1] == "Announce"
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-7:-4] == ["TakeOver", "GetTrained", "NothingNew"]
    assert len(cloud.items("MODEL#")) == 1


@pytest.mark.parametrize(
    "changed",
    [{"codebook_version": "2026-11"}, {"policy": '{"min_gain": 0.1}'}],
    ids=["codebook", "policy"],
)
def test_what_is_to_be_learned_otherwise_is_learned_beside_the_other(cloud, changed):
    def publish_and_deliver():
        if jobs(cloud)[-1] == "CreateHyperParameterTuningJob":
            cloud.sagemaker.on_wait = lambda: None
            cloud.put(GROUP_ITEM | {name: {"S": value} for name, value in changed.items()})
            assert cloud.run("training", RUN_OF | {"run": f"{RUN}x"}).states[-1] == "Announce"

    cloud.sagemaker.on_wait = publish_and_deliver
    cloud.run("training", RUN_OF)
    assert len(cloud.items("MODEL#")) == 2


def test_the_claim_of_a_run_that_failed_is_taken_over(cloud):
    cloud.sagemaker.plan("CreateTrainingJob", {"FailureReason": "InternalServerError"})
    assert cloud.run("training", RUN_OF).status == "FAILED"
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "SUCCEEDED", run.cause
    assert "TakeOver" in run.states and run.states[-1] == "Announce"
    [claim] = cloud.items("TRAINING#")
    assert claim["run"] == f"{RUN}x"


def test_the_claim_of_a_run_that_step_functions_has_forgotten_is_taken_over(cloud):
    cloud.sagemaker.plan("CreateTrainingJob", {"FailureReason": "InternalServerError"})
    cloud.run("training", RUN_OF)
    [claim] = cloud.items("TRAINING#")
    forgotten = claim | {"execution": claim["execution"].replace(RUN, "long-ago")}
    cloud.put({name: {"S": value} for name, value in forgotten.items()})
    run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert run.status == "SUCCEEDED", run.cause
    assert "ClaimantAtWork" not in run.states and run.states[-1] == "Announce"


@contextlib.contextmanager
def around_claims(before=lambda: None, after=lambda: None):
    """Call `before` and `after` each time a run has claimed rows, or tries to."""
    claims = []

    def note(params, **_):
        claims.append(params["Item"]["entry"]["S"].startswith("TRAINING#"))
        if claims[-1]:
            before()

    def answered(**_):
        if claims.pop():
            after()

    events = client("dynamodb").meta.events
    hooks = {"before-parameter-build.dynamodb.PutItem": note, "after-call.dynamodb.PutItem": answered}
    for name, hook in hooks.items():
        events.register(name, hook)
    try:
        yield
    finally:
        for name, hook in hooks.items():
            events.unregister(name, hook)


def test_of_two_that_would_take_a_claim_over_at_once_one_learns(cloud):
    cloud.sagemaker.plan("CreateTrainingJob", {"FailureReason": "InternalServerError"})
    cloud.run("training", RUN_OF)
    tries, others = itertools.count(1), []

    def overtake_the_take_over():
        if next(tries) == 2:
            others.append(cloud.run("training", RUN_OF | {"run": f"{RUN}y"}))

    with around_claims(before=overtake_the_take_over):
        run = cloud.run("training", RUN_OF | {"run": f"{RUN}x"})
    assert others[0].states[-1] == "Announce"
    assert run.status == "SUCCEEDED", run.cause
    assert (run.states.count("TakeOver"), "Featurize" in run.states) == (2, False)
    assert len(cloud.items("MODEL#")) == 1


def test_a_claim_whose_answer_was_lost_is_the_runs_own(cloud):
    answers = itertools.count(1)

    def lose_the_first():
        if next(answers) == 1:
            meta = {"HTTPStatusCode": 500, "RequestId": "1"}
            error = {"Error": {"Code": "InternalServerError", "Message": "lost"}, "ResponseMetadata": meta}
            raise ClientError(error, "PutItem")

    with around_claims(after=lose_the_first):
        run = cloud.run("training", RUN_OF)
    assert (run.status, next(answers)) == ("SUCCEEDED", 3)
    assert "GetClaim" not in run.states and run.states[-1] == "Announce"


NEWER, OLDER = "2026-12-01T02:00:00.000Z#v2", "2026-10-31T02:00:00.000Z#v0"


@pytest.mark.parametrize(
    ("before", "is_last"),
    [
        ({"period": "2026-09", "delivered": NEWER}, True),
        ({"period": "2026-11", "delivered": OLDER}, False),
        ({"period": "2026-10", "delivered": OLDER}, True),
        ({"period": "2026-10", "delivered": NEWER}, False),
        ({"period": "2026-10", "delivered": RUN_OF["delivered"]}, True),
    ],
    ids=["month before", "month after", "same month, before", "same month, after", "itself"],
)
def test_the_next_training_goes_on_from_the_newest_months_last_delivery_whichever_ended_last(
    cloud, before, is_last
):
    cloud.put(TRAINED_ITEM | {name: {"S": value} for name, value in before.items()})
    run = cloud.run("training", RUN_OF)
    assert (run.status, run.states[-1]) == ("SUCCEEDED", "Announce"), run.cause
    [trained] = cloud.items("TRAINED")
    [model] = cloud.items("MODEL#")
    assert (trained["model"] == model["entry"].removeprefix("MODEL#")) is is_last
    assert (trained["run"] == RUN) is is_last


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


def test_what_a_run_sees_first_is_recorded_where_the_next_run_reads_it(cloud):
    assert cloud.run("training", RUN_OF).status == "SUCCEEDED"
    prepare = cloud.sagemaker.sent("CreateProcessingJob")[0]
    [read] = [each["S3Input"] for each in prepare["ProcessingInputs"] if each["InputName"] == "texts"]
    [written] = [
        each["S3Output"]
        for each in prepare["ProcessingOutputConfig"]["Outputs"]
        if each["OutputName"] == "texts"
    ]
    assert read["S3Uri"] == written["S3Uri"] == f"s3://work-bucket/texts/{GROUP}/"


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


def test_a_codebook_published_before_a_setting_fails_with_the_commands_that_publish_it_again(cloud):
    cloud.put({name: value for name, value in GROUP_ITEM.items() if name != "search_limits"})
    run = cloud.run("training", RUN_OF)
    assert run.status == "FAILED"
    assert f"labelmill codebook show {GROUP} --json > {GROUP}.json; " in run.cause
    assert f"labelmill codebook publish {GROUP}.json" in run.cause and "not known" not in run.cause
    assert cloud.sagemaker.requests == []
    assert cloud.received("failures")[0]["error"] == "OldCodebook"


def test_a_dataset_of_a_retired_group_fails_with_the_fix_and_starts_no_job(cloud):
    cloud.put(RETIRED_ITEM)
    run = cloud.run("training", RUN_OF)
    assert run.status == "FAILED"
    assert f"Model group {GROUP} is retired since 2026-10-20T08:00:00.000Z: left the country." in run.cause
    assert f"labelmill groups revive {GROUP}" in run.cause
    assert cloud.sagemaker.requests == []


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
    assert failure["cause"] == sentence
    [notice] = cloud.received("Operators")
    assert notice["Subject"] == f"training failed: {RUN}"
    assert notice["Message"].startswith(f"{sentence}\n\nWhat to do: once that is put right, labelmill retry")
    assert f"labelmill retry --run {RUN}\n\n" in notice["Message"]
    [job] = cloud.sagemaker.sent("CreateProcessingJob")
    page = "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups"
    streams = "$252Faws$252Fsagemaker$252FProcessingJobs$3FlogStreamNameFilter$3D"
    sentence = (
        f"Job {job['ProcessingJobName']}, log: {page}/log-group/{streams}{job['ProcessingJobName']} More:"
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


@pytest.mark.parametrize(
    ("operation", "machines"),
    [
        ("CreateProcessingJob", "ProcessingInstanceType"),
        ("CreateTrainingJob", "TrainingInstanceType"),
    ],
)
@pytest.mark.parametrize(
    "reason",
    [
        "AlgorithmError: See job logs for more information, exit code: 137",
        "AlgorithmError: Exit Code: 137",
        "ClientError: Please use an instance type with more memory, or reduce the size of job data processed "
        "on an instance.",
    ],
)
def test_a_job_that_was_killed_is_told_by_its_name_and_as_one_that_lacked_memory(
    cloud, operation, machines, reason
):
    cloud.sagemaker.plan(operation, {"FailureReason": reason})
    run = cloud.run("training", RUN_OF)
    [request] = cloud.sagemaker.sent(operation)
    name = request.get("ProcessingJobName") or request["TrainingJobName"]
    assert run.cause == (
        f"Job {name} was killed, most likely because its machine has too little memory. "
        f"Fix: deploy with a larger {machines}, then start the run again. SageMaker said: {reason}"
    )
    [notice] = cloud.received("Operators")
    assert notice["Message"].startswith(f"{run.cause}\n\nWhat to do: ")
    assert f"(error States.TaskFailed). Job {name}, log: " in notice["Message"]


def test_a_job_that_ends_with_another_exit_code_is_not_told_as_killed(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", {"FailureReason": "AlgorithmError: exit code: 1"})
    assert cloud.run("training", RUN_OF).cause == "AlgorithmError: exit code: 1"


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
    assert "(error States.Timeout). More: labelmill runs show" in cloud.received("Operators")[0]["Message"]
    assert cloud.received("failures")[0]["error"] == "States.Timeout"


def test_a_full_quota_is_waited_for_and_every_try_has_a_name_of_its_own(cloud):
    cloud.sagemaker.plan("CreateProcessingJob", *["ResourceLimitExceeded"] * 12)
    run = cloud.run("training", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    names = [request["ProcessingJobName"] for request in cloud.sagemaker.sent("CreateProcessingJob")]
    assert len(set(names)) == len(names) == 12 + 2
    assert max(cloud.waits) <= 3600 and len(set(cloud.waits)) > 1  # labels of a month ask more often


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
