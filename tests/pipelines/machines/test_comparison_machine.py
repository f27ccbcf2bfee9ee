"""The comparison machine, executed."""

import contextlib

import pytest

from tests import sent
from tests.pipelines.machines.conftest import client
from tests.pipelines.machines.definition_examples import (
    GROUP,
    GROUP_ITEM,
    INPUTS,
    MODEL,
    MODEL_ITEM,
    OLD_MODEL,
    OLD_MODEL_ITEM,
    OLD_RUN,
    PERIOD,
    POLICY,
    RUN,
    SUBSTITUTIONS,
    WINNER,
)

RUN_OF = INPUTS["comparison"]
FIRST_RUN = RUN_OF | {"winner": RUN_OF["challenger"] | {"model": ""}}
FASTER = f"{GROUP}-2026-10-77777777"
EVIDENCE = f"s3://work-bucket/runs/{GROUP}/{RUN_OF['run']}/evidence/comparison.json"


@pytest.fixture
def cloud(cloud):
    """An account in which both models have been trained."""
    cloud.put(MODEL_ITEM, OLD_MODEL_ITEM)
    return cloud


def winner_item(model: str) -> dict:
    return WINNER | {"model": {"S": model}}


def decide(cloud, verdict: str) -> None:
    cloud.sagemaker.messages["processing.compare"]["verdict"] = verdict


def test_a_better_challenger_replaces_the_winner(cloud):
    cloud.put(winner_item(OLD_MODEL))
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Verdict", "SwitchWinner", "NotifyMlops"]
    assert "AskMlops" not in run.states
    [winner], [decision] = cloud.items("WINNER"), cloud.items("DECISION#")
    assert winner["model"] == MODEL
    assert winner["decision"] == decision["entry"] == f"DECISION#{winner['since']}#{RUN_OF['run']}"
    assert {name: decision[name] for name in ("verdict", "model", "replaces", "score", "replaced_score")} == {
        **{"verdict": "PROMOTE", "model": MODEL, "replaces": OLD_MODEL},
        **{"score": "0.91", "replaced_score": "0.86"},
    }
    assert decision["reason"] == "Macro-F1 rose by 0.05."


def test_a_decision_says_who_made_it_by_what_and_on_what(cloud):
    cloud.put(winner_item(OLD_MODEL))
    cloud.run("comparison", RUN_OF)
    [decision] = cloud.items("DECISION#")
    found = {
        **{"decided_by": "comparison", "policy": POLICY, "compared_by_code": SUBSTITUTIONS["CodeDigest"]},
        **{"evidence": EVIDENCE, "evidence_digest": "e" * 64},
        **{"data_digest": "d" * 64, "code_digest": "c0de" * 4, "codebook_version": "2026-10"},
    }
    assert found.items() <= decision.items()


@pytest.mark.parametrize("item", [MODEL_ITEM, OLD_MODEL_ITEM], ids=["challenger", "winner"])
def test_a_model_that_the_ledger_does_not_know_is_not_compared(cloud, item):
    cloud.dynamodb.delete_item(TableName="ledger", Key={name: item[name] for name in ("group", "entry")})
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "FAILED"
    name = item["entry"]["S"].removeprefix("MODEL#")
    assert f"no record of the model {name}: restore its item" in run.cause
    assert cloud.sagemaker.requests == []


def test_the_first_model_that_is_good_enough_becomes_the_winner(cloud):
    decide(cloud, "FIRST")
    cloud.sagemaker.messages["processing.compare"]["winner_score"] = 0.0
    run = cloud.run("comparison", FIRST_RUN)
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.items("WINNER")[0]["model"] == MODEL
    [decision] = cloud.items("DECISION#")
    assert decision["replaces"] == "" and "replaced_score" not in decision


@pytest.mark.parametrize("verdict", ["KEEP", "UNDECIDED", "REJECT"])
def test_any_other_verdict_leaves_the_winner_and_is_recorded(cloud, verdict):
    cloud.put(winner_item(OLD_MODEL))
    decide(cloud, verdict)
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Verdict", "RecordDecision", "NotifyMlops"]
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL
    [decision] = cloud.items("DECISION#")
    assert (decision["verdict"], decision["model"], decision["evidence"]) == (verdict, MODEL, EVIDENCE)


