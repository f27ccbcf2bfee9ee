"""What the summary says of a month against the one before, and what it takes to be told to people."""

import json
from pathlib import Path

import numpy as np
import pytest

from processing import amend
from processing.digests import sha256
from processing.month import drift
from tests.processing.job_folders import CODEBOOK, GROUP, as_jsonl, decision, items
from tests.processing.month.published_months import files, summary

EARLIER = CODEBOOK | {"version": "2026-09"}


def changes(job) -> list[list[str]]:
    lines = (job.output("files") / "changes.csv").read_bytes().decode("utf-8-sig").splitlines()
    return [line.replace('"', "").split(",") for line in lines[1:]]


def test_the_first_month_has_counts_and_nothing_to_compare_with(month):
    job = month(["1", "1", "2", "3a"])
    found = summary(job)
    assert [(row["code"], row["items"], row["earlier_items"]) for row in found["codes"]] == [
        ("1", 2, None),
        ("2", 1, None),
        ("3a", 1, None),
    ]
    assert (found["earlier"], found["changes"], found["drift"], found["attention"]) == (None, None, None, [])
    assert (job.message["alarms"], job.message["attention"]) == (0, "Nothing.")
    assert not (job.output("files") / "changes.csv").exists()


def test_a_month_in_which_the_model_is_never_sure_is_told(month):
    job = month(["1"] * 4, confidence=0.5)
    assert summary(job)["counts"]["labelled"] == 0
    sentence = (
        "Every item goes to review: the labelled rows do not show a precision of 98 % at any threshold;"
    )
    assert job.message["attention"].startswith(sentence)


def test_a_renamed_code_is_no_drift_and_its_items_changed_because_of_the_codebook(month):
    september = month(["3"] * 40 + ["1"] * 60, period="2026-09", book=EARLIER)
    october = month(["3"] * 40 + ["1"] * 60, earlier=september)
    found = summary(october)
    assert [(row["code"], row["items"], row["earlier_items"]) for row in found["codes"]] == [
        ("1", 60, 60),
        ("3a", 40, 40),
    ]
    assert found["drift"]["label_mix"][0]["distance"] == 0
    assert found["changes"]["by_cause"] == {
        "codebook": 40,
        "person": 0,
        "text": 0,
        "model": 0,
        "attributes": 0,
    }
    assert found["changes"]["moves"] == [
        {"earlier_code": "3", "code": "3a", "cause": "codebook", "items": 40}
    ]
    assert found["attention"] == []


def test_every_item_with_another_code_is_listed_with_the_cause(month):
    rows = items(4, labelled=False)
    september = month(["1", "1", "1", "2"], period="2026-09", rows=rows, model="m1")
    other_text = [*rows[:1], rows[1] | {"title": "Etwas anderes"}, *rows[2:]]
    october = month(["2", "2", "1", "2"], rows=other_text, earlier=september, model="m2")
    assert changes(october) == [["000000", "1", "2", "model"], ["000001", "1", "2", "text"]]
    manifest = json.loads((october.output("manifest") / "manifest.json").read_text(encoding="utf-8"))
    assert {"changes.csv": 2, "labels.csv": 4}.items() <= {
        file["name"]: file.get("rows") for file in manifest["files"]
    }.items()
    same_model = month(["2", "2", "1", "2"], rows=other_text, earlier=september, model="m1")
    assert [row[3] for row in changes(same_model)] == ["attributes", "text"]


def test_an_item_with_another_code_than_a_person_decided_on_needs_attention(month, new_job):
    rows = items(5, labelled=False)
    september = month(["1"] * 5, period="2026-09", rows=rows)
    answers = [
        decision(0, "2"),
        decision(1, answer="none"),
        decision(2, answer="withdrawn"),
        decision(3, "1"),
    ]
    decided = new_job()
    for path in files(september):
        (decided.input("labels") / path.name).write_bytes(path.read_bytes())
    (decided.input("decisions") / "decisions.jsonl").write_bytes(as_jsonl(answers))
    about = {"group": GROUP, "period": "2026-09", "run": "r2"}
    about["labels_digest"] = decided.labels_digest("labels")
    decided.run(amend.main, **about, policy="{}", amends="s3://labelled/x/", destination="s3://labelled/y/")
    october = month(["1"] * 5, rows=rows, earlier=decided)
    assert changes(october) == [["000000", "2", "1", "person"], ["000001", "", "1", "person"]]
    assert summary(october)["changes"]["by_cause"]["person"] == 2
    assert "Items whose code is not the one a person had decided on: 2." in october.message["attention"]
    assert summary(october)["earlier"]["counts"]["none"] == 1


