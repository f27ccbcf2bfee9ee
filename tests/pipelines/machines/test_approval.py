"""The comparison machine where the group's policy wants a person to approve; the person uses the CLI."""

import argparse

import boto3
import pytest
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint

from pipelines.commands import approval, approve, reject
from tests import sent
from tests.pipelines.machines.definition_examples import (
    GROUP,
    GROUP_ITEM,
    INPUTS,
    MODEL,
    MODEL_ITEM,
    OLD_MODEL,
    OLD_MODEL_ITEM,
    PERIOD,
)

RUN_OF = INPUTS["comparison"]
RUN = RUN_OF["run"]
WEEK = 7 * 24 * 3600
NAMES = """
Resources: {Any: {Type: "AWS::SNS::Topic"}}
Outputs: {LedgerTable: {Value: ledger}}
"""


def labelmill(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in (approve, reject):
        module.add_parser(commands)
    args = parser.parse_args(words)
    return args.run(args)


class Mlops:
    """Whoever is to answer while the machine waits: `answer` is what they do; None: nothing for a week."""

    def __init__(self):
        self.answer = None
        self.waited_for: list[float] = []


@pytest.fixture
def mlops(monkeypatch):
    mlops = Mlops()
    wait = CallbackEndpoint.wait

    def ask(self, timeout=None):
        mlops.waited_for.append(timeout)
        if mlops.answer is None:
            return None
        mlops.answer()
        return wait(self, timeout=0)

    monkeypatch.setattr(CallbackEndpoint, "wait", ask)
    return mlops


@pytest.fixture
def cloud(cloud, mlops, monkeypatch):
    """An account with a winner, and a challenger that the comparison finds better if a person agrees."""
    for name, value in {
        **{"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"},
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("cloudformation").create_stack(StackName="labelmill", TemplateBody=NAMES)
    winner = {"entry": "WINNER", "model": OLD_MODEL, "since": "2026-09-05T08:00:00.000Z"}
    cloud.put(
        GROUP_ITEM | {"policy": {"S": '{"approval": true}'}},
        MODEL_ITEM,
        OLD_MODEL_ITEM,
        {"group": {"S": GROUP}} | {name: {"S": value} for name, value in winner.items()},
    )
    cloud.sagemaker.messages["processing.compare"]["approval"] = True
    return cloud


def test_an_approved_challenger_becomes_the_winner_and_the_approver_is_recorded(cloud, mlops):
    mlops.answer = lambda: labelmill("approve", RUN, "--by", "Anna", "--reason", "seen the  report")
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-7:] == [
        *("AskMlops", "AwaitApproval", "Answer", "Approved", "Verdict", "SwitchWinner", "NotifyMlops")
    ]
    [winner], [decision] = cloud.items("WINNER"), cloud.items("DECISION#")
    assert winner["model"] == MODEL and winner["decision"] == decision["entry"]
    assert decision["verdict"] == "PROMOTE"
    assert decision["decided_by"].startswith("Anna (arn:aws:")
    assert decision["reason"].startswith("Macro-F1 rose by 0.05. Approved by Anna (arn:aws:")
    assert decision["reason"].endswith(": seen the report")


def test_a_rejected_challenger_leaves_the_winner_and_the_reason_is_recorded(cloud, mlops):
    mlops.answer = lambda: labelmill("reject", RUN, "--reason", "two codes look odd")
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert run.states[-3:] == ["Rejected", "RecordRejection", "NotifyMlops"]
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL
    [decision] = cloud.items("DECISION#")
    assert (decision["verdict"], decision["evidence_digest"]) == ("KEEP", "e" * 64)
    said = "Not approved. The comparison said PROMOTE: Macro-F1 rose by 0.05."
    assert decision["reason"].startswith(f"{said} Rejected by arn:aws:")
    assert decision["reason"].endswith(": two codes look odd")
    assert cloud.received("Mlops")[-1]["Subject"] == f"KEEP: {GROUP} {PERIOD}"


def test_no_answer_for_a_week_means_no_and_is_not_asked_again(cloud, mlops):
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    assert mlops.waited_for == [WEEK]
    assert cloud.items("WINNER")[0]["model"] == OLD_MODEL
    [decision] = cloud.items("DECISION#")
    assert (decision["verdict"], decision["decided_by"]) == ("KEEP", "expiry")
    said = "Not approved. The comparison said PROMOTE: Macro-F1 rose by 0.05."
    assert decision["reason"] == f"{said} Nobody answered within 7 days, which means no."


def test_mlops_are_asked_with_the_evidence_and_both_commands_but_never_with_the_token(cloud, mlops):
    tokens = []
    mlops.answer = lambda: tokens.append(cloud.items("APPROVAL#")[0]["token"])
    cloud.run("comparison", RUN_OF)
    asked, decided = cloud.received("Mlops")
    assert asked["Subject"] == f"Approve? PROMOTE: {GROUP} {PERIOD}"
    lines = asked["Message"].splitlines()
    assert f"Yes: labelmill approve {RUN}" in lines
    assert f"No: labelmill reject {RUN} --reason TEXT" in lines
    assert f"Evidence: s3://work-bucket/runs/{GROUP}/{RUN}/evidence/comparison.json" in lines
    assert "challenger 0.91" in lines and "Macro-F1 rose by 0.05." in asked["Message"]
    about = {"group": GROUP, "period": PERIOD, "run": RUN}
    said = {"kind": "approval-wanted", "verdict": "PROMOTE", "approval": "wanted"}
    assert sent.attributes(asked) == about | said
    assert tokens[0] and tokens[0] not in str(asked) + str(decided)


def test_the_ledger_knows_by_its_digest_the_evidence_that_a_person_is_asked_to_read(cloud, mlops):
    digests = []
    mlops.answer = lambda: digests.append(cloud.items("APPROVAL#")[0]["evidence_digest"])
    cloud.run("comparison", RUN_OF)
    assert digests == ["e" * 64]


def test_a_first_winner_needs_approval_too(cloud, mlops):
    cloud.dynamodb.delete_item(TableName="ledger", Key={"group": {"S": GROUP}, "entry": {"S": "WINNER"}})
    cloud.sagemaker.messages["processing.compare"] |= {"verdict": "FIRST", "winner_score": 0.0}
    mlops.answer = lambda: labelmill("reject", RUN, "--reason", "not yet")
    first = {"winner": RUN_OF["challenger"] | {"model": ""}}
    run = cloud.run("comparison", RUN_OF | first)
    assert run.status == "SUCCEEDED", run.cause
    assert cloud.items("WINNER") == []
    assert cloud.items("DECISION#")[0]["verdict"] == "KEEP"


def test_an_approval_that_comes_after_another_winner_is_compared_with_that_one(cloud, mlops):
    faster = f"{GROUP}-2026-10-77777777"

    def approve_too_late():
        winner = {"group": GROUP, "entry": "WINNER", "model": faster}
        cloud.put({name: {"S": value} for name, value in winner.items()})
        labelmill("approve", RUN)

    mlops.answer = approve_too_late
    run = cloud.run("comparison", RUN_OF)
    assert run.states[-3:] == ["SwitchWinner", "Outdated", "AnnounceAgain"]
    assert cloud.items("WINNER")[0]["model"] == faster and cloud.items("DECISION#") == []


def test_a_no_holds_whoever_has_won_meanwhile(cloud, mlops):
    faster = f"{GROUP}-2026-10-77777777"

    def reject_too_late():
        winner = {"group": GROUP, "entry": "WINNER", "model": faster}
        cloud.put({name: {"S": value} for name, value in winner.items()})
        labelmill("reject", RUN, "--reason", "two codes look odd")

    mlops.answer = reject_too_late
    run = cloud.run("comparison", RUN_OF)
    assert (run.status, run.states[-2:]) == ("SUCCEEDED", ["RecordRejection", "NotifyMlops"])
    [decision] = cloud.items("DECISION#")
    assert (decision["model"], decision["verdict"], decision["replaces"]) == (MODEL, "KEEP", OLD_MODEL)
    assert cloud.items("WINNER")[0]["model"] == faster


@pytest.mark.parametrize(
    ("first", "second", "verdict"), [("approve", "reject", "PROMOTE"), ("reject", "approve", "KEEP")]
)
def test_of_two_who_answer_at_once_the_second_is_told_who_was_first_and_said_what(
    cloud, mlops, capsys, first, second, verdict
):
    codes = []

    def both():
        codes.append(labelmill(first, RUN, "--by", "Anna", "--reason", "seen the report"))
        codes.append(labelmill(second, RUN, "--by", "Ben", "--reason", "not sure"))

    mlops.answer = both
    run = cloud.run("comparison", RUN_OF)
    assert run.status == "SUCCEEDED", run.cause
    [decision] = cloud.items("DECISION#")
    assert decision["verdict"] == verdict and decision["decided_by"].startswith("Anna (arn:aws:")
    assert codes == [0, 1]
    told = capsys.readouterr().err
    word = {"approve": "approved", "reject": "rejected"}[first]
    assert f"\n{RUN} was {word} on 20" in told and "by Anna (arn:aws:" in told
    assert f": seen the report. Fix: see the outcome (labelmill models history {GROUP})." in told


def test_an_answer_that_did_not_get_as_far_as_the_machine_is_sent_by_the_next_one(cloud, mlops, monkeypatch):
    sent = approval.send

    def killed(asked):
        raise KeyboardInterrupt

    def first_is_killed():
        monkeypatch.setattr(approval, "send", killed)
        with pytest.raises(KeyboardInterrupt):
            labelmill("approve", RUN, "--by", "Anna", "--reason", "fine")
        monkeypatch.setattr(approval, "send", sent)
        assert labelmill("reject", RUN, "--by", "Ben", "--reason", "not sure") == 1

    mlops.answer = first_is_killed
    cloud.run("comparison", RUN_OF)
    [decision] = cloud.items("DECISION#")
    assert decision["verdict"] == "PROMOTE" and decision["decided_by"].startswith("Anna (arn:aws:")


def test_a_second_answer_is_told_what_was_decided(cloud, mlops, capsys):
    mlops.answer = lambda: labelmill("approve", RUN, "--reason", "fine")
    cloud.run("comparison", RUN_OF)
    assert labelmill("reject", RUN, "--reason", "changed my mind") == 1
    printed = capsys.readouterr().err
    assert f"{RUN} was decided on" in printed and "PROMOTE" in printed and printed.rstrip().endswith(": fine")
    assert cloud.items("WINNER")[0]["model"] == MODEL


def test_an_answer_to_a_run_that_was_stopped_says_that_nobody_waits(cloud, mlops, capsys):
    cloud.run("comparison", RUN_OF)
    [decision] = cloud.items("DECISION#")
    key = {name: {"S": decision[name]} for name in ("group", "entry")}
    cloud.dynamodb.delete_item(TableName="ledger", Key=key)
    assert labelmill("approve", RUN) == 1
    assert f"{RUN} is no longer waiting" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("last-night", "last-night is not a comparison"),
        (f"{GROUP}-comparison-2026-10-ffffffffffff", "is not waiting for approval"),
        ("XX-none-comparison-2026-10-ffffffffffff", "Model group XX-none is not known"),
    ],
)
def test_an_answer_to_what_does_not_ask_is_refused(cloud, capsys, run, sentence):
    assert labelmill("approve", run) == 1
    assert sentence in capsys.readouterr().err


def test_an_empty_reason_for_a_no_is_refused_and_the_machine_goes_on_waiting(cloud, mlops, capsys):
    mlops.answer = lambda: labelmill("reject", RUN, "--reason", " ")
    cloud.run("comparison", RUN_OF)
    assert "The reason is empty" in capsys.readouterr().err
    assert cloud.items("DECISION#")[0]["decided_by"] == "expiry"
