"""Drift that no two months show: against the model's first month, and against all of the last twelve."""

import json

import numpy as np
import pytest

from processing import amend
from processing.digests import sha256
from processing.month import drift
from tests.processing.job_folders import GROUP, as_jsonl, decision
from tests.processing.month.published_months import files, summary

PERIODS = [f"2026-{number}" for number in (10, 11, 12)] + [f"2027-{number:02}" for number in range(1, 13)]
#: What a group's review share did in seven months of which nobody was told.
SLOW = (30, 52, 75, 98, 120, 142, 165)


@pytest.fixture
def months(month):
    """Publish months one after the other; `each` has the arguments of every one, besides its codes."""

    def run(codes, each, earlier=None):
        published = []
        for period, more in zip(PERIODS, each, strict=False):
            now = more.pop("codes", codes)
            earlier = month(now, period=period, earlier=earlier, **more)
            published.append(earlier)
        return published

    return run


def told(published, word: str) -> list[int]:
    """The numbers of the months, from 1, that have a sentence with the word."""
    return [number for number, job in enumerate(published, 1) if word in job.message["attention"]]


def test_a_review_share_that_grows_by_small_steps_is_told_early_and_once(months):
    published = months(["1"] * 300, [{"unsure": unsure} for unsure in SLOW])
    assert told(published, "The model is not sure enough of") == [4]
    assert (
        "The model is not sure enough of 33% of the items, 13% in 2026-10 to 2026-11."
        in published[3].message["attention"]
    )
    [check] = [c for c in summary(published[4])["checks"] if "not sure enough" in c["what"]]
    assert (check["message"], check["since"]) == (None, "2027-01")


def test_what_stands_is_told_again_when_it_is_much_worse(months):
    published = months(["1"] * 300, [{"unsure": unsure} for unsure in (30, 30, 30, 90, 90, 120, 240, 240)])
    assert told(published, "The model is not sure enough of") == [4, 7]


def test_a_state_is_told_once_and_again_when_it_had_gone(months):
    published = months(["1"] * 200, [{"confidence": sure} for sure in (0.5, 0.5, 0.995, 0.5, 0.5)])
    assert told(published, "Every item goes to review") == [1, 4]
    standing = [summary(job)["history"][-1]["standing"] for job in published]
    assert ["items labelled without a person" in each for each in standing] == [True, True, False, True, True]


def test_a_state_that_a_month_without_items_cannot_show_still_stands_after_it(months):
    each = [{"unsure": 10}] * 3 + [{"unsure": 100}, {"unsure": 0, "codes": []}, {"unsure": 100}]
    published = months(["1"] * 100, each)
    assert told(published, "The model is not sure enough of") == [4]
    assert "items the model is not sure enough of" in summary(published[4])["history"][-1]["standing"]


def test_a_model_that_is_replaced_by_one_that_is_less_sure_is_told(months):
    each = [{"unsure": 15, "model": "m1"}] * 3 + [{"unsure": 120, "model": "m2"}]
    assert told(months(["1"] * 300, each), "The model is not sure enough of") == [4]


def test_unseen_words_that_grow_by_small_steps_are_told(months):
    each = [{"known_share": share} for share in (0.95, 0.92, 0.89, 0.86, 0.83)]
    [first, *_] = told(months(["1"] * 100, each), "of the words are unknown to the model")
    assert first == 4


def test_a_mix_of_codes_that_moves_by_small_steps_is_told_against_the_models_first_month(months):
    each = [{"codes": ["1"] * (300 - more) + ["2"] * more} for more in (0, 18, 36, 54, 72)]
    published = months(["1"] * 300, each)
    assert told(published, "The mix of codes moved") == [4]
    assert "by 18% since 2026-10." in published[3].message["attention"]


def test_confidence_is_compared_with_the_same_models_and_not_with_anothers(months):
    each = [{"confidence": 0.995}, {"confidence": 0.985, "model": "m3"}, {"confidence": 0.995, "model": "m2"}]
    published = months(["1"] * 100, each)
    assert told(published, "confidence moved") == []
    assert [[one["period"] for one in summary(job)["drift"]["confidence"]] for job in published[1:]] == [
        [],
        ["2026-10"],
    ]


def test_a_year_without_drift_rings_nothing(months):
    rng = np.random.default_rng(3)
    each = [{"unsure": int(rng.binomial(60, 0.15)), "known_share": rng.normal(0.93, 0.01)} for _ in range(13)]
    for month in each:
        month["codes"] = ["1"] * 40 + ["2"] * 17 + [str(code) for code in rng.choice([1, 2], 3)]
    assert [job.message["attention"] for job in months(["1"] * 60, each)] == ["Nothing."] * 13