def test_mlops_read_the_verdict_in_the_subject_and_can_filter_by_it(cloud):
    cloud.put(winner_item(OLD_MODEL))
    decide(cloud, "KEEP")
    cloud.run("comparison", RUN_OF)
    [notice] = cloud.received("Mlops")
    assert notice["Subject"] == f"KEEP: {GROUP} {PERIOD}"
    of_run = {"group": GROUP, "period": PERIOD, "run": RUN_OF["run"]}
    assert sent.attributes(notice) == {"kind": "decision", "verdict": "KEEP", **of_run}
    assert notice["Message"].splitlines() == [
        f"KEEP for {GROUP} {PERIOD}. Macro-F1 rose by 0.05.",
        "",
        *("challenger 0.91", "winner 0.86", "20 test rows"),
        "",
        f"Evidence: {EVIDENCE}",
        f"Report: labelmill report comparison {RUN_OF['run']}",
    ]


def test_the_jury_gets_both_models_and_the_policy_of_the_group(cloud):
    cloud.put(winner_item(OLD_MODEL))
    cloud.run("comparison", RUN_OF)
    [request] = cloud.sagemaker.sent("CreateProcessingJob")
    arguments = request["AppSpecification"]["ContainerArguments"]
    assert dict(zip(arguments[::2], arguments[1::2], strict=True)) == {
        **{"--group": GROUP, "--period": PERIOD, "--run": RUN_OF["run"]},
        **{"--challenger": MODEL, "--winner": OLD_MODEL, "--policy": POLICY},
        **{f"--{role}-digest": RUN_OF[role]["digest"] for role in ("challenger", "winner")},
        "--codebook-digest": "cb" * 32,
        "--undecided": "2026-08,2026-09",
    }


def inputs(request: dict) -> dict[str, str]:
    return {each["InputName"]: each["S3Input"]["S3Uri"] for each in request["ProcessingInputs"]}


def test_the_jury_is_told_which_rows_each_model_was_trained_on(cloud):
    cloud.put(winner_item(OLD_MODEL))
    cloud.run("comparison", RUN_OF)
    given = inputs(cloud.sagemaker.sent("CreateProcessingJob")[0])
    assert given["challenger-trained"] == f"s3://work-bucket/runs/{GROUP}/{RUN}/report/"
    assert given["winner-trained"] == f"s3://work-bucket/runs/{GROUP}/{OLD_RUN}/report/"


def test_a_first_model_stands_in_for_the_winner_that_is_not_there_as_no_input_may_be_empty(cloud):
    decide(cloud, "FIRST")
    run = cloud.run("comparison", FIRST_RUN)
    assert "GetWinner" not in run.states
    given = inputs(cloud.sagemaker.sent("CreateProcessingJob")[0])
    assert (
        given["winner-trained"]
        == given["challenger-trained"]
        == f"s3://work-bucket/runs/{GROUP}/{RUN}/report/"
    )


@pytest.mark.parametrize(
    ("run", "verdict", "faster"),
    [
        *((RUN_OF, verdict, FASTER) for verdict in ("PROMOTE", "KEEP", "UNDECIDED", "REJECT")),
        *((FIRST_RUN, verdict, OLD_MODEL) for verdict in ("FIRST", "REJECT")),
    ],
)
def test_a_winner_that_changed_meanwhile_is_not_overwritten_but_compared_with_anew(
    cloud, run, verdict, faster
):
    cloud.put(winner_item(faster))
    decide(cloud, verdict)
    done = cloud.run("comparison", run)
    assert done.status == "SUCCEEDED", done.cause
    assert done.states[-2:] == ["Outdated", "AnnounceAgain"]
    assert cloud.items("WINNER")[0]["model"] == faster
    assert cloud.items("DECISION#") == [] and cloud.received("Mlops") == []
    [(kind, detail)] = cloud.events()
    assert kind == "Inference Completed"
    assert detail == {
        "version": "1",
        **{name: run[name] for name in ("group", "period", "run", "test_set")},
        **{"purpose": "test", "model": MODEL, "challenger": MODEL},
        "dataset": f"s3://work-bucket/runs/{GROUP}/{RUN}/test/",
        "predictions": run["challenger"]["predictions"],
    }


