"""Training rows that were set aside: Prepare reports them, Compare tells of them and asks a person."""

import json

import pytest

from tests.processing.compared_models import (
    CHALLENGER,
    WINNER,
    evidence,
    publish,
    rows_of_a_test,
    run_compare,
)
from tests.processing.job_folders import CODEBOOK, as_jsonl, items

BETTER, WORSE = range(0, 30), range(0, 120)


@pytest.fixture
def report(new_job):
    """What Prepare reports of 400 rows; `change` is given each and its number."""

    def prepare(change, **book) -> dict:
        job = new_job()
        job.codebook(CODEBOOK | book)
        rows = items()
        for number, row in enumerate(rows):
            change(number, row)
        job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        job.prepare()
        return job.report()

    return prepare


def as_number(number: int, row: dict) -> None:
    """What a spreadsheet does to seven codes of ten."""
    if number % 10 < 7 and row["label"] != "3a":
        row["label"] += ".0"


@pytest.fixture
def trained(new_job):
    """Publish a better challenger that was trained as a report says; its winner was on whole data."""

    def write(found: dict, challenger=BETTER, winner=WORSE, role="challenger"):
        job = new_job()
        publish(job, "challenger", CHALLENGER, rows_of_a_test(), challenger)
        publish(job, "winner", WINNER, rows_of_a_test(), winner)
        (job.input(f"{role}-trained") / "report.json").write_text(json.dumps(found))
        return job

    return write


# --- what Prepare reports


def test_rows_are_reported_with_their_number_kinds_the_first_and_the_codes_they_look_like(report):
    def change(number, row):
        as_number(number, row)
        if number == 399:
            row["title"] = ""

    found = report(change)["set_aside"]
    assert (found["rows"], found["of"]) == (188, 400)
    assert found["problems"] == {"unknown-label": 187, "empty-title": 1}
    assert found["first"] == {
        "file": "part-000.jsonl",
        "row": 1,
        "reason": "The label '1.0' is not in codebook 2026-10.",
    }
    assert found["codes"] == {"1": {"rows": 95, "labels": ["1.0", "1"]}, "2": {"rows": 93, "labels": ["2.0"]}}


@pytest.mark.parametrize("label", ["1.0", "1,00", "01", " 1", "1 ", "001.0"])
def test_a_label_looks_like_its_code_whatever_an_export_has_added(report, label):
    found = report(lambda number, row: row.update(label=label) if number == 0 else None)
    assert found["set_aside"]["codes"] == {"1": {"rows": 1, "labels": [label]}}


@pytest.mark.parametrize("label", ["10", "1.5", "1x", "", None])
def test_another_label_does_not(report, label):
    found = report(lambda number, row: row.update(label=label) if number == 0 else None)
    assert (found["set_aside"]["rows"], found["set_aside"]["codes"]) == (1, {})


def test_rows_of_a_code_that_was_split_may_be_of_each_of_its_parts(report):
    split = {"kind": "split", "from": ["3"], "to": ["3a", "3b"], "date": "2026-10-01"}
    codes = [*CODEBOOK["codes"], CODEBOOK["codes"][3] | {"code": "3b"}]
    found = report(
        lambda number, row: row.update(label=row["label"].replace("3a", "3")),
        codes=codes,
        successions=[split],
    )
    labelled = {"rows": 133, "labels": ["3"]}
    assert found["set_aside"]["codes"] == {"3a": labelled, "3b": labelled}


def test_a_code_that_looks_like_another_is_only_itself(report):
    codes = [*CODEBOOK["codes"], CODEBOOK["codes"][0] | {"code": "01"}]
    found = report(lambda number, row: row.update(title="") if number == 0 else None, codes=codes)
    assert found["set_aside"]["codes"] == {"1": {"rows": 1, "labels": ["1"]}}


# --- what a person is told and asked


