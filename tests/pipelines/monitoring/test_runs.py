"""`labelmill runs`: what runs, how far it is, why it failed, what its jobs logged."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines import cli, names
from pipelines.monitoring import watch
from pipelines.monitoring.steps import steps
from tests.pipelines.monitoring.histories import START, History

RUN = names.run_name("DE-weee", "training", "2026-10", "d1")
FRENCH = names.run_name("FR-weee", "inference", "2026-10", "d1")
PREPARE, PROCESSING = "DE-weee-2026-10-prepare-1a2b3c4d", "/aws/sagemaker/ProcessingJobs"


def start(account, name=RUN, machine="Training"):
    arn = account.outputs[f"{machine}MachineArn"]
    account.states.start_execution(stateMachineArn=arn, name=name, input=json.dumps({"run": name}))
    return account.states.executions[f"{arn.replace('stateMachine', 'execution')}:{name}"]


def recent(execution, hours=1):
    """Let an ended execution have ended an hour ago."""
    now = datetime.now(UTC)
    execution |= {"startDate": now - timedelta(hours=hours + 1), "stopDate": now - timedelta(hours=hours)}


# ---------------------------------------------------------------- steps


def test_steps_say_how_long_each_took_and_of_which_job_they_were():
    history = History().enters("GetGroup").leaves("GetGroup").does("Prepare", PREPARE, minutes=4)
    first, second = steps(history.events)
    assert (first.name, first.status, first.job) == ("GetGroup", "done", "")
    assert (second.job, second.log_group) == (PREPARE, PROCESSING)
    assert second.ended - second.since == timedelta(minutes=4)


def test_a_step_that_is_tried_again_is_under_way_and_has_the_job_of_its_last_try():
    history = History().enters("Prepare").asks("Prepare", "first").fails().asks("Prepare", "second")
    [step] = steps(history.events)
    assert (step.status, step.tries, step.job) == ("running", 2, "second")
    [step] = steps(history.fails().events)
    assert (step.status, step.ended) == ("running", None), "it waits for its third try"


def test_a_step_whose_failure_is_caught_has_failed():
    history = (
        History().enters("Prepare").asks("Prepare", PREPARE).fails().leaves("Prepare").enters("QueueFailure")
    )
    assert [(step.name, step.status) for step in steps(history.events)] == [
        ("Prepare", "failed"),
        ("QueueFailure", "running"),
    ]


def test_choices_and_passes_are_no_steps():
    history = History().enters("Known", "Choice").leaves("Known", kind="Choice").enters("Waits", "Wait")
    assert [step.name for step in steps(history.events)] == ["Waits"]


# ---------------------------------------------------------------- list and show


def test_the_list_has_the_state_of_what_runs_and_the_end_of_what_ended(account):
    start(account)
    account.states.histories[RUN] = History().does("Prepare", PREPARE).enters("Featurize").events
    ended = start(account, FRENCH, "Inference")
    account.states.end(FRENCH, "SUCCEEDED")
    recent(ended)
    code, out, _ = account.labelmill("runs", "list", "--json")
    german, french = json.loads(out)
    assert code == 0 and (german["run"], german["state"], german["jobs_done"], german["jobs"]) == (
        RUN,
        "Featurize",
        1,
        4,
    )
    assert german["expected_end"] is None, "no earlier run of the group"
    assert (french["status"], french["state"], french["since"]) == ("SUCCEEDED", None, french["ended"])
    printed = account.labelmill("runs", "list")[1]
    assert f"{RUN}   RUNNING    Featurize  " in printed and "2026-11-03 08:01" in printed
    assert FRENCH not in account.labelmill("runs", "list", "--group", "DE-weee")[1]


def test_what_ended_more_than_a_week_ago_is_in_the_whole_list_only(account):
    ended = start(account)
    account.states.end(RUN, "SUCCEEDED")
    recent(ended, hours=24 * 8)
    assert account.labelmill("runs", "list")[1].startswith("no runs in the last 7 days")
    assert RUN in account.labelmill("runs", "list", "--all")[1]


def test_the_expected_end_is_the_start_and_the_median_of_earlier_runs_of_the_group_and_purpose(account):
    for number, hours in enumerate((1, 2, 9)):
        name = names.run_name("DE-weee", "training", f"2026-0{number + 1}", "d1")
        start(account, name)
        account.states.end(name, "SUCCEEDED", stopDate=START + timedelta(hours=hours, minutes=number))
    start(account)
    start(account, names.run_name("DE-weee", "inference", "2026-10", "d1"), "Inference")
    found = {one["purpose"]: one for one in json.loads(account.labelmill("runs", "list", "--json")[1])}
    began = datetime.fromisoformat(found["training"]["started"])
    assert datetime.fromisoformat(found["training"]["expected_end"]) == began + timedelta(hours=2)
    assert found["inference"]["expected_end"] is None


def test_a_failed_run_is_shown_with_its_steps_the_jobs_own_sentence_and_the_end_of_its_log(account, log):
    start(account)
    history = History().does("Prepare", PREPARE, 3).enters("Featurize").asks("Featurize", "other").fails()
    account.states.histories[RUN] = history.leaves("Featurize", 2).enters("QueueFailure").events
    account.states.end(RUN, "FAILED", error="RunFailed", cause="row 3: no title. Fix: fill it in")
    log(PROCESSING, "other", *(f"line {number}" for number in range(30)))
    code, out, _ = account.labelmill("runs", "show", RUN)
    assert code == 0
    assert "why: row 3: no title. Fix: fill it in" in out and "labelmill failures --group DE-weee" in out
    assert "Prepare       done     3 min" in out and "Featurize     failed   3 min" in out
    assert "  line 29\n" in out and "line 10\n" in out and "line 9\n" not in out
    assert "log of other, in /aws/sagemaker/ProcessingJobs" in out
    assert (
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/"
        "log-group/$252Faws$252Fsagemaker$252FProcessingJobs$3FlogStreamNameFilter$3Dother" in out
    )
    shown = json.loads(account.labelmill("runs", "show", RUN, "--json")[1])
    assert [step["status"] for step in shown["steps"]] == ["done", "failed", "running"]
    assert shown["log"][-1] == "line 29" and shown["cause"].startswith("row 3")


def test_a_run_of_a_job_that_never_logged_is_shown_all_the_same(account):
    start(account)
    account.states.histories[RUN] = History().enters("Prepare").asks("Prepare", PREPARE).events
    out = account.labelmill("runs", "show", RUN)[1]
    assert "jobs done: 0 of 4; expected end: unknown" in out and "ProcessingJobs: nothing yet" in out


@pytest.mark.parametrize("verb", ["show", "logs"])
def test_an_unknown_run_is_refused_with_the_place_where_names_are(account, verb):
    code, _, complaint = account.labelmill("runs", verb, "nonsense")
    assert code == 1 and "there is no run 'nonsense'" in complaint and "labelmill runs list" in complaint


def test_a_group_of_another_form_is_a_usage_error_that_says_how_to_write_it(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["runs", "list", "--group", "germany"])
    assert ended.value.code == 2
    assert "'germany' is not a model group. Fix: write it like DE-weee" in capsys.readouterr().err


# ---------------------------------------------------------------- logs


def test_logs_come_in_order_each_line_behind_its_step(account, log):
    start(account)
    account.states.histories[RUN] = History().does("Prepare", PREPARE).does("Train", "train-1").events
    log(PROCESSING, PREPARE, "reading", "done\n")
    log("/aws/sagemaker/TrainingJobs", "train-1", "fitting")
    account.states.end(RUN, "SUCCEEDED")
    assert account.labelmill("runs", "logs", RUN) == (
        0,
        "Prepare | reading\nPrepare | done\nTrain | fitting\n",
        "",
    )


def test_following_goes_on_until_the_run_has_ended_and_shows_each_line_once(account, log, monkeypatch):
    start(account)
    account.states.histories[RUN] = History().enters("Prepare").asks("Prepare", PREPARE).events
    log(PROCESSING, PREPARE, "first")
    happens = iter(
        [
            lambda: log("/aws/sagemaker/TrainingJobs", "train-1", "second"),
            lambda: account.states.end(RUN, "SUCCEEDED"),
        ]
    )
    later = History().does("Prepare", PREPARE).does("Train", "train-1").events

    def sleep(seconds):
        account.states.histories[RUN] = later
        next(happens)()

    monkeypatch.setattr("time.sleep", sleep)
    assert account.labelmill("runs", "logs", RUN, "--follow")[:2] == (0, "Prepare | first\nTrain | second\n")


# ---------------------------------------------------------------- watch


def let(monkeypatch, *happens):
    """One thing happens at each pause between two looks; the pauses' seconds."""
    left, slept = list(happens), []

    def sleep(seconds):
        slept.append(seconds)
        if left:
            left.pop(0)()

    monkeypatch.setattr("time.sleep", sleep)
    return slept


