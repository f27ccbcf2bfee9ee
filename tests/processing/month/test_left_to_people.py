"""A month's summary says how right its labels are expected to be, what is left to people and what helps."""

import pytest

from tests.processing.month.published_months import summary

RUN = "DE-weee-comparison-2026-10-0f3a9c21d4e5"
PAIR = {
    **{"codes": ["1", "2"], "rows": 40, "texts": 38, "of": 90, "same_text": 0, "few": [], "do": "merge"},
    "titles": ["Kettle"],
}
ANOTHER = {"code": "3a", "rows": 20, "right": 0.25, "given": "1", "without_person": 6}


def evidence(model: str = "m2", **more) -> dict:
    shares = ((0.98, 0.0, 0.031), (0.95, 0.12, 0.204), (0.9, 0.432, 0.51))
    scored = {
        "model": model,
        "at_precisions": [
            {"precision": precision, "share": share, "best": best, "right_of_all": 0.99}
            for precision, share, best in shares
        ],
        **{"confused": [PAIR], "mostly_another": []},
    }
    return {"run": RUN, "winner": None, "challenger": scored | more}


def test_where_everything_goes_to_review_it_says_what_less_would_give_and_what_helps(month):
    job = month(["1"] * 30, confidence=0.6, unsure=30, evidence=evidence())
    assert job.message["attention"] == (
        "Every item goes to review: the labelled rows do not show a precision of 98 % at any threshold; "
        "that takes at least 149 different texts without an error, more with errors. More labelled rows "
        "help, or a lower precision in the group's policy. "
        "By one threshold, on test rows alone: 0.0 % at 98 %, 12.0 % at 95 %, 43.2 % at 90 % right without "
        "a person (at best 3.1, 20.4, 51.0); the policy's are by code. "
        "Confused most, of 90 wrong rows: 1 and 2 (40): merge them if nobody needs the difference, else "
        "describe it in the items. A review capacity there lets the surest pass as well."
    )
    assert summary(job)["test"]["run"] == RUN


@pytest.mark.parametrize("doubtful, first", [(60, True), (20, True), (19, False)])
def test_where_many_labels_are_likely_wrong_these_come_before_merging_codes(month, doubtful, first):
    found = evidence() | {"doubtful": {"rows": 1000, "doubtful": doubtful, "left_out": 0, "noise": 0.1}}
    said = month(["1"] * 30, confidence=0.6, unsure=30, evidence=found).message["attention"]
    look = "Look at the likely wrong labels first (labelmill review labels DE-weee)"
    assert (look in said, "(40): if they stay so once labels are put right" in said) == (first, first)
    assert ("(40): merge them" in said) != first


def test_of_a_winner_the_challengers_wrong_labels_say_nothing(month):
    doubtful = {"rows": 1000, "doubtful": 60, "left_out": 0, "noise": 0.1}
    found = evidence() | {"doubtful": doubtful}
    found |= {"winner": found["challenger"], "challenger": found["challenger"] | {"model": "m1"}}
    said = month(["1"] * 30, confidence=0.6, unsure=30, evidence=found).message["attention"]
    assert "(40): merge them" in said


def test_of_another_models_test_nothing_is_said(month):
    job = month(["1"] * 30, confidence=0.6, unsure=30, evidence=evidence("m1"))
    assert "Confused" not in job.message["attention"] and summary(job)["test"] is None


def test_codes_whose_items_mostly_get_another_are_told_once_where_nobody_would_see_it(month):
    before = None
    for period, told in (("2026-10", True), ("2026-11", False)):
        found = evidence(mostly_another=[ANOTHER])
        before = month(["1"] * 30, period=period, earlier=before, evidence=found)
        sentence = "Mostly given another code: 3a (25 % of 20 right, else 1, 6 wrong without a person). Label"
        assert (sentence in before.message["attention"]) == told
    seen = evidence(mostly_another=[ANOTHER | {"without_person": 0}])
    job = month(["1"] * 30, evidence=seen)
    assert job.message["attention"] == "Nothing."
    assert "3a (else 1)" in {check["found"] for check in summary(job)["checks"]}


def test_the_message_says_both_figures_and_which_is_promised(month):
    sure = [0.5] * 10 + [0.99] * 30
    job = month(["1"] * 40, confidence=sure, unsure=10)
    # Ten of forty go to a person; of the others 1 % is expected wrong.
    assert job.message["expected"] == (
        "Of the labels without a person 99.0 % are expected right (98 % promised); of all published labels, "
        "people's decisions counted as right, 99.2 %."
    )
    job = month(["1"] * 40, confidence=sure, unsure=10, policy='{"promise": "month", "precision": 0.99}')
    assert job.message["expected"].endswith("99.2 % (99 % promised).")
