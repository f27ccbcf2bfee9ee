"""Compare: two models, the same test rows, a verdict with its evidence."""

import json
import re
from shutil import copytree

import pyarrow.parquet as pq
import pytest

from processing.dataset import doubtful_rows
from processing.digests import sha256
from tests.processing.compared_models import (
    CHALLENGER,
    WINNER,
    evidence,
    publish,
    rows_of_a_test,
    run_compare,
)
from tests.processing.job_folders import CODEBOOK, GROUP, PERIOD, JobFailed


def refusal(job, **more) -> str:
    with pytest.raises(JobFailed) as failed:
        run_compare(job, **more)
    assert not list(job.output("evidence").rglob("*"))
    return str(failed.value)


@pytest.fixture
def pair(job):
    """Publish both models' labels of the same rows, the winner's in another order."""

    def write(challenger_wrong, winner_wrong):
        rows = rows_of_a_test()
        publish(job, "challenger", CHALLENGER, rows, challenger_wrong)
        publish(job, "winner", WINNER, rows, winner_wrong)
        return job

    return write


def test_without_a_winner_the_first_model_becomes_it(pair):
    job = pair(range(0, 90), None)
    message = run_compare(job, winner="")
    assert message == {
        "verdict": "FIRST",
        "reason": "The group has no winner yet, so this model becomes its first.",
        "rows": 900,
        "score": pytest.approx(0.9),
        "winner_score": 0.0,
        "evidence_digest": sha256(job.output("evidence") / "comparison.json"),
        "approval": False,
        "summary": "\n".join(
            [
                "            macro-F1  accuracy  model",
                f"challenger    0.9000    0.9000  {CHALLENGER}",
                "By the policy (85 % of these right) 99.0 % of the test rows need no person: 89.9 % of these "
                "were right, of all with people's decisions 90.0 %.",
                "900 test rows, 900 distinct texts",
                "Confused most, of 90 wrong rows: 1 and 2 (30): label more rows of 1 and 2.",
                "By one threshold, on test rows alone: 0.0 % at 98 %, 0.0 % at 95 %, 0.0 % at 90 % right "
                "without a person (at best 0.0, 0.0, 100.0); the policy's are by code.",
            ]
        ),
    }
    assert (evidence(job)["winner"], evidence(job)["questions"]) == (None, [])


def test_the_summary_sets_both_models_side_by_side(pair):
    message = run_compare(pair(range(0, 30), range(0, 120)))
    assert message["summary"].splitlines() == [
        "            macro-F1  accuracy  model",
        f"challenger    0.9667    0.9667  {CHALLENGER}",
        f"winner        0.8667    0.8667  {WINNER}",
        AnyText(r"difference   \+0.1000   \+0.1000  98 % interval of macro-F1 \+0.07\d\d to \+0.12\d\d"),
        "Labelled without a person: winner 99.0 % (86.5 % right, of all 86.7 %), "
        "challenger 99.0 % (96.6 % right, of all 96.7 %); "
        "promised 85 % right",
        "900 test rows, 900 distinct texts",
        "Confused most, of 30 wrong rows: 1 and 2 (10): label more rows of 1 and 2.",
        AnyText(r"By one threshold, on test rows alone: 0.0 % at 98 %, 100.0 % at 95 %, 100.0 % .*…"),
    ]


@pytest.mark.parametrize(("unsure", "warned"), [(900, True), (899, False)])
def test_the_summary_says_where_the_challenger_labels_nothing_by_itself(pair, job, unsure, warned):
    pair(range(0, 30), range(0, 120))
    publish(job, "challenger", CHALLENGER, rows_of_a_test(), range(0, 30), unsure=unsure)
    message = run_compare(job)
    sentence = (
        f"\n{CHALLENGER}: Every item goes to review: the labelled rows do not show a precision of 85 % at "
        "any threshold; that takes at least 19 different texts without an error"
    )
    assert (sentence in message["summary"]) == warned


