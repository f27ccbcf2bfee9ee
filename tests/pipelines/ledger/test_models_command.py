"""`labelmill models`: looking at the ledger, and changing a winner by hand."""

from datetime import UTC, datetime

import boto3
import pytest

from pipelines import stack
from pipelines.ledger import changing, reading
from tests import sent
from tests.pipelines.ledger.ledger_samples import FIRST, FOREIGN, GROUP, SECOND, THIRD, labelmill

WHY = ("--reason", "wrong codes for lamps")


def test_the_list_says_of_every_model_what_became_of_it(ledger, run):
    fourth, fifth = f"{GROUP}-2025-11-eeeeeeee", f"{GROUP}-2025-12-ffffffff"
    for model in (fourth, fifth):
        ledger.put_model(model)
    ledger.put_decision("2025-11-03T08:00:00.000Z", "KEEP", fourth, SECOND)
    ledger.put(
        f"APPROVAL#{GROUP}-comparison-2025-12-0f3a9c21d4e5",
        **{"model": fifth, "replaces": SECOND, "asked_at": "2099-12-03T08:00:00.000Z", "token": "t"},
    )
    code, out, _ = run("list")
    assert code == 0
    status = {line.split()[0]: line.split(maxsplit=5)[5] for line in out.splitlines()[1:]}
    assert status == {
        FIRST: "winner before",
        SECOND: "winner since 2025-09-03",
        THIRD: "not compared yet",
        fourth: "KEEP 2025-11-03",
        fifth: f"waiting for approval of {GROUP}-comparison-2025-12-0f3a9c21d4e5",
        FOREIGN: "not compared yet",
    }
    assert out.splitlines()[1].split()[:5] == [FIRST, "2025-08", "2025-08-02", "0.8750", "2025-08"]
    groups = {row["model"]: row["group"] for row in run("list", "--json")[1]}
    assert (groups[SECOND], groups[FOREIGN]) == (GROUP, FOREIGN.rsplit("-", 3)[0])


@pytest.mark.parametrize(
    ("asked_at", "replaces"), [("2020-01-01T00:00:00.000Z", SECOND), ("2099-01-01T00:00:00.000Z", FIRST)]
)
def test_an_approval_that_expired_or_that_another_winner_overtook_waits_no_more(
    ledger, run, asked_at, replaces
):
    asked = {"model": THIRD, "replaces": replaces, "asked_at": asked_at, "token": "t"}
    ledger.put(f"APPROVAL#{GROUP}-comparison-2025-10-0f3a9c21d4e5", **asked)
    statuses = {row["model"]: row["status"] for row in run("list", "--json")[1]}
    assert statuses[THIRD] == "not compared yet"


def test_the_history_tells_every_decision_with_its_evidence(ledger, run):
    code, out, _ = run("history", GROUP)
    assert code == 0
    _, second = out.rstrip().split("\n\n")
    assert second.splitlines() == [
        f"2025-09-03 23:59:59  PROMOTE  {SECOND} (winner before: {FIRST})",
        "    PROMOTE it is.",
        "    macro-F1 0.9000, against 0.8000, codebook 2025-08",
        "    decided by comparison",
        f"    evidence s3://work-bucket/{SECOND}.json sha256 bbbbbbbbbbbb",
    ]
    _, decisions, _ = run("history", GROUP, "--json")
    assert [(each["time"][:10], each["model"]) for each in decisions] == [
        ("2025-08-03", FIRST),
        ("2025-09-03", SECOND),
    ]


@pytest.mark.parametrize(
    ("day", "model"),
    [("2025-08-03", FIRST), ("2025-09-02", FIRST), ("2025-09-03", SECOND), ("2025-09-04", SECOND)],
)
def test_the_winner_on_a_day_is_the_one_at_its_end(ledger, run, day, model):
    assert run("winner", GROUP, "--on", day, "--json")[1]["model"] == model


def test_decisions_that_change_nothing_do_not_make_a_winner(ledger, run):
    for day, verdict in (("01", "KEEP"), ("02", "UNDECIDED"), ("03", "REJECT")):
        ledger.put_decision(f"2025-10-{day}T08:00:00.000Z", verdict, THIRD, SECOND)
    assert run("winner", GROUP, "--on", "2025-10-04")[1] == f"{SECOND} since 2025-09-03T23:59:59.999Z\n"
    assert run("winner", GROUP)[1] == f"{SECOND} since 2025-09-03T23:59:59.999Z\n"


def test_a_day_before_the_first_winner_or_yet_to_come_is_told(ledger, run):
    assert run("winner", GROUP, "--on", "2025-08-02") == (1, "", f"{GROUP} has no winner on 2025-08-02.\n")
    code, _, err = run("winner", GROUP, "--on", "2999-01-01")
    assert code == 1 and "in the future" in err
    assert run("winner", "IT-weee") == (1, "", "IT-weee has no winner now.\n")