def test_watch_tells_each_change_once_and_a_failure_with_its_sentence_and_ends_with_1(account, monkeypatch):
    start(account)
    account.states.histories[RUN] = History().enters("Prepare").asks("Prepare", PREPARE).events
    later = {RUN: History().does("Prepare", PREPARE).enters("Featurize").events}
    let(
        monkeypatch,
        lambda: None,
        lambda: account.states.histories.update(later),
        lambda: account.states.end(RUN, "FAILED", cause="row 3: no title", stopDate=datetime.now(UTC)),
    )
    code, out, _ = account.labelmill("runs", "watch")
    lines = out.splitlines()
    assert code == 1 and len(lines) == 5
    assert lines[0].endswith(f"{RUN} Prepare, 0 of 4 jobs done, expected end: unknown")
    assert lines[1].endswith(f"{RUN} Featurize, 1 of 4 jobs done, expected end: unknown")
    assert lines[2].endswith(f"{RUN} FAILED")
    assert lines[3] == "  why: row 3: no title"
    assert lines[4].startswith("nothing runs; labelmill failures says")


def test_watch_goes_on_for_a_while_when_nothing_runs_as_a_run_starts_the_next(account, monkeypatch):
    start(account)
    slept = let(
        monkeypatch,
        lambda: account.states.end(RUN, "SUCCEEDED", stopDate=datetime.now(UTC)),
        lambda: None,
        lambda: start(account, FRENCH, "Inference"),
        lambda: account.states.end(FRENCH, "SUCCEEDED", stopDate=datetime.now(UTC)),
    )
    code, out, _ = account.labelmill("runs", "watch")
    assert code == 0 and f"{FRENCH} SUCCEEDED" in out
    quiet = slept[4:]
    assert sum(quiet) < watch.QUIET_SECONDS <= sum(quiet) + watch.POLL_SECONDS


def test_watch_shows_the_runs_of_the_group_that_was_asked_for(account, monkeypatch):
    start(account)
    start(account, FRENCH, "Inference")
    let(monkeypatch, lambda: account.states.end(FRENCH, "SUCCEEDED", stopDate=datetime.now(UTC)))
    code, out, _ = account.labelmill("runs", "watch", "--group", "FR-weee")
    assert code == 0 and FRENCH in out and RUN not in out


def test_a_comparison_that_waits_for_a_person_says_so_instead_of_an_expected_end(account, monkeypatch):
    name = names.run_name("DE-weee", "comparison", "2026-10", "d1")
    start(account, name, "Comparison")
    account.states.histories[name] = History().enters("AwaitApproval").events
    let(monkeypatch, lambda: account.states.end(name, "SUCCEEDED", stopDate=datetime.now(UTC)))
    code, out, _ = account.labelmill("runs", "watch")
    assert code == 0 and "AwaitApproval, 0 of 1 jobs done, expected end: a person decides" in out