def test_the_evidence_has_both_figures_and_what_stands_in_the_way_of_either_model(pair, job):
    pair(range(0, 30), range(0, 700))
    run_compare(job)
    winner, challenger = (evidence(job)[role] for role in ("winner", "challenger"))
    assert challenger["right_of_all"] == pytest.approx(1 - 30 / 900)
    assert challenger["accuracy_of_covered"] == pytest.approx(1 - 30 / 891)
    assert [each["share"] for each in challenger["at_precisions"]] == [0, 1, 1]
    assert challenger["mostly_another"] == []
    assert [each["code"] for each in winner["mostly_another"]] == ["1", "2", "3a"]
    assert {each["without_person"] for each in winner["mostly_another"]} == {233, 234}
    [pair_of_codes, *_] = challenger["confused"]
    assert (pair_of_codes["codes"], pair_of_codes["few"]) == (["1", "2"], ["1", "2"])


class AnyText:
    """Equal to any text of a pattern: the bootstrap's bounds are not this test's business."""

    def __init__(self, pattern: str):
        self.pattern = pattern

    def __eq__(self, text) -> bool:
        return re.fullmatch(self.pattern, text) is not None


def test_a_person_is_asked_only_where_the_policy_wants_it_and_the_winner_would_change(pair):
    asks = '{"approval": true}'
    better, worse = range(0, 30), range(0, 120)
    assert run_compare(pair(better, worse), policy=asks)["approval"] is True
    assert run_compare(pair(better, worse), policy="{}")["approval"] is False
    assert run_compare(pair(worse, better), policy=asks)["approval"] is False
    assert run_compare(pair(better, None), policy=asks, winner="")["approval"] is True


def test_the_message_fits_however_long_its_texts_are(pair, job):
    critical = {"code": "x" * 64, "description": "d", "valid_from": "2020-01-01", "valid_to": None}
    codes = [
        *CODEBOOK["codes"],
        *({**critical, "code": f"{n}{'x' * 60}", "critical": True} for n in range(5)),
    ]
    job.codebook({**CODEBOOK, "codes": codes})
    message = run_compare(pair(range(0, 30), range(0, 120)))
    assert len((job.base / "output" / "message").read_bytes()) <= 1024
    assert len(message["evidence_digest"]) == 64
    assert message["summary"].endswith("; the policy's are by code.")


def test_a_clearly_better_model_is_promoted_and_a_clearly_worse_one_rejected(pair):
    better = run_compare(pair(range(0, 30), range(0, 120)))
    assert better["verdict"] == "PROMOTE"
    assert better["score"] > better["winner_score"]
    assert run_compare(pair(range(0, 120), range(0, 30)))["verdict"] == "REJECT"
    assert run_compare(pair(range(0, 30), range(0, 30)))["verdict"] == "KEEP"


def test_a_challenger_that_forgot_a_code_now_in_force_is_rejected_though_it_is_better(pair, job):
    pair(range(0, 30), range(0, 120))
    job.trained(codes=("1", "2"), name="challenger-trained")
    message = run_compare(job)
    assert message["verdict"] == "REJECT"
    assert message["reason"] == "The challenger cannot predict code 3a, now in force; the winner can."
    assert (evidence(job)["lost_codes"], evidence(job)["unreached_codes"]) == (["3a"], [])


def test_a_model_that_knows_a_code_by_its_old_name_can_predict_it(pair, job):
    pair(range(0, 30), range(0, 120))
    job.trained(codes=("1", "2", "3"), name="challenger-trained")
    assert run_compare(job)["verdict"] == "PROMOTE"


def test_a_code_that_nobody_has_examples_of_rejects_no_challenger_but_is_told(pair, job):
    pair(range(0, 30), range(0, 120))
    for role in ("challenger", "winner"):
        job.trained(codes=("1", "2"), name=f"{role}-trained")
    message = run_compare(job)
    assert message["verdict"] == "PROMOTE"
    assert "Neither model can predict code 3a, now in force" in message["reason"]