def test_a_summary_hands_on_the_figures_of_twelve_months_before_its_own(months):
    published = months(["1"] * 20, [{"unsure": number} for number in range(15)])
    history = summary(published[-1])["history"]
    assert [month["period"] for month in history] == PERIODS[2:]
    assert [month["review"] for month in history[:2]] == [0.1, 0.15]
    assert history[-1].items() >= {"items": 20, "automatic": 0.3, "rejected": 0, "codes": {"1": 20}}.items()


def test_a_month_that_is_delivered_again_is_in_the_history_once(month):
    september = month(["1"] * 10, period="2026-09")
    october = [month(["1"] * 10, unsure=unsure, earlier=september) for unsure in (3, 5)]
    november = month(["1"] * 10, period="2026-11", earlier=october[1])
    assert [row["review"] for row in summary(november)["history"]] == [0, 0.5, 0]


def test_earlier_codes_are_handed_on_under_their_present_names(month):
    before = month(["1", "1", "2"], period="2026-09", trained_on=("1", "2", "3"))
    labels = summary(before)
    labels["history"][-1]["codes"] = {"1": 5, "3": 4, "3a": 2}
    found = summary(month(["1"] * 3, earlier=rewritten(before, labels)))["history"][0]
    assert found["codes"] == {"1": 5, "3a": 6}


def test_labels_from_before_summaries_had_a_history_count_as_one_month(month):
    before = month(["1"] * 8 + ["2"] * 2, period="2026-09", unsure=3, known_share=0.9)
    as_published = summary(before)["history"][-1]
    labels = {name: value for name, value in summary(before).items() if name != "history"}
    [old, _] = summary(month(["1"] * 10, earlier=rewritten(before, labels)))["history"]
    assert old == as_published


def test_what_people_decide_leaves_what_the_model_did_in_the_history(month, new_job):
    before = month(["1"] * 10, unsure=4)
    decided = new_job()
    for path in files(before):
        (decided.input("labels") / path.name).write_bytes(path.read_bytes())
    (decided.input("decisions") / "decisions.jsonl").write_bytes(
        as_jsonl([decision(n, "2") for n in range(4)])
    )
    about = {
        "group": GROUP,
        "period": "2026-10",
        "run": "r2",
        "labels_digest": decided.labels_digest("labels"),
    }
    decided.run(amend.main, **about, policy="{}", amends="s3://labelled/x/", destination="s3://labelled/y/")
    assert summary(decided)["counts"]["review"] == 0
    assert summary(decided)["history"] == summary(before)["history"]
    november = month(["1"] * 10, period="2026-11", earlier=decided)
    assert [row["review"] for row in summary(november)["history"]] == [0.4, 0]


def test_without_drift_a_share_rises_beyond_the_limit_in_few_years():
    """Months as restless as the test allows for, at 1,000 items: about 1 of 100 years."""
    rng = np.random.default_rng(5)
    years = rng.normal(0.4, drift.MONTHLY, (200, 13))
    shares = rng.binomial(1_000, np.sin(years) ** 2) / 1_000
    rang = [
        any((found := drift.rise(year[:n], [1_000] * n)) and found.size > drift.LIMIT for n in range(2, 14))
        for year in shares
    ]
    assert np.mean(rang) < 0.03


def test_months_that_are_more_restless_than_others_ring_less_once_they_are_known_to_be():
    up_and_down = [0.1, 0.3, 0.12, 0.28, 0.1, 0.32, 0.11, 0.3]
    assert drift.rise(up_and_down, [3_000] * 8).size < drift.LIMIT
    steady = [0.1, 0.13, 0.16, 0.19, 0.22, 0.25, 0.28, 0.32]
    assert drift.rise(steady, [3_000] * 8).size > drift.LIMIT


def rewritten(job, labels: dict):
    """The job's output with another summary, as if it had been published with it."""
    path = job.output("files") / "summary.json"
    path.write_text(json.dumps(labels), encoding="utf-8")
    manifest = job.output("manifest") / "manifest.json"
    about = json.loads(manifest.read_text(encoding="utf-8"))
    for file in about["files"]:
        if file["name"] == path.name:
            file["sha256"] = sha256(path)
    manifest.write_text(json.dumps(about), encoding="utf-8")
    return job
