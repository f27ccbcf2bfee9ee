"""A month's labels when the winner was lately wrong more often than it says: fewer pass without a person."""

import json

import pytest

from tests.processing.job_folders import JobFailed
from tests.processing.month.published_months import summary


def evidence(wrong: int, model: str = "m2") -> dict:
    """Of a comparison whose test had 1,000 texts of two months, of which 8 were expected to be wrong."""
    months = [
        {"since": since, "rows": 500, "wrong": count, "expected": 4.0}
        for since, count in (("2026-08", 4), ("2026-09", wrong))
    ]
    return {"challenger": {"model": model, "tested": months}, "winner": None}


def labels(job) -> list[tuple]:
    return [
        (row["item_id"], row["code"], row["confidence"], row["status"], row["reason"])
        for row in job.published()
    ]


def test_without_drift_labels_are_what_they_were(month):
    as_before = month(["1", "2"] * 50, confidence=0.996)
    for known in (evidence(4), evidence(7), evidence(0)):
        job = month(["1", "2"] * 50, confidence=0.996, evidence=known)
        assert labels(job) == labels(as_before)
        assert (job.message["attention"], job.message["alarms"]) == ("Nothing.", 0)


def test_of_a_model_that_was_lately_wrong_too_often_fewer_labels_pass_without_a_person(month):
    job = month(["1"] * 100, confidence=0.996, evidence=evidence(60))
    assert (job.message["labelled"], job.message["review"]) == (0, 100)
    assert {row["reason"] for row in job.published()} == {"The model has been wrong more often than it says."}
    sentence = (
        "Of 500 tested texts that came since 2026-09 and need no person the model had 60 wrong where it "
        "expected 4.0: of this month's labels 88.4% would be right (85.7% at least), 98.0% are promised. So "
        "100 more items went to review"
    )
    assert sentence in job.message["attention"]
    found = summary(job)
    assert found["review"]["reliability"]["sent_to_review"] == 100
    assert found["history"][-1].items() >= {"review": 0, "automatic": 0, "right": 0.884}.items()


def test_the_surest_pass_where_they_hold_the_promise(month):
    sure = [0.9, *([0.96] * 49), *([0.9995] * 50)]
    job = month(["1"] * 100, confidence=sure, evidence=evidence(25), policy='{"precision": 0.95}')
    assert 50 <= job.message["labelled"] < 99
    assert summary(job)["review"]["expected_precision"] >= 0.95


def test_the_reviewers_capacity_still_holds(month):
    policy = '{"review_capacity": 10}'
    job = month(["1"] * 100, confidence=0.996, evidence=evidence(60), policy=policy)
    assert (job.message["labelled"], job.message["review"]) == (90, 10)
    assert "90 passed without review. Of the automatic labels 88." in job.message["attention"]


def test_what_became_of_another_models_labels_counts_for_nothing(month):
    job = month(["1"] * 100, confidence=0.996, evidence=evidence(60, model="m1"))
    assert (job.message["labelled"], summary(job)["review"]["reliability"]) == (100, None)


def test_a_new_winner_is_doubted_sooner_where_the_one_before_was(month):
    found = {}
    for wrong_before in (4, 60):
        before = evidence(wrong_before, "m1")["challenger"]
        known = evidence(11) | {"winner": before}
        found[wrong_before] = summary(month(["1"] * 100, confidence=0.996, evidence=known))["review"]
    assert [plan["reliability"]["worse_than_said"] for plan in found.values()] == [False, True]


def test_it_is_told_once_while_it_stands(month):
    before = None
    for period, told in (("2026-10", True), ("2026-11", False)):
        before = month(["1"] * 50, period=period, earlier=before, evidence=evidence(60))
        assert ("tested texts" in before.message["attention"]) == told
        assert before.message["labelled"] == 0
    assert (before.message["alarms"], before.message["attention"]) == (0, "Nothing new.")


def test_evidence_that_is_not_the_recorded_one_stops_the_publication(month):
    with pytest.raises(JobFailed, match=r"comparison\.json of the input `compared` is not what was recorded"):
        month(["1"] * 3, compared_digest="a" * 64)


def test_evidence_from_before_reliability_was_counted_says_nothing(month):
    old = {"challenger": {"model": "m2"}, "winner": None}
    assert json.loads(json.dumps(summary(month(["1"] * 3, evidence=old))["review"]["reliability"])) is None