def test_a_rollback_makes_the_earlier_winner_the_winner_and_says_who_and_why(ledger, run):
    code, decision, err = run("rollback", GROUP, "--to", FIRST, *WHY, "--by", "Anna", "--json")
    assert (code, err) == (0, "")
    assert ledger.item(decision["entry"]).keys() == decision.keys()
    expected = {
        **{"verdict": "ROLLBACK", "model": FIRST, "replaces": SECOND, "reason": WHY[1]},
        # What is known is the comparison of just these two, seen from the other side.
        **{"score": 0.8, "replaced_score": 0.9},
        **{"evidence": f"s3://work-bucket/{SECOND}.json", "evidence_digest": "bbbbbbbbbbbb"},
        **{"data_digest": f"data of {FIRST}", "code_digest": f"code of {FIRST}"},
        **{"codebook_version": "2025-08", "pinned_until": "released"},
    }
    assert expected.items() <= decision.items()
    assert decision["decided_by"].startswith("Anna (arn:aws:")
    winner = ledger.item("WINNER")
    assert (winner["model"], winner["decision"]) == (FIRST, decision["entry"])
    assert decision["entry"].split("#")[1] == winner["since"]
    assert run("winner", GROUP, "--json")[1]["model"] == FIRST
    assert run("history", GROUP, "--json")[1][-1]["verdict"] == "ROLLBACK"


def test_a_rollback_pins_its_model_until_it_is_released(ledger, run):
    assert run("rollback", GROUP, "--to", FIRST, *WHY, "--by", "Anna")[1] == (
        f"{FIRST} is now the winner of {GROUP}, instead of {SECOND}, and pinned until released.\n"
    )
    winner = ledger.item("WINNER")
    assert (winner["pinned_until"], winner["pinned_reason"]) == ("released", WHY[1])
    assert winner["pinned_by"].startswith("Anna (arn:aws:")
    said = run("winner", GROUP)[1]
    assert f", pinned by {winner['pinned_by']} until released: {WHY[1]}" in said
    assert run("winner", GROUP, "--json")[1]["pin"] in said
    assert "pinned until released" in run("list")[1] and "pinned until released" in run("history", GROUP)[1]

    since, made = winner["since"], winner["decision"]
    code, decision, err = run("release", GROUP, "--reason", "lamps are right", "--by", "Ben", "--json")
    assert (code, err) == (0, "")
    assert (decision["verdict"], decision["model"], decision["reason"]) == (
        "RELEASE",
        FIRST,
        "lamps are right",
    )
    assert ledger.item("WINNER") == {
        **{"group": GROUP, "entry": "WINNER", "model": FIRST, "since": since, "decision": made}
    }
    assert run("history", GROUP, "--json")[1][-1]["entry"] == decision["entry"]
    assert "pinned" not in run("winner", GROUP)[1]
    _, released = ledger.messages()
    assert released["Subject"] == f"RELEASE: {GROUP} 2025-08"
    assert f"{FIRST} stays the winner until a comparison replaces it.\n" in released["Message"]


def test_a_model_that_was_released_and_replaced_is_a_winner_before(ledger, run):
    run("rollback", GROUP, "--to", FIRST, *WHY)
    run("release", GROUP, *WHY)
    run("promote", GROUP, "--model", SECOND, *WHY)
    statuses = {row["model"]: row["status"] for row in run("list", "--json")[1]}
    assert statuses[FIRST] == "winner before"


def test_a_pin_with_a_day_ends_with_its_beginning(ledger, run):
    assert run("rollback", GROUP, "--to", FIRST, *WHY, "--until", "2999-12-31")[0] == 0
    assert ledger.item("WINNER")["pinned_until"] == "2999-12-31"
    winner = reading.read(ledger.client, ledger.table, GROUP).winner
    assert reading.pin(winner, datetime(2999, 12, 30, 23, 59, 59, tzinfo=UTC))
    assert not reading.pin(winner, datetime(2999, 12, 31, tzinfo=UTC))


def test_a_promotion_by_hand_ends_a_pin(ledger, run):
    run("rollback", GROUP, "--to", FIRST, *WHY)
    assert run("promote", GROUP, "--model", THIRD, *WHY)[0] == 0
    assert "pinned_until" not in ledger.item("WINNER")