def test_a_report_on_the_training_rows_that_is_gone_stops_the_comparison(pair, job):
    pair(range(0, 30), range(0, 120))
    (job.input("winner-trained") / "report.json").unlink()
    error = refusal(job)
    assert "The report on the rows that the winner was trained on cannot be read" in error
    assert "restore that report.json" in error


def test_the_policy_of_the_group_is_followed(pair):
    job = pair(range(0, 30), range(0, 120))
    assert run_compare(job, policy='{"min_gain": 0.5}')["verdict"] == "KEEP"
    assert evidence(job)["policy"]["min_gain"] == 0.5


def test_a_model_that_ends_labelling_without_a_person_asks_one_and_tells_what_both_achieve(pair, job):
    pair(range(0, 30), range(0, 120))
    publish(job, "challenger", CHALLENGER, rows_of_a_test(), range(0, 30), unsure=900)
    publish(job, "winner", WINNER, rows_of_a_test(), range(0, 120), unsure=495)
    message = run_compare(job, policy='{"precision": 0.7}')
    assert (message["verdict"], message["approval"]) == ("PROMOTE", True)
    said = "winner 45.0 % (70.4 % right, of all 86.7 %), challenger 0.0 %; promised 70 % right"
    assert "much less without a person, so a person must approve" in message["reason"]
    assert said in message["reason"]
    assert CHALLENGER in message["summary"] and WINNER in message["summary"]
    assert evidence(job)["asks"] is True and evidence(job)["automatic"]["winner_share"] == 0.45


def test_what_the_policy_sends_to_review_is_not_labelled_without_a_person(pair, job):
    run_compare(pair(range(0, 30), range(0, 120)), policy='{"precision": 0.95}')
    assert evidence(job)["challenger"]["coverage"] == evidence(job)["automatic"]["share"] == 0


def test_a_winner_that_stays_undecided_for_three_months_is_told(pair, job):
    close = {"winner": WINNER, "undecided": "2026-08,2026-09"}
    reason = run_compare(pair(range(0, 24), range(6, 36)), **close)["reason"]
    assert "labelled rows would decide it" in reason
    assert reason.endswith("Undecided 3 months running, since 2026-08.")
    for earlier in ("", "2026-09", f"2026-09,{PERIOD}"):
        assert "running" not in run_compare(job, undecided=earlier)["reason"]


def test_a_winner_that_is_replaced_is_not_called_undecided(pair):
    message = run_compare(pair(range(0, 30), range(0, 120)), undecided="2026-08,2026-09")
    assert (message["verdict"], "running" in message["reason"]) == ("PROMOTE", False)


def test_the_evidence_names_models_scores_and_codes(pair):
    job = pair(range(0, 30), range(0, 120))
    message = run_compare(job)
    found = evidence(job)
    assert (found["run"], found["group"], found["period"], found["codebook_version"]) == (
        "c1",
        GROUP,
        PERIOD,
        "2026-10",
    )
    assert found["verdict"] == message["verdict"]
    assert found["low"] <= found["difference"] <= found["high"]
    assert found["questions"][1] == {
        "question": "Are there test rows?",
        "asked": "1 or more; with fewer than 300 distinct texts only exact tests count",
        "found": "900 distinct texts",
        "passed": True,
    }
    assert found["challenger"]["model"] == CHALLENGER
    assert found["challenger"]["accuracy"] == pytest.approx(870 / 900)
    assert found["winner"]["accuracy"] == pytest.approx(780 / 900)
    assert found["challenger"]["macro_f1"] == pytest.approx(message["score"])
    assert found["challenger"]["coverage"] == pytest.approx(0.99)
    assert found["challenger"]["codes"]["1"] == {
        "precision": pytest.approx(290 / 300),
        "recall": pytest.approx(290 / 300),
        "f1": pytest.approx(290 / 300),
        "rows": 300,
        "given": 300,
        "rightly_given": 290,
    }