def test_new_and_gone_items_are_no_changes(month):
    rows = items(6, labelled=False)
    september = month(["1"] * 4, period="2026-09", rows=rows[:4])
    october = month(["2"] * 4, rows=rows[2:], earlier=september)
    assert summary(october)["changes"]["items_in_both"] == 2
    assert [row[0] for row in changes(october)] == ["000002", "000003"]


def test_a_code_newly_in_force_that_the_model_cannot_give_is_flagged(month):
    """The model was trained in September, before 3a; code 9 was never in force since."""
    job = month(["1"] * 5, trained_in="2026-09", trained_on=("1", "2"))
    assert summary(job)["codes_out_of_reach"] == [{"code": "3a", "newly_in_force": True}]
    assert "The model cannot predict code 3a, new to it" in job.message["attention"]
    assert job.message["alarms"] == 1


def test_a_code_that_a_model_cannot_give_is_told_once_until_it_is_another(month):
    added = CODEBOOK["codes"][3] | {"code": "4", "valid_from": "2026-12-01"}
    book = CODEBOOK | {"codes": [*CODEBOOK["codes"], added]}
    before, told = None, []
    for period in ("2026-10", "2026-11", "2026-12", "2027-01"):
        more = {"trained_in": "2026-09", "trained_on": ("1", "2"), "book": book}
        before = month(["1"] * 5, period=period, earlier=before, **more)
        told.append("The model cannot predict" in before.message["attention"])
    assert told == [True, False, True, False]
    assert before.message["attention"] == "Nothing new."


def test_a_model_that_knows_the_code_under_its_old_name_can_give_it(month):
    assert (
        summary(month(["1"] * 5, trained_in="2026-09", trained_on=("1", "2", "3")))["codes_out_of_reach"]
        == []
    )


def test_a_code_the_model_never_had_rows_of_is_named_but_rings_no_alarm_each_month(month):
    job = month(["1"] * 5, trained_on=("1", "3a"))
    assert summary(job)["codes_out_of_reach"] == [{"code": "2", "newly_in_force": False}]
    assert job.message["alarms"] == 0


def test_a_code_whose_rows_had_to_be_left_out_of_training_rings_until_a_model_can_give_it(month):
    """The model was trained in October, when code 3 had been split: its rows could not be used."""
    split = {"kind": "split", "from": ["3"], "to": ["3a", "3b"], "date": "2026-10-01"}
    book = CODEBOOK | {"successions": [split]}
    book["codes"] = [*book["codes"], book["codes"][3] | {"code": "3b"}]
    job = month(["1"] * 5, book=book, trained_on=("1", "2", "3b"), unclear=("3",))
    assert summary(job)["codes_out_of_reach"] == [{"code": "3a", "newly_in_force": True}]
    assert "The model cannot predict code 3a, new to it" in job.message["attention"]