def test_a_release_that_another_decision_was_faster_than_writes_nothing(ledger, run, monkeypatch):
    run("rollback", GROUP, "--to", FIRST, *WHY)
    read = reading.read

    def read_and_overtake(client, table, group):
        found = read(client, table, group)
        ledger.put("WINNER", model=SECOND, decision="DECISION#faster", since="2025-12-01", pinned_until="x")
        return found

    monkeypatch.setattr(reading, "read", read_and_overtake)
    code, _, err = run("release", GROUP, *WHY)
    assert code == 1 and "Another decision on DE-weee was faster. Nothing was written. Fix:" in err
    assert ledger.item("WINNER")["pinned_until"] == "x"
    assert not any("release" in entry for entry in ledger.entries())


def test_without_a_name_the_aws_identity_is_who_decided(ledger, run):
    decision = run("rollback", GROUP, "--to", FIRST, *WHY, "--json")[1]
    assert decision["decided_by"] == boto3.client("sts").get_caller_identity()["Arn"]


def test_promoting_a_model_that_was_never_compared_records_no_scores(ledger, run):
    code, out, _ = run("promote", GROUP, "--model", THIRD, "--reason", "agreed")
    assert (code, out) == (0, f"{THIRD} is now the winner of {GROUP}, instead of {SECOND}.\n")
    decision = ledger.item(ledger.item("WINNER")["decision"])
    assert (decision["verdict"], decision["model"]) == ("PROMOTE", THIRD)
    assert decision.keys().isdisjoint({"score", "replaced_score", "evidence"})


def test_a_group_without_a_winner_gets_its_first_one_by_promotion(ledger, run):
    assert run("promote", "IT-weee", "--model", FOREIGN, *WHY)[0] == 0
    assert run("winner", "IT-weee", "--json")[1]["model"] == FOREIGN


def test_an_older_codebook_is_warned_of(ledger, run):
    ledger.put("GROUP", codebook_version="2025-09", policy="{}")
    code, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert code == 0
    assert err.startswith(f"Warning: {FIRST} was trained under codebook 2025-08; the current one is 2025-09.")


def test_mlops_are_told_of_a_change_by_hand_as_they_are_of_a_comparison(ledger, run):
    decision = run("rollback", GROUP, "--to", FIRST, *WHY, "--by", "Anna", "--json")[1]
    [message] = ledger.messages()
    assert message["Subject"] == f"ROLLBACK: {GROUP} 2025-08"
    about = {"kind": "decision", "group": GROUP, "period": "2025-08", "verdict": "ROLLBACK"}
    assert sent.attributes(message) == about
    assert message["Message"].splitlines() == [
        f"ROLLBACK for {GROUP} 2025-08. {WHY[1]}",
        "",
        f"{FIRST} is now the winner, instead of {SECOND}.",
        f"Decided by {decision['decided_by']}.",
        "Pinned until released: no comparison replaces it. "
        f"To end that: labelmill models release {GROUP} --reason TEXT",
        f"Evidence: s3://work-bucket/{SECOND}.json",
        f"To roll back: labelmill models rollback {GROUP} --to {SECOND} --reason TEXT",
    ]


def test_a_reason_with_braces_is_told_as_it_was_given(ledger, run):
    run("rollback", GROUP, "--to", FIRST, "--reason", "{model} {0} labels {lamps wrongly")
    [message] = ledger.messages()
    assert message["Message"].startswith(
        f"ROLLBACK for {GROUP} 2025-08. {{model}} {{0}} labels {{lamps wrongly\n"
    )


def test_a_promotion_by_hand_of_a_first_winner_has_nothing_to_go_back_to(ledger, run):
    run("promote", "IT-weee", "--model", FOREIGN, *WHY)
    decision = ledger.item(ledger.item("WINNER", "IT-weee")["decision"], "IT-weee")
    assert decision["replaces"] == ""
    [message] = ledger.messages()
    assert message["Subject"] == "PROMOTE: IT-weee 2025-09"
    assert "is now the winner.\n" in message["Message"] and "To roll back" not in message["Message"]


def test_a_message_that_cannot_be_sent_does_not_undo_the_change(ledger, run):
    boto3.client("sns").delete_topic(TopicArn=ledger.topic)
    code, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert code == 0 and ledger.item("WINNER")["model"] == FIRST
    assert err.startswith("Warning: it is done, but MLOps could not be notified:")


def test_a_stack_without_a_topic_for_mlops_does_not_make_a_failure_of_what_is_done(ledger, run, monkeypatch):
    outputs = stack.outputs("labelmill", boto3.client("cloudformation"))
    monkeypatch.setattr(stack, "outputs", lambda *_: {"LedgerTable": outputs["LedgerTable"]})
    code, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert code == 0 and ledger.item("WINNER")["model"] == FIRST
    assert err.startswith("Warning: it is done, but MLOps could not be notified: the stack labelmill has no")