def test_rows_are_paired_by_id_not_by_order(job):
    rows = rows_of_a_test()
    back = {name: values[::-1] for name, values in rows.items()}
    publish(job, "challenger", CHALLENGER, rows, range(0, 30))
    publish(job, "winner", WINNER, back, range(870, 900))
    run_compare(job)
    assert evidence(job)["better_texts"] == evidence(job)["worse_texts"] == 0


def test_rejected_rows_are_not_scored(job):
    publish(job, "challenger", CHALLENGER, rows_of_a_test(), rejected=5)
    publish(job, "winner", WINNER, rows_of_a_test(), rejected=5)
    assert run_compare(job)["rows"] == 900


def test_where_the_dataset_contradicts_people_the_message_and_the_evidence_say_so(pair):
    job = pair(range(0, 90), range(0, 90))
    item = {"item_id": "000007", "label": "1", "decided": None, "run": "r9"}
    found = {
        "rows": 2,
        "first": [item | {"decided_by": "A. Muster", "decided_at": "2026-10-02T10:00:00+00:00"}],
    }
    report = job.input("challenger-trained") / "report.json"
    report.write_text(json.dumps(json.loads(report.read_text()) | {"reviewed": {"conflicts": found}}))
    message = run_compare(job)
    assert "2 items with another code in the dataset than a person had decided" in message["summary"]
    assert "000007" not in message["summary"]
    assert evidence(job)["conflicts"] == found


def test_without_such_a_conflict_the_message_does_not_speak_of_any(pair):
    job = pair(range(0, 90), range(0, 90))
    assert "a person had decided" not in run_compare(job)["summary"]
    assert evidence(job)["conflicts"] == {"rows": 0, "first": []}


@pytest.mark.parametrize(("left_out", "learned"), [(0, "all learned"), (31, "31 not learned")])
def test_likely_wrong_labels_are_told_and_are_no_rows_set_aside(pair, left_out, learned):
    job = pair(range(0, 90), range(0, 90))
    about = {"rows": 1800, "doubtful": 40, "left_out": left_out, "noise": 0.04}
    doubtful_rows.write(job.input("challenger-trained"), about)
    message = run_compare(job)
    said = f"Likely wrong labels: 40 of 1,800 training rows, {learned} (labelmill review labels {GROUP})."
    assert said in message["summary"].splitlines()
    assert evidence(job)["doubtful"] == about
    assert evidence(job)["set_aside"]["rows"] == 0 and "Set aside" not in message["reason"]


@pytest.mark.parametrize("about", [None, {"rows": 1800, "doubtful": 0, "left_out": 0, "noise": 0.0}])
def test_where_no_label_is_doubted_the_message_does_not_speak_of_any(pair, about):
    job = pair(range(0, 90), range(0, 90))
    if about:
        doubtful_rows.write(job.input("challenger-trained"), about)
    assert "wrong labels" not in run_compare(job)["summary"]
    assert evidence(job)["doubtful"] == about


def test_a_row_that_could_have_been_trained_on_stops_the_comparison(job):
    rows = rows_of_a_test()
    rows["text_key"][4] = "3333333333333400"
    publish(job, "challenger", CHALLENGER, rows)
    publish(job, "winner", WINNER, rows)
    assert "1 of 900 rows are not test rows, for example item_id '000004'." in refusal(job)


def with_new_rows(since: str, count: int = 60) -> dict[str, list]:
    """Rows of a test set, the last ones no test rows but of texts that came in a month."""
    rows = rows_of_a_test()
    new = {
        "item_id": [f"new{number}" for number in range(count)],
        "text_key": [f"{2**63 + number:016x}" for number in range(count)],
        "truth": ["1"] * count,
    }
    rows = {name: values + new[name] for name, values in rows.items()}
    return rows | {"since": [None] * 900 + [since] * count}