def test_every_check_is_in_the_summary_with_threshold_and_finding_and_in_the_docs(month):
    september = month(["1"] * 10, period="2026-09", known_share=0.9)
    october = month(["1"] * 9 + ["2"], earlier=september, known_share=0.8)
    checks = summary(october)["checks"]
    assert [check["message"] for check in checks if check["message"]] == summary(october)["attention"]
    [rows] = [check for check in checks if check["what"] == "rows, compared with last month"]
    assert (rows["threshold"], rows["found"]) == ("25% more or fewer", "10 after 10")
    docs = (Path(__file__).parents[3] / "docs/outputs.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in docs.splitlines() if line.startswith("| ")]
    assert [[check["what"], check["threshold"]] for check in checks] == [
        row for row in rows if row[0] in {check["what"] for check in checks}
    ]


def test_a_mix_of_codes_that_moved_rings(month):
    september = month(["1"] * 200 + ["2"] * 200, period="2026-09")
    october = month(["1"] * 300 + ["2"] * 100, rows=items(800, labelled=False)[400:], earlier=september)
    drifted = summary(october)["drift"]["label_mix"][0]
    assert (drifted["distance"], drifted["alarm"]) == (0.25, True)
    assert "The mix of codes moved by 25% since 2026-09." in october.message["attention"]


def test_a_small_sample_that_differs_by_chance_rings_not(month):
    september = month(["1"] * 5 + ["2"] * 5, period="2026-09")
    october = month(["1"] * 7 + ["2"] * 3, rows=items(20, labelled=False)[10:], earlier=september)
    found = summary(october)["drift"]["label_mix"][0]
    assert found["distance"] == 0.2 > found["threshold"] and not found["alarm"]


def test_a_model_that_became_less_sure_rings(month):
    september = month(["1"] * 100, period="2026-09")
    october = month(["1"] * 100, earlier=september, confidence=0.985)
    assert "The model's confidence moved by 100% since 2026-09." in october.message["attention"]


def test_unseen_words_are_told_when_the_model_says_how_much_it_knows(month):
    september = month(["1"] * 10, period="2026-09", known_share=0.98)
    october = month(["1"] * 10, earlier=september, known_share=0.8)
    assert summary(october)["unseen_words"] == 0.2
    assert "20% of the words are unknown to the model, 2% in 2026-09." in october.message["attention"]
    assert summary(month(["1"]))["unseen_words"] is None


def test_many_items_with_another_code_and_nothing_to_explain_it_ring(month):
    september = month(["1"] * 100, period="2026-09", model="m1")
    october = month(["1"] * 70 + ["2"] * 30, earlier=september)
    assert (
        "30 of 100 known items changed code with the same text and codebook."
        in (october.message["attention"])
    )


def test_rows_that_are_missing_or_unusable_ring(month):
    september = month(["1"] * 100, period="2026-09")
    rows = items(40, labelled=False)
    rows[3]["title"] = rows[4]["title"] = rows[5]["title"] = ""
    attention = month(["1"] * 37, rows=rows, earlier=september).message["attention"]
    assert "3 of 40 rows could not be used." in attention
    assert "40 rows arrived; in 2026-09 it was 100." in attention


def test_reviewers_at_their_capacity_ring_with_the_precision_that_it_buys(month):
    job = month(["1"] * 10, confidence=0.9, policy='{"review_capacity": 4}')
    assert (job.message["labelled"], job.message["review"]) == (6, 4)
    assert (
        "6 passed without review. Of the automatic labels 90.0% are expected to be right"
        in (job.message["attention"])
    )


def test_a_manifest_of_last_month_that_was_swapped_with_its_labels_stops_the_publication(month):
    from tests.processing.job_folders import JobFailed

    september = month(["1"] * 3, period="2026-09")
    recorded = sha256(september.output("manifest") / "manifest.json")
    with pytest.raises(JobFailed, match=r"manifest\.json of the input `earlier` is not what was recorded"):
        month(["1"] * 3, earlier=month(["2"] * 3, period="2026-09"), earlier_digest=recorded)


def test_labels_of_last_month_that_were_taken_away_stop_the_publication(month):
    from tests.processing.job_folders import JobFailed

    with pytest.raises(JobFailed, match="is not what was recorded: its SHA-256 is that of no file"):
        month(["1"] * 3, earlier_digest="a" * 64)


def test_labels_of_last_month_that_were_tampered_with_stop_the_publication(month):
    from tests.processing.job_folders import JobFailed

    september = month(["1"] * 3, period="2026-09")
    table = september.output("files") / "labels.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    with pytest.raises(JobFailed, match=r"labels\.parquet of run run-2026-09 is not what was recorded"):
        month(["1"] * 3, earlier=september)


def test_the_distance_is_the_share_of_items_that_would_have_to_move():
    assert drift.distance(np.array([50, 50]), np.array([100, 0])).distance == 0.5
    assert drift.distance(np.array([0, 7]), np.array([3, 0])).distance == 1
    assert drift.distance(np.array([0, 0]), np.array([3, 0])) is None


def test_what_chance_makes_one_expect_is_what_chance_does():
    rng = np.random.default_rng(1)
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    pairs = [(rng.multinomial(400, shares), rng.multinomial(900, shares)) for _ in range(500)]
    found = [drift.distance(*pair) for pair in pairs]
    assert np.mean([one.distance for one in found]) == pytest.approx(found[0].by_chance, rel=0.15)
    assert np.mean([one.is_beyond(0.10) for one in found]) < 0.01