def test_a_stack_that_is_gone_once_the_change_is_done_does_not_make_a_failure_of_it(ledger, run, monkeypatch):
    record = changing.record

    def record_and_delete(*args):
        record(*args)
        boto3.client("cloudformation").delete_stack(StackName="labelmill")

    monkeypatch.setattr(changing, "record", record_and_delete)
    code, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert code == 0
    assert err.startswith(
        "Warning: it is done, but MLOps could not be notified: there is no stack 'labelmill'"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("rollback", GROUP, "--to", "nothing", *WHY),
            f"{GROUP} has no model nothing. Fix: name one of its models: {FIRST}, {SECOND}, {THIRD}.",
        ),
        (("rollback", GROUP, "--to", FOREIGN, *WHY), f"{FOREIGN} is a model of IT-weee, not of {GROUP}"),
        (("promote", GROUP, "--model", FOREIGN, *WHY), f"{FOREIGN} is a model of IT-weee, not of {GROUP}"),
        (("rollback", GROUP, "--to", SECOND, *WHY), f"{SECOND} is already the winner of {GROUP}, since 2025"),
        (("promote", GROUP, "--model", SECOND, *WHY), f"{SECOND} is already the winner of {GROUP}"),
        (("rollback", GROUP, "--to", THIRD, *WHY), f"{THIRD} was never the winner of {GROUP}"),
        (("rollback", GROUP, "--to", FIRST, *WHY, "--until", "2025-01-01"), "2025-01-01 is not later than"),
        (("release", GROUP, *WHY), f"The winner of {GROUP} is not pinned"),
        (("rollback", GROUP, "--to", FIRST, "--reason", " "), "The reason is empty"),
        (("rollback", "PL-weee", "--to", FIRST, *WHY), "Model group PL-weee is not known"),
        (("history", "PL-weee"), "Model group PL-weee is not known"),
    ],
)
def test_what_must_not_be_done_is_refused_and_nothing_is_written(ledger, run, words, sentence):
    before, winner = ledger.entries(), ledger.item("WINNER")
    code, out, err = run(*words)
    assert (code, out) == (1, "") and sentence in err
    assert (ledger.entries(), ledger.item("WINNER"), ledger.messages()) == (before, winner, [])


def test_a_rollback_that_loses_a_race_writes_nothing_and_says_who_won(ledger, run, monkeypatch):
    session = boto3.Session()

    def comparison_is_faster(**_):
        ledger.put_decision("2025-10-03T08:00:00.000Z", "PROMOTE", THIRD, SECOND)

    session.events.register("before-call.dynamodb.TransactWriteItems", comparison_is_faster)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    code, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert code == 1
    assert f"Another decision on {GROUP} was faster: the winner is {THIRD} and no longer {SECOND}" in err
    assert ledger.item("WINNER")["model"] == THIRD
    assert not any("rollback" in entry for entry in ledger.entries())


@pytest.mark.parametrize(("conflicts", "code"), [(4, 0), (5, 1)])
def test_a_transaction_that_meets_others_is_tried_again_and_no_lost_race(
    ledger, run, monkeypatch, conflicts, code
):
    left = iter(range(conflicts))

    def meet(**_):
        if next(left, None) is not None:
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
            error = {"Code": "TransactionCanceledException", "Message": "cancelled"}
            raise boto3.client("dynamodb").exceptions.TransactionCanceledException(
                {"Error": error, "CancellationReasons": reasons}, "TransactWriteItems"
            )

    session = boto3.Session()
    session.events.register("before-call.dynamodb.TransactWriteItems", meet)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    ended, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert ended == code
    assert ledger.item("WINNER")["model"] == (SECOND if code else FIRST)
    assert ("Fix: run the same command again" in err) is bool(code) and "was faster" not in err


def test_a_clock_that_is_behind_the_winner_is_refused(ledger, run):
    ledger.put("WINNER", model=SECOND, decision="", since="2999-01-01T00:00:00.000Z")
    code, _, err = run("rollback", GROUP, "--to", FIRST, *WHY)
    assert code == 1 and "set the clock" in err
    assert ledger.item("WINNER")["model"] == SECOND


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        (("models", "rollback", GROUP, *WHY), "--to"),
        (("models", "rollback", GROUP, "--to", FIRST), "--reason"),
        (("models", "promote", GROUP, *WHY), "--model"),
        (("reject", "DE-weee-comparison-2026-10-0f3a9c21d4e5"), "--reason"),
    ],
)
def test_what_a_decision_needs_is_asked_for(words, lacks, capsys):
    with pytest.raises(SystemExit) as ended:
        labelmill(*words)
    assert ended.value.code == 2
    assert f"the following arguments are required: {lacks}" in capsys.readouterr().err