def test_seven_codes_of_ten_written_as_numbers_end_in_a_question_though_no_policy_asks_one(report, trained):
    found = report(as_number)
    message = run_compare(trained(found), winner="")
    assert (message["verdict"], message["approval"]) == ("FIRST", True)
    assert message["reason"] == (
        "The group has no winner yet, so this model becomes its first. Set aside: 187 of 400 training rows "
        "(46.8%), over the policy's 5.0%, so a person must approve. Unknown label 187; the first: "
        "part-000.jsonl, row 1: The label '1.0' is not in codebook 2026-10."
    )


def test_the_evidence_holds_what_prepare_reported_of_the_challengers_rows(report, trained):
    found = report(as_number)
    job = trained(found)
    message = run_compare(job)
    assert evidence(job)["set_aside"] == found["set_aside"]
    assert evidence(job)["findings"] == found["findings"]
    assert "Found in the training data (docs/input.md): row set aside: " in message["summary"]
    assert (evidence(job)["approval"], evidence(job)["verdict"]) == (True, "PROMOTE")


def test_a_lost_code_is_rejected_with_the_rows_that_looked_like_it_as_the_likely_cause(report, trained):
    def change(_, row):
        row["label"] = row["label"].replace("2", "2.0")

    message = run_compare(trained(report(change)))
    assert (message["verdict"], message["approval"]) == ("REJECT", False)
    assert message["reason"] == (
        "The challenger cannot predict code 2, now in force; the winner can. Likely because rows were set "
        "aside: 133 rows labelled '2.0' (code 2). Set aside: 133 of 400 training rows (33.2%). Unknown label "
        "133; the first: part-000.jsonl, row 2: The label '2.0' is not in codebook 2026-10."
    )


def test_a_code_that_a_first_model_cannot_predict_has_the_same_likely_cause(report, trained):
    def change(_, row):
        row["label"] = row["label"].replace("2", "2.0")

    reason = run_compare(trained(report(change)), winner="")["reason"]
    assert "Likely because rows were set aside: 133 rows labelled '2.0' (code 2)." in reason


def test_rows_set_aside_of_other_codes_are_not_the_cause(report, trained):
    def change(number, row):
        row["title"] = "" if row["label"] == "1" and number < 30 else row["title"]

    found = report(change)
    found["splits"]["train"]["codes"].pop("2")
    found["splits"]["validation"]["codes"].pop("2")
    message = run_compare(trained(found))
    assert message["verdict"] == "REJECT" and "Likely" not in message["reason"]


@pytest.mark.parametrize(
    ("policy", "asked"), [({}, True), ({"set_aside": 0.0525}, False), ({"set_aside": 0}, True)]
)
def test_a_person_is_asked_only_where_more_rows_were_set_aside_than_the_policy_allows(
    report, trained, policy, asked
):
    found = report(lambda number, row: row.update(title="") if number < 21 else None)
    message = run_compare(trained(found), policy=json.dumps(policy))
    assert (message["verdict"], message["approval"]) == ("PROMOTE", asked)
    assert ("so a person must approve" in message["reason"]) == asked
    assert "Set aside: 21 of 400 training rows (5.2%)" in message["reason"]


def test_as_many_as_the_policy_allows_ask_nobody(report, trained):
    found = report(lambda number, row: row.update(title="") if number < 20 else None)
    assert run_compare(trained(found))["approval"] is False


def test_nobody_is_asked_about_a_challenger_that_does_not_win(report, trained):
    message = run_compare(trained(report(as_number), challenger=WORSE, winner=BETTER))
    assert (message["verdict"], message["approval"]) == ("REJECT", False)
    assert "a person must approve" not in message["reason"]


def test_the_winners_rows_ask_nobody(report, trained):
    message = run_compare(trained(report(as_number), role="winner"))
    assert message["approval"] is False and "Set aside" not in message["reason"]


@pytest.mark.parametrize("share", [-0.1, 1.1, "few", True])
def test_a_share_that_is_none_is_refused(share):
    from processing.policy import Policy

    with pytest.raises(ValueError, match="set_aside"):
        Policy.parse(json.dumps({"set_aside": share}))