def pinned(until: str, model: str = OLD_MODEL) -> dict:
    pin = {"pinned_until": until, "pinned_by": "Anna", "pinned_reason": "wrong codes for lamps"}
    return winner_item(model) | {name: {"S": value} for name, value in pin.items()}


@pytest.mark.parametrize("until", ["released", "2999-12-31"])
@pytest.mark.parametrize("approval", [False, True])
def test_a_pinned_winner_stays_and_what_would_have_been_is_recorded_and_told(cloud, until, approval):
    cloud.put(pinned(until))
    cloud.sagemaker.messages["processing.compare"]["approval"] = approval
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Verdict", "RecordDecision", "NotifyMlops"] and "AskMlops" not in run.states
    [winner], [decision] = cloud.items("WINNER"), cloud.items("DECISION#")
    assert (winner["model"], winner["pinned_until"]) == (OLD_MODEL, until)
    said = (
        "Macro-F1 rose by 0.05. Would have been promoted, but the winner is pinned by Anna "
        f"until {until}: wrong codes for lamps"
    )
    assert (decision["verdict"], decision["model"], decision["decided_by"], decision["reason"]) == (
        *("KEEP", MODEL, "pin", said),
    )
    [notice] = cloud.received("Mlops")
    assert notice["Subject"] == f"KEEP: {GROUP} {PERIOD}" and said in notice["Message"]


def test_a_pin_whose_day_has_come_holds_no_more(cloud):
    cloud.put(pinned("2020-01-01"))
    run = cloud.run("comparison", RUN_OF)
    assert run.states[-2:] == ["SwitchWinner", "NotifyMlops"], run.cause
    [winner] = cloud.items("WINNER")
    assert winner["model"] == MODEL and "pinned_until" not in winner


def test_a_verdict_that_changes_nothing_is_not_a_pins_doing(cloud):
    cloud.put(pinned("released"))
    decide(cloud, "UNDECIDED")
    cloud.run("comparison", RUN_OF)
    [decision] = cloud.items("DECISION#")
    assert (decision["verdict"], decision["decided_by"]) == ("UNDECIDED", "comparison")


def test_a_pin_that_comes_after_the_look_is_seen_by_the_transaction(cloud):
    """A rollback to another model and one back again: the winner is the one that was compared, but pinned."""
    cloud.put(winner_item(OLD_MODEL))
    late = pinned("released")
    events, name = client("dynamodb").meta.events, "before-call.dynamodb.TransactWriteItems"

    def pin(**_):
        events.unregister(name, pin)
        cloud.put(late)

    events.register(name, pin)
    run = cloud.run("comparison", RUN_OF)
    assert (run.status, run.states[-2:]) == ("SUCCEEDED", ["Outdated", "AnnounceAgain"]), run.cause
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL and cloud.items("DECISION#") == []


@pytest.mark.parametrize("verdict", ["PROMOTE", "KEEP"])
@pytest.mark.parametrize(
    "published",
    [{"codebook_version": "2026-11"}, {"policy": '{"approval": true}'}],
    ids=["codebook", "policy"],
)
def test_what_was_compared_under_another_codebook_or_policy_is_compared_anew(cloud, verdict, published):
    cloud.put(winner_item(OLD_MODEL))
    decide(cloud, verdict)
    new = GROUP_ITEM | {name: {"S": value} for name, value in published.items()}
    cloud.sagemaker.on_wait = lambda: cloud.put(new)
    run = cloud.run("comparison", RUN_OF)
    assert (run.status, run.states[-2:]) == ("SUCCEEDED", ["Outdated", "AnnounceAgain"])
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL
    assert cloud.items("DECISION#") == [] and cloud.received("Mlops") == []