def test_new_rows_tell_how_right_a_model_was_lately_where_it_has_not_seen_them(job):
    rows = with_new_rows(PERIOD)
    for role, model in (("challenger", CHALLENGER), ("winner", WINNER)):
        publish(job, role, model, rows, range(900, 920), unsure=0)
    run_compare(job)
    start = {"since": "", "rows": 900, "wrong": 0, "expected": 90.0}
    found = evidence(job)
    assert found["winner"]["tested"] == [start, {"since": PERIOD, "rows": 60, "wrong": 20, "expected": 6.0}]
    assert found["challenger"]["tested"] == [start]


def test_new_rows_say_nothing_on_which_model_is_better(job):
    verdicts = []
    for rows in (rows_of_a_test(), with_new_rows(PERIOD)):
        publish(job, "challenger", CHALLENGER, rows, range(0, 30), unsure=0)
        publish(job, "winner", WINNER, rows, range(25, 60), unsure=0)
        message = run_compare(job)
        verdicts.append((message["verdict"], message["rows"], message["score"], evidence(job)["changes"]))
    assert verdicts[0] == verdicts[1]


def test_labels_from_before_texts_had_the_month_in_which_they_came_are_all_of_the_start(pair, job):
    pair(range(0, 30), range(0, 120))
    for role in ("challenger", "winner"):
        path = job.input(role) / "labels.parquet"
        pq.write_table(pq.read_table(path).drop_columns(["since"]), path)
        manifest = job.input(role) / "manifest.json"
        files = [{"name": path.name, "sha256": sha256(path)}]
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"files": files}))
    run_compare(job)
    assert [month["since"] for month in evidence(job)["winner"]["tested"]] == [""]


def test_different_rows_stop_the_comparison(job):
    rows = rows_of_a_test()
    publish(job, "challenger", CHALLENGER, rows)
    publish(job, "winner", WINNER, {name: values[:-1] for name, values in rows.items()})
    assert "The challenger has labelled 900 test rows, the winner 899." in refusal(job)


@pytest.mark.parametrize(
    ("column", "value"), [("item_id", "x"), ("text_key", "00000000000000aa"), ("truth", "2")]
)
def test_rows_that_differ_stop_the_comparison(job, column, value):
    rows = rows_of_a_test()
    publish(job, "challenger", CHALLENGER, rows)
    publish(job, "winner", WINNER, rows | {column: [value, *rows[column][1:]]})
    assert f"Challenger and winner have test rows that differ in {column}" in refusal(job)


def test_labels_that_were_changed_after_their_manifest_stop_the_comparison(pair):
    job = pair(range(0, 30), None)
    table = job.input("winner") / "labels.parquet"
    table.write_bytes((job.input("challenger") / "labels.parquet").read_bytes())
    assert "labels.parquet of run r1 is not what was recorded: its SHA-256 is" in refusal(job)


def test_labels_that_were_changed_with_their_manifest_stop_the_comparison(pair):
    job = pair(range(0, 30), None)
    recorded = job.labels_digest("winner")
    copytree(job.input("challenger"), job.input("winner"), dirs_exist_ok=True)
    assert "manifest.json of the input `winner` is not what was recorded" in refusal(
        job, winner_digest=recorded
    )


def test_labels_of_another_model_stop_the_comparison(pair):
    assert "say they belong to" in refusal(pair(None, None), winner="DE-weee-2026-01-00000000")


def test_missing_labels_stop_the_comparison(job):
    assert f"The ledger has no labels of {CHALLENGER}." in refusal(job)


@pytest.mark.parametrize("policy", ["{", '{"min_gain": 7}', '{"gain": 1}', "[]"])
def test_a_policy_that_makes_no_sense_stops_the_comparison(pair, policy):
    assert "The group's policy cannot be used" in refusal(pair(None, None), policy=policy)
