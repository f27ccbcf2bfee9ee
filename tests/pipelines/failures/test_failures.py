"""`labelmill failures`, `retry` and `dismiss`: one list of what is not done, and starting it again."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from pipelines import names, runs
from pipelines.failures import listing, queues
from pipelines.handlers.landing import runs_in

DE = {"group": "DE-weee", "period": "2026-10"}
RUN = DE | {
    "run": names.run_name("DE-weee", "inference", "2026-10", "d1"),
    "purpose": "inference",
    "dataset": "s3://landing/inference/DE-weee/2026-10/d1/",
    "delivered": "2026-11-03T08:00:00.000Z#v1",
}
TRAINING = RUN | {"run": names.run_name("DE-weee", "training", "2026-10", "d1"), "purpose": "training"}
MODEL = "DE-weee-2026-10-1a2b3c4d"
TEST = DE | {
    "run": names.run_name("DE-weee", "test", "2026-10", MODEL),
    "purpose": "test",
    "model": MODEL,
    "challenger": MODEL,
    "test_set": TRAINING["run"],
}
COMPARISON = DE | {
    "run": names.run_name("DE-weee", "comparison", "2026-10", MODEL),
    "challenger": {"model": MODEL, "predictions": "s3://work-bucket/1/"},
    "winner": {"model": "", "predictions": "s3://work-bucket/1/"},
    "undecided": "",
}
MODEL_ITEM = {
    "run": TRAINING["run"],
    "period": "2026-10",
    "test_set": TRAINING["run"],
    "trained_at": "2026-11-01T08:00:00.000Z",
}
ORDER = {"purpose": "training", "period": "2026-10", "delivery": "d1-2", "groups": ["DE-weee"]}
STATEMENT = {
    "machine": "unload",
    "run": "labelmill/training/DE-weee/2026-10/d1",
    "input": ORDER,
    "error": "FAILED",
    "cause": 'column "colour" does not exist',
}


def notification(key: str) -> dict:
    landed = {"bucket": {"name": "landing"}, "object": {"key": key, "versionId": "1"}}
    return {"Records": [{"eventTime": "2026-11-03T08:00:00.000Z", "s3": landed}]}


def again(run: dict) -> str:
    return runs.again(run)["run"]


def test_where_nothing_failed_everything_is_done(account):
    assert account.labelmill("failures") == (0, "everything is done\n", "")
    assert account.labelmill("retry", "--all")[:2] == (
        0,
        "nothing to do: labelmill failures lists what is not done\n",
    )


def test_a_failed_run_is_listed_with_group_month_cause_and_the_command_that_starts_it_again(account):
    account.failed("inference", RUN, error="NoWinner")
    listed = account.listed()[RUN["run"]]
    assert (listed["group"], listed["period"], listed["what"]) == ("DE-weee", "2026-10", "inference run")
    assert (listed["error"], listed["sentence"]) == ("NoWinner", "NoWinner: files are lost")
    assert listed["since"] == "2026-11-03T09:00:00+00:00"
    assert f"labelmill retry --run {RUN['run']}" in listed["next_step"]
    _, printed, _ = account.labelmill("failures")
    assert "DE-weee\n" in printed and "NoWinner: files are lost" in printed and "1 not done" in printed


@pytest.mark.parametrize("status", ["TIMED_OUT", "ABORTED"])
def test_a_run_that_could_not_even_queue_its_failure_is_listed_all_the_same(account, status):
    account.failed("training", TRAINING, status)
    account.sqs.purge_queue(QueueUrl=account.outputs["FailureQueueUrl"])
    assert list(account.listed()) == [TRAINING["run"]]


def test_a_retry_starts_the_same_input_under_a_new_name_and_a_second_retry_nothing(account):
    account.failed("inference", RUN)
    code, printed, _ = account.labelmill("retry", "--run", RUN["run"])
    assert (code, printed) == (0, f"{RUN['run']}: started {again(RUN)}\n")
    assert account.states.running() == [RUN | {"run": again(RUN)}]
    assert account.labelmill("retry", "--run", RUN["run"])[0] == 0
    assert account.states.running() == [RUN | {"run": again(RUN)}]


def test_the_message_stays_while_the_new_run_runs_and_leaves_the_queue_when_it_has_ended_well(account):
    account.failed("inference", RUN)
    account.labelmill("retry", "DE-weee")
    assert account.listed()[RUN["run"]]["next_step"] == f"none: {again(RUN)} does it again"
    assert len(account.messages("FailureQueueUrl")) == 1
    account.states.end(again(RUN), "SUCCEEDED")
    assert account.listed() == {}
    assert account.messages("FailureQueueUrl") == []


def test_of_a_run_that_failed_twice_the_second_is_listed_and_once_a_third_ends_well_both_messages_go(account):
    account.failed("inference", RUN)
    second = account.failed("inference", RUN | {"run": again(RUN)})
    assert list(account.listed()) == [second["run"]]
    account.labelmill("retry", "--all")
    account.states.end(again(second), "SUCCEEDED")
    assert account.listed() == {}
    assert account.messages("FailureQueueUrl") == []


@pytest.mark.parametrize(("machine", "run"), [("inference", RUN), ("training", TRAINING)])
@pytest.mark.parametrize(("delivered", "done"), [("2026-11-04", True), ("2026-11-02", False)])
def test_a_run_is_done_once_newer_data_of_its_month_were_processed_and_not_by_older(
    account, machine, run, delivered, done
):
    other = run | {
        "run": names.run_name("DE-weee", run["purpose"], "2026-10", "d2"),
        "delivered": f"{delivered}T08:00:00.000Z#v1",
    }
    account.failed(machine, run)
    account.failed(machine, other)
    account.states.end(other["run"], "SUCCEEDED")
    assert (run["run"] not in account.listed()) == done


@pytest.mark.parametrize(("machine", "run"), [("inference", TEST), ("comparison", COMPARISON)])
def test_a_failed_test_or_comparison_is_done_once_its_challenger_is_decided_on(account, machine, run):
    account.failed(machine, run)
    assert run["run"] in account.listed()
    account.put("DE-weee", "DECISION#2026-11-05T08:00:00.000Z#other", model=MODEL, verdict="PROMOTE")
    assert account.listed() == {}
    assert account.messages("FailureQueueUrl") == []


def test_failures_can_be_chosen_by_group_and_by_cause(account):
    french = {name: value.replace("DE-", "FR-") for name, value in RUN.items()}
    account.failed("inference", RUN, error="NoWinner")
    account.failed("inference", french, error="UnknownGroup")
    assert list(account.listed("--group", "FR-weee")) == [french["run"]]
    account.labelmill("retry", "--cause", "NoWinner")
    assert [run["group"] for run in account.states.running()] == ["DE-weee"]
    account.labelmill("retry", "FR-weee")
    assert [run["group"] for run in account.states.running()] == ["DE-weee", "FR-weee"]


def test_a_dismissed_run_is_off_the_list_and_the_queue_and_the_ledger_says_who_and_why(account):
    account.failed("training", TRAINING)
    code, _, complaint = account.labelmill(
        "dismiss", TRAINING["run"], "--reason", "group ended", "--by", "Anna"
    )
    assert (code, complaint) == (0, ""), complaint
    assert account.listed() == {}
    assert account.messages("FailureQueueUrl") == []
    [item] = account.dynamodb.query(
        TableName="ledger",
        KeyConditionExpression="#group = :group AND begins_with(entry, :dismissed)",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={":group": {"S": "DE-weee"}, ":dismissed": {"S": "DISMISSED#"}},
    )["Items"]
    assert item["why"]["S"] == "group ended" and item["by"]["S"].startswith("Anna (arn:aws:")


def test_what_is_not_in_the_list_cannot_be_dismissed(account):
    code, _, complaint = account.labelmill("dismiss", "DE-weee-lost", "--reason", "x")
    assert code == 1 and "copy its name from labelmill failures" in complaint


# ---------------------------------------------------------------- the warehouse


def test_a_failed_statement_is_listed_once_and_ordered_again_under_the_next_delivery(account):
    for _ in range(2):
        account.send("FailureQueueUrl", STATEMENT)
    [listed] = account.listed().values()
    assert listed["name"] == STATEMENT["run"] and "colour" in listed["sentence"]
    account.labelmill("retry", "--run", STATEMENT["run"])
    assert account.messages("UnloadQueueUrl") == [ORDER]
    assert list(account.listed()) == [STATEMENT["run"]], "it has not delivered yet"
    account.s3.put_object(Bucket="landing", Key="training/DE-weee/2026-10/d1-2/manifest", Body=b"{}")
    assert account.listed() == {}
    assert account.messages("FailureQueueUrl") == []


def test_neither_an_earlier_dataset_nor_files_without_a_manifest_end_a_failed_statement(account):
    folder = "training/DE-weee/2026-10"
    account.s3.put_object(Bucket="landing", Key=f"{folder}/d0/manifest", Body=b"{}")
    account.send("FailureQueueUrl", STATEMENT)
    account.s3.put_object(Bucket="landing", Key=f"{folder}/d1-2/part-0.parquet", Body=b"")
    assert list(account.listed()) == [STATEMENT["run"]]


def test_a_failed_statement_is_done_where_the_warehouse_has_no_rows_since(account):
    account.send("FailureQueueUrl", STATEMENT)
    account.put("DE-weee", "NOITEMS#training#2026-10", found_at="2020-01-01T00:00:00Z")
    assert list(account.listed()) == [STATEMENT["run"]], "found before it failed"
    account.put("DE-weee", "NOITEMS#training#2026-10", found_at="2100-01-01T00:00:00Z")
    assert account.listed() == {}


# ---------------------------------------------------------------- dead letters


def test_a_manifest_under_a_wrong_key_is_listed_with_the_fix_and_a_retry_leaves_it(account):
    dead = account.send("InferenceDeadLetterQueueUrl", notification("inference/DE/2026-10/d1/manifest"))
    listed = account.listed()[dead]
    assert "'DE' is not a model group. Fix: name that folder like DE-weee" in listed["sentence"]
    assert f"labelmill dismiss {dead} --reason TEXT" in listed["next_step"]
    code, _, complaint = account.labelmill("retry", "--run", dead)
    assert code == 1 and "is not a model group" in complaint
    assert len(account.messages("InferenceDeadLetterQueueUrl")) == 1
    account.labelmill("dismiss", dead, "--reason", "delivered again")
    assert account.listed() == {} and account.messages("InferenceDeadLetterQueueUrl") == []


def test_only_the_chosen_dead_letters_go_back_to_their_queue(account):
    first, second = (
        account.send("TrainingDeadLetterQueueUrl", notification(f"training/{group}/2026-10/d1/manifest"))
        for group in ("DE-weee", "FR-weee")
    )
    assert account.listed()[first]["group"] == "DE-weee"
    code, printed, _ = account.labelmill("retry", "DE-weee")
    assert code == 0 and f"{first}: sent again to start DE-weee-training-2026-10-" in printed
    assert account.messages("TrainingQueueUrl") == [notification("training/DE-weee/2026-10/d1/manifest")]
    assert list(account.listed()) == [second]


def test_a_dead_notification_whose_run_was_started_after_all_is_taken_away(account):
    body = notification("training/DE-weee/2026-10/d1/manifest")
    account.send("TrainingDeadLetterQueueUrl", body)
    [run] = runs_in(json.dumps(body), "training")
    name = run["run"]
    account.states.start_execution(
        stateMachineArn=account.outputs["TrainingMachineArn"], name=name, input=json.dumps({"run": name})
    )
    assert account.listed() == {}
    assert account.messages("TrainingDeadLetterQueueUrl") == []


@pytest.mark.parametrize(
    ("event", "function"),
    [
        ({"detail-type": "Model Trained", "detail": DE | {"model": MODEL}}, "test-model"),
        ({"detail-type": "Inference Completed", "detail": DE | {"challenger": MODEL}}, "start-comparison"),
        ({"scheduled_time": "2026-11-10T07:00:00Z", "overdue": True}, "check-month"),
        *(
            (
                {
                    "detail-type": "Redshift Data Statement Status Change",
                    "detail": {"state": state, "statementName": STATEMENT["run"]},
                },
                function,
            )
            for state, function in (
                ("FINISHED", "statement-finished"),
                ("FAILED", "statement-failed"),
                ("ABORTED", "statement-failed"),
            )
        ),
    ],
)
def test_a_dead_event_is_listed_with_its_error_and_given_to_its_function_again(account, event, function):
    dead = account.send("EventsDeadLetterQueueUrl", event, ErrorMessage="the event lacks run. Fix: send it")
    assert account.listed()[dead]["sentence"] == "the event lacks run. Fix: send it"
    assert account.labelmill("retry", "--all")[0] == 0
    assert account.invoked == [(f"labelmill-{function}", event)]
    assert account.messages("EventsDeadLetterQueueUrl") == []


def test_a_dead_event_of_a_run_that_was_cut_off_is_taken_away_as_the_run_is_listed_itself(account):
    account.send("EventsDeadLetterQueueUrl", {"detail-type": "Step Functions Execution Status Change"})
    assert account.listed() == {}
    assert account.messages("EventsDeadLetterQueueUrl") == []


def test_a_dead_event_of_a_model_that_was_decided_on_is_taken_away(account):
    account.put("DE-weee", "DECISION#2026-11-05T08:00:00.000Z#run", model=MODEL)
    account.send(
        "EventsDeadLetterQueueUrl", {"detail-type": "Model Trained", "detail": DE | {"model": MODEL}}
    )
    assert account.listed() == {} and account.messages("EventsDeadLetterQueueUrl") == []


def test_an_order_is_sent_again_as_it_was_while_the_warehouse_still_knows_it(account):
    account.send("UnloadDeadLetterQueueUrl", ORDER)
    account.labelmill("retry", "DE-weee")
    assert account.messages("UnloadQueueUrl") == [ORDER]
    assert account.messages("UnloadDeadLetterQueueUrl") == []


def test_an_older_order_is_sent_for_the_groups_without_a_dataset_under_the_next_delivery(account):
    for group in ("FR-weee", "IT-weee", "PL-weee"):
        account.put(group, "GROUP")
    account.put("GB-weee", "GROUP", retired_at="2026-10-20T08:00:00.000Z")
    account.put("PL-weee", "NOITEMS#training#2026-10", found_at="2026-11-01T05:00:00Z")
    account.s3.put_object(
        Bucket="landing", Key="training/IT-weee/2026-10/20261101T040000Z/manifest", Body=b""
    )
    account.send(
        "UnloadDeadLetterQueueUrl", {"purpose": "training", "scheduled_time": "2026-11-01T04:00:00Z"}
    )
    nine_hours_on = datetime.now(UTC) + timedelta(hours=9)
    with listing.opened(account.stack, nine_hours_on) as [order]:
        order.retry()
    assert account.messages("UnloadQueueUrl") == [
        ORDER | {"delivery": "20261101T040000Z-2", "groups": ["DE-weee", "FR-weee"]}
    ]


def test_a_message_that_is_none_of_ours_is_listed_and_can_only_be_dismissed(account):
    sent = [account.send(name, "hello") for name in ("FailureQueueUrl", "EventsDeadLetterQueueUrl")]
    assert list(account.listed()) and account.labelmill("retry", "--all")[0] == 1
    for name in sent:
        assert account.labelmill("dismiss", name, "--reason", "unknown")[0] == 0
    assert account.listed() == {}


# ---------------------------------------------------------------- models and notices


def test_a_model_that_nothing_decides_on_is_listed_and_tested(account):
    account.put("DE-weee", f"MODEL#{MODEL}", **MODEL_ITEM)
    assert account.listed()[MODEL]["what"] == "model that is not decided on"
    assert account.labelmill("retry", "--run", MODEL)[0] == 0
    [run] = account.states.running()
    assert (run["purpose"], run["model"], run["challenger"]) == ("test", MODEL, MODEL)
    assert run["dataset"] == f"s3://work-bucket/runs/DE-weee/{TRAINING['run']}/test/"
    assert account.listed() == {}, "it is under way"


def test_of_a_retired_group_no_model_is_decided_on(account):
    account.put("DE-weee", "GROUP", codebook_version="2026-10", retired_at="2026-10-20T08:00:00.000Z")
    account.put("DE-weee", f"MODEL#{MODEL}", **MODEL_ITEM)
    assert account.listed() == {}


def test_a_model_with_its_test_set_labelled_is_compared(account):
    account.put("DE-weee", f"MODEL#{MODEL}", **MODEL_ITEM)
    account.put(
        "DE-weee", f"PREDICTIONS#{TRAINING['run']}#{MODEL}", predictions="s3://work-bucket/1/", digest="d1"
    )
    account.labelmill("retry", "--all")
    [run] = account.states.running()
    assert names.parse_run(run["run"]).purpose == "comparison"
    assert run["challenger"]["predictions"] == "s3://work-bucket/1/"


@pytest.mark.parametrize("run", [TEST, COMPARISON])
def test_of_a_model_whose_test_or_comparison_failed_only_that_run_is_listed(account, run):
    account.put("DE-weee", f"MODEL#{MODEL}", **MODEL_ITEM)
    account.failed("comparison" if run is COMPARISON else "inference", run)
    assert list(account.listed()) == [run["run"]]


@pytest.mark.parametrize("run", [TRAINING, TEST, COMPARISON])
def test_a_model_that_a_run_is_training_testing_or_comparing_is_not_listed(account, run):
    account.put("DE-weee", f"MODEL#{MODEL}", **MODEL_ITEM)
    machine = {"training": "Training", "test": "Inference"}.get(run.get("purpose"), "Comparison")
    account.states.start_execution(
        stateMachineArn=account.outputs[f"{machine}MachineArn"], name=run["run"], input=json.dumps(run)
    )
    assert account.listed() == {}


def test_a_model_decided_on_is_not_listed(account):
    account.put("DE-weee", f"MODEL#{MODEL}", **MODEL_ITEM)
    account.put("DE-weee", "DECISION#2026-11-05T08:00:00.000Z#run", model=MODEL)
    assert account.listed() == {}


NOTICE = {
    "group": {"S": "DE-weee"},
    "entry": {"S": f"NOTICE#{RUN['run']}#NotifyStakeholders"},
    "call": {"S": "sns:publish"},
    "request": {
        "M": {"TopicArn": {"S": "arn:aws:sns:eu-central-1:123456789012:gone"}, "Message": {"S": "hi"}}
    },
    "why": {"S": "SNS.InternalErrorException"},
    "kept_at": {"S": "2026-11-03T09:00:00.000Z"},
}


def test_a_notice_that_was_kept_is_listed_and_sent(account):
    topic = boto3.client("sns").create_topic(Name="stakeholders")["TopicArn"]
    request = {"M": NOTICE["request"]["M"] | {"TopicArn": {"S": topic}}}
    account.dynamodb.put_item(TableName="ledger", Item=NOTICE | {"request": request})
    [listed] = account.listed().values()
    assert listed["name"] == f"{RUN['run']}.NotifyStakeholders"
    assert (listed["group"], listed["error"]) == ("DE-weee", "SNS.InternalErrorException")
    assert account.labelmill("retry", "--run", listed["name"])[:2] == (0, f"{listed['name']}: sent\n")
    assert account.listed() == {}


def test_a_copy_that_was_put_off_is_listed_and_left_to_the_hourly_check_which_may_make_it(account):
    entry = {"entry": {"S": f"NOTICE#{RUN['run']}#PublishTable"}, "call": {"S": "s3:copyObject"}}
    account.dynamodb.put_item(TableName="ledger", Item=NOTICE | entry)
    [listed] = account.listed().values()
    assert listed["what"] == "copy that was not made"
    assert account.labelmill("retry", "--run", listed["name"])[0] == 0
    [(function, event)] = account.invoked
    assert (function, event["overdue"]) == ("labelmill-check-month", False)
    assert list(account.listed()) == [listed["name"]], "until it is made"


def test_a_notice_that_still_cannot_be_sent_stays_and_holds_nothing_else_back(account):
    account.dynamodb.put_item(TableName="ledger", Item=NOTICE)
    account.failed("inference", RUN)
    code, printed, complaint = account.labelmill("retry", "--all")
    assert code == 1 and "NotFound" in complaint and f"started {again(RUN)}" in printed
    assert f"{RUN['run']}.NotifyStakeholders" in account.listed()


# ---------------------------------------------------------------- the queues


def test_messages_that_are_looked_at_are_given_back(account):
    account.failed("inference", RUN)
    sent = len(account.messages("FailureQueueUrl"))
    with queues.held(account.sqs, [account.outputs["FailureQueueUrl"]]):
        assert account.messages("FailureQueueUrl") == []
    assert len(account.messages("FailureQueueUrl")) == sent == 1


def test_more_messages_than_one_answer_holds_are_all_found(account):
    for number in range(25):
        account.failed(
            "inference", RUN | {"run": names.run_name("DE-weee", "inference", "2026-10", str(number))}
        )
    assert len(account.listed()) == 25
    assert all(one["error"] == "RunFailed" for one in account.listed().values())


@pytest.mark.parametrize(
    ("queue", "message"),
    [
        ("EventsDeadLetterQueueUrl", {"detail-type": "Model Trained", "detail": "text"}),
        ("EventsDeadLetterQueueUrl", {"detail-type": "Model Trained", "detail": {"group": ["DE-weee"]}}),
        ("EventsDeadLetterQueueUrl", {"detail-type": ["Model Trained"], "detail": {}}),
        ("EventsDeadLetterQueueUrl", {"detail": {"state": "FAILED", "statementName": "somebody's"}}),
        ("EventsDeadLetterQueueUrl", {"detail": {"state": "FAILED", "statementName": 7}}),
        ("FailureQueueUrl", {"machine": "unload"}),
        ("FailureQueueUrl", STATEMENT | {"input": "text"}),
        ("FailureQueueUrl", {"run": [TRAINING["run"]], "error": "RunFailed"}),
        ("TrainingDeadLetterQueueUrl", "no JSON"),
        ("UnloadDeadLetterQueueUrl", {"purpose": "training", "scheduled_time": 3}),
    ],
)
def test_a_message_that_nobody_can_read_is_listed_beside_all_others(account, queue, message):
    account.failed("training", TRAINING)
    name = account.send(queue, message)
    assert account.listed().keys() == {name, TRAINING["run"]}
    assert account.labelmill("dismiss", name, "--reason", "nobody knows it")[0] == 0
    assert account.listed().keys() == {TRAINING["run"]}