@contextlib.contextmanager
def transactions(hook: str, *errors: tuple[str, str] | None):
    """Let the next transactions fail: `hook` is before-call or after-call, an error its code and message."""
    planned = list(errors)

    def fail(**_):
        error = planned.pop(0) if planned else None
        if error:
            meta = {"HTTPStatusCode": 400, "RequestId": "1"}
            said = dict(zip(("Code", "Message"), error, strict=True))
            kind = client("dynamodb").exceptions.from_code(said["Code"])
            raise kind({"Error": said, "ResponseMetadata": meta}, "TransactWriteItems")

    events, name = client("dynamodb").meta.events, f"{hook}.dynamodb.TransactWriteItems"
    events.register(name, fail)
    try:
        yield planned
    finally:
        events.unregister(name, fail)


def cancelled(*reasons: str) -> tuple[str, str]:
    said = "Transaction cancelled, please refer cancellation reasons for specific reasons"
    return "TransactionCanceledException", f"{said} [{', '.join(reasons)}]"


def test_transactions_that_meet_are_tried_again_and_taken_for_no_lost_race(cloud):
    cloud.put(winner_item(OLD_MODEL))
    conflict = cancelled("TransactionConflict", "None", "None")
    with transactions("before-call", *[conflict] * 5):
        run = cloud.run("comparison", RUN_OF)
    assert (run.status, run.states[-2:]) == ("SUCCEEDED", ["SwitchWinner", "NotifyMlops"])
    assert cloud.items("WINNER")[0]["model"] == MODEL


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ValidationError"])
def test_a_transaction_cancelled_for_no_conditions_sake_fails_the_run(cloud, reason):
    cloud.put(winner_item(OLD_MODEL))
    with transactions("before-call", *[cancelled("None", reason, "None")] * 50):
        run = cloud.run("comparison", RUN_OF)
    assert run.status == "FAILED" and reason in run.cause
    assert "Outdated" in run.states and cloud.events() == []
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL and cloud.items("DECISION#") == []


@pytest.mark.parametrize("verdict", ["PROMOTE", "KEEP"])
def test_a_decision_whose_answer_was_lost_is_recorded_once_and_told(cloud, verdict):
    cloud.put(winner_item(OLD_MODEL))
    decide(cloud, verdict)
    with transactions("after-call", ("InternalServerError", "lost")):
        run = cloud.run("comparison", RUN_OF)
    assert (run.status, run.states[-1]) == ("SUCCEEDED", "NotifyMlops"), run.cause
    [decision] = cloud.items("DECISION#")
    assert decision["verdict"] == verdict
    assert cloud.items("WINNER")[0]["model"] == (MODEL if verdict == "PROMOTE" else OLD_MODEL)


def test_a_ledger_that_is_gone_is_a_failure_and_no_lost_race(cloud):
    cloud.put(winner_item(OLD_MODEL))
    cloud.sagemaker.on_wait = lambda: cloud.dynamodb.delete_table(TableName="ledger")
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "FAILED"
    assert cloud.events() == [] and len(cloud.received("failures")) == 1


def test_a_failed_comparison_is_told_in_its_own_words(cloud):
    sentence = "The challenger has labelled 20 test rows, the winner 19."
    cloud.sagemaker.plan("CreateProcessingJob", {"ExitMessage": sentence})
    run = cloud.run("comparison", RUN_OF)
    assert (run.status, run.cause) == ("FAILED", sentence)
    assert cloud.received("failures")[0]["machine"] == "comparison"


def test_what_is_in_braces_and_is_no_jobs_description_is_told_as_it_is(cloud):
    """To read it as JSON would fail the run before anybody is told."""
    events = client("dynamodb").meta.events

    def refuse(**_):
        raise ConnectionError("{no} answer: {}")

    events.register("before-call.dynamodb.GetItem", refuse)
    try:
        run = cloud.run("comparison", RUN_OF)
    finally:
        events.unregister("before-call.dynamodb.GetItem", refuse)
    assert (run.status, run.cause) == ("FAILED", "{no} answer: {}")
    assert len(cloud.received("failures")) == len(cloud.received("Operators")) == 1
