"""`labelmill month`, `deliveries` and `order`: how far a month is, what has landed, asking again."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines import cli, names, runs
from pipelines.commands.month import answer
from pipelines.handlers.check_month import unfinished
from pipelines.handlers.ledger import Ledger
from pipelines.monitoring import month
from pipelines.warehouse import unload

PERIOD = "2026-10"
MODEL = "DE-weee-2026-10-1a2b3c4d"
KEY = names.DATASET.format(purpose="{}", group="DE-weee", period=PERIOD, delivery="d1") + "{}"


def run_name(purpose, digest="d1"):
    return names.run_name("DE-weee", purpose, PERIOD, digest)


def start(account, machine, name, **given):
    arn = account.outputs[f"{machine}MachineArn"]
    account.states.start_execution(stateMachineArn=arn, name=name, input=json.dumps({"run": name} | given))
    return name


def land(account, purpose, file="manifest"):
    account.s3.put_object(Bucket="landing", Key=KEY.format(purpose, file), Body=b"{}")


def group_now(account):
    code, out, _ = account.labelmill("month", PERIOD, "--json")
    assert code == 0
    [group] = json.loads(out)["groups"]
    # What the hourly check calls done is what is called done here.
    left = dict(unfinished(Ledger(account.dynamodb, "ledger").month(PERIOD), lambda group: False))
    assert group["is_done"] == ("DE-weee" not in left)
    return group["labels"], group["model"], group["next_step"]


def train(account):
    training = start(account, "Training", run_name("training"))
    account.states.end(training, "SUCCEEDED")
    item = {"run": training, "period": PERIOD, "test_set": training, "trained_at": "2026-11-01T08:00:00.000Z"}
    account.put("DE-weee", f"MODEL#{MODEL}", **item)


def test_a_group_comes_from_missing_over_delivered_and_running_to_done(account):
    assert group_now(account) == ("missing", "missing", "labelmill order DE-weee 2026-10")
    land(account, "training")
    assert group_now(account) == (
        "missing",
        "delivered",
        "labelmill order DE-weee 2026-10 --purpose inference",
    )
    training = start(account, "Training", run_name("training"))
    land(account, "inference")
    assert group_now(account) == ("delivered", "training", "")
    account.states.end(training, "SUCCEEDED")
    item = {"run": training, "period": PERIOD, "test_set": training, "trained_at": "2026-11-01T08:00:00.000Z"}
    account.put("DE-weee", f"MODEL#{MODEL}", **item)
    assert group_now(account) == ("delivered", "trained", "")
    inference = start(account, "Inference", run_name("inference"))
    test = start(account, "Inference", run_name("test"), challenger=MODEL)
    assert group_now(account) == ("labelling", "testing", "")
    for name in (inference, test):
        account.states.end(name, "SUCCEEDED")
    account.put("DE-weee", f"MONTH#{PERIOD}", run=inference)
    comparison = start(account, "Comparison", run_name("comparison"), challenger={"model": MODEL})
    assert group_now(account) == ("labelled", "comparing", "")
    asked_at = datetime.now(UTC).isoformat()
    account.put("DE-weee", f"APPROVAL#{comparison}", model=MODEL, replaces="", asked_at=asked_at)
    assert group_now(account) == ("labelled", "waits for a person", f"labelmill approve {comparison}")
    [group] = json.loads(account.labelmill("month", PERIOD, "--json")[1])["groups"]
    assert datetime.fromisoformat(group["answer_by"]) - datetime.fromisoformat(asked_at) == timedelta(days=7)
    account.put("DE-weee", f"DECISION#2026-11-05T08:00:00.000Z#{comparison}", model=MODEL, verdict="FIRST")
    assert group_now(account) == ("labelled", "FIRST", "")


@pytest.mark.parametrize(
    ("machine", "purpose", "shown"),
    [
        ("Training", "training", ("missing", "failed")),
        ("Inference", "inference", ("failed", "missing")),
    ],
)
def test_a_failed_run_is_said_until_it_runs_again(account, machine, purpose, shown):
    name = start(account, machine, run_name(purpose))
    account.states.end(name, "FAILED")
    assert group_now(account) == (*shown, "labelmill failures --group DE-weee")
    start(account, machine, runs.again({"run": name})["run"])
    assert "failed" not in group_now(account)


@pytest.mark.parametrize(("machine", "purpose"), [("Inference", "test"), ("Comparison", "comparison")])
def test_a_failed_test_or_comparison_of_the_model_is_said(account, machine, purpose):
    train(account)
    challenger = MODEL if purpose == "test" else {"model": MODEL}
    account.states.end(start(account, machine, run_name(purpose), challenger=challenger), "TIMED_OUT")
    assert group_now(account)[1] == "failed"


def test_a_training_that_found_nothing_new_and_an_order_without_rows_leave_nothing_to_do(account):
    account.states.end(start(account, "Training", run_name("training")), "SUCCEEDED")
    account.put("DE-weee", f"NOITEMS#inference#{PERIOD}", found_at="2026-11-03T05:00:00Z")
    assert group_now(account) == ("no items", "nothing new", "")


def test_the_month_says_until_when_and_what_time_is_left_and_leaves_out_the_retired(account):
    account.put("GB-weee", "GROUP", retired_at="2026-10-20T08:00:00.000Z")
    past = account.labelmill("month", PERIOD)[1]
    assert past.startswith("2026-10: 0 of 1 groups done, due 2026-11-10 08:00 UTC, ")
    assert "GB-weee" not in past and "labelmill order DE-weee 2026-10" in past
    assert "groups done, due " in account.labelmill("month")[1]


@pytest.mark.parametrize(
    ("period", "zone", "due"),
    [
        ("2026-10", "UTC", datetime(2026, 11, 10, 8, tzinfo=UTC)),
        ("2026-12", "Europe/Berlin", datetime(2027, 1, 10, 7, tzinfo=UTC)),
    ],
)
def test_a_month_is_due_on_the_day_of_the_next_on_the_clocks_of_the_zone(period, zone, due):
    assert month.deadline(period, zone, 10, 8) == due


@pytest.mark.parametrize("left", [timedelta(days=2), -timedelta(days=2)])
def test_time_left_and_time_overdue_are_told_apart(account, monkeypatch, left):
    monkeypatch.setattr(month, "deadline", lambda *_: datetime.now(UTC) + left + timedelta(minutes=1))
    assert ("2 d left" if left > timedelta(0) else "overdue for 1 d 23 h") in account.labelmill("month")[1]


NOW, DUE = datetime(2026, 11, 3, 9, tzinfo=UTC), datetime(2026, 11, 10, 8, tzinfo=UTC)


def line(*groups, due=DUE, wrong_keys=()):
    return answer(month.Standing(PERIOD, list(groups), due, list(wrong_keys), NOW))


def of_group(name, labels, model, is_done=False, **more):
    return month.GroupMonth(name, labels, model, is_done, "", **more)


def test_the_months_line_says_that_it_is_done():
    assert line(of_group("DE-weee", "labelled", "KEEP", is_done=True)) == (
        "Done: 1 of 1 groups, due 2026-11-10 08:00 UTC. "
        "No model, delivery or failure needs a person. As of 2026-11-03 09:00 UTC."
    )


def test_the_months_line_says_what_needs_a_person_and_by_when():
    said = line(
        of_group("DE-weee", "labelled", "waits for a person", answer_by="2026-11-06T04:05:00+00:00"),
        of_group("ES-weee", "failed", "KEEP"),
        of_group("FR-weee", "missing", "missing"),
        of_group("IT-weee", "labelled", "missing"),
        of_group("NL-weee", "missing", "training"),
        of_group("PL-weee", "missing", "missing"),
        wrong_keys=["s3://landing/training/DE/manifest is wrong. Fix: move it."],
    )
    assert said == (
        "Not done: 0 of 6 groups, due 2026-11-10 08:00 UTC, 6 d 23 h left. A person is needed: "
        "approve or reject: DE-weee by 2026-11-06 04:05 UTC; failed: ES-weee; "
        "not delivered: FR-weee, IT-weee (training rows), NL-weee (items) and 1 more; under a wrong key: 1 "
        "(labelmill month 2026-10). As of 2026-11-03 09:00 UTC."
    )


def test_the_months_line_says_that_it_goes_on_by_itself_and_nothing_of_a_deadline_that_is_not_known():
    said = line(of_group("DE-weee", "labelling", "trained"), due=None)
    assert said == "Not done: 0 of 1 groups. The rest runs by itself. As of 2026-11-03 09:00 UTC."


# ---------------------------------------------------------------- deliveries


def test_deliveries_are_listed_with_their_files_and_the_run_that_each_started(account):
    account.s3.put_bucket_versioning(Bucket="landing", VersioningConfiguration={"Status": "Enabled"})
    for file in ("a.parquet", "b.parquet", "manifest"):
        land(account, "training", file)
    land(account, "inference")
    version = account.s3.head_object(Bucket="landing", Key=KEY.format("training", "manifest"))["VersionId"]
    run = runs.landed("training", "landing", KEY.format("training", "manifest"), version, "-")["run"]
    account.states.end(start(account, "Training", run), "FAILED")
    again = start(account, "Training", runs.again({"run": run})["run"])
    code, out, _ = account.labelmill("deliveries", "list", "--period", PERIOD, "--json")
    training, inference = sorted(json.loads(out), key=lambda one: one["files"], reverse=True)
    assert code == 0 and (training["files"], training["size"], training["delivery"]) == (2, 4, "d1")
    assert (training["run"], training["status"]) == (again, "RUNNING"), "made again"
    assert (inference["run"], inference["files"]) == ("", 0)
    printed = account.labelmill("deliveries", "list", "--period", PERIOD)[1]
    assert again in printed and "no run" in printed
    assert account.labelmill("deliveries", "list", "--period", "2026-09")[1] == (
        "no dataset of 2026-09 has landed\n"
    )
    account.put("FR-weee", "GROUP", codebook_version="2026-10")
    assert account.labelmill("deliveries", "list", "--period", PERIOD, "--group", "FR-weee")[1].startswith(
        "no "
    )


def test_without_versions_in_the_bucket_the_run_is_found_all_the_same(account):
    land(account, "training")
    key = KEY.format("training", "manifest")
    tag = account.s3.head_object(Bucket="landing", Key=key)["ETag"].strip('"')
    run = start(account, "Training", runs.landed("training", "landing", key, tag, "-")["run"])
    assert run in account.labelmill("deliveries", "list", "--period", PERIOD)[1]


def test_a_manifest_under_a_wrong_key_is_told_with_the_fix_whatever_month_is_asked_for(account):
    account.s3.put_object(Bucket="landing", Key="training/DE/2026-10/d1/manifest", Body=b"{}")
    for words in (["deliveries", "list", "--period", "2026-09"], ["month", "2026-09"]):
        code, out, _ = account.labelmill(*words)
        assert code == 0 and "wrong key: s3://landing/training/DE/2026-10/d1/manifest" in out
        assert "Fix: name that folder like DE-weee" in out


# ---------------------------------------------------------------- order


def test_an_order_asks_for_both_datasets_of_a_group_under_one_new_delivery(account):
    code, out, _ = account.labelmill("order", "DE-weee", PERIOD)
    assert code == 0 and "ordered: training DE-weee 2026-10" in out
    training, inference = account.messages("UnloadQueueUrl")
    assert training | {"purpose": "inference"} == inference
    assert (training["purpose"], training["groups"], training["period"]) == ("training", ["DE-weee"], PERIOD)
    assert f"delivery {training['delivery']}" in out


def test_an_order_can_be_for_one_purpose(account):
    account.labelmill("order", "DE-weee", PERIOD, "--purpose", "inference")
    [body] = account.messages("UnloadQueueUrl")
    order = unload.read_order(json.dumps(body), "UTC")  # as the function that takes it does
    assert (order.purpose, order.period, order.groups) == ("inference", PERIOD, ("DE-weee",))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["XX-weee", PERIOD], "Model group XX-weee is not known. Fix: name one of DE-weee, GB-weee"),
        (["GB-weee", PERIOD], "GB-weee is retired. Fix: labelmill groups revive GB-weee"),
        (["DE-weee", f"{datetime.now(UTC):%Y-%m}"], " has not ended. Fix: order a month up to "),
    ],
)
def test_what_cannot_be_ordered_is_refused_and_nothing_is_sent(account, words, complaint):
    account.put("GB-weee", "GROUP", retired_at="2026-10-20T08:00:00.000Z")
    code, _, told = account.labelmill("order", *words)
    assert code == 1 and complaint in told
    assert account.messages("UnloadQueueUrl") == []


@pytest.mark.parametrize("words", [["de-weee", PERIOD], ["DE-weee", "October"], ["DE-weee"]], ids=" ".join)
def test_an_order_of_another_form_is_a_usage_error(words):
    with pytest.raises(SystemExit) as ended:
        cli.main(["order", *words])
    assert ended.value.code == 2
