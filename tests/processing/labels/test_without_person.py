"""What could be labelled without a person, what stands in its way, and what helps."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from processing.labels import advice
from processing.labels.without_person import at_once, at_precisions, confused, mostly_another, right_of_all


def test_at_each_precision_the_share_is_the_largest_whose_exact_bound_holds_it():
    rng = np.random.default_rng(0)
    sure = rng.random(400)
    right = rng.random(400) < 0.85 + 0.15 * sure
    order = np.argsort(-sure)
    for found in at_precisions(right, sure, np.arange(400)):
        safe = best = 0
        level = float(at_once(0.05, 400, found["precision"]))
        for n in range(1, 401):
            good = int(right[order[:n]].sum())
            bounds = binomtest(good, n).proportion_ci(1 - 2 * level)  # two-sided
            safe = n if bounds.low >= found["precision"] else safe
            best = n if good / n >= found["precision"] else best
        assert (found["share"], found["best"]) == (safe / 400, best / 400)
        assert found["right_of_all"] == pytest.approx(1 - (~right[order[:safe]]).sum() / 400)


def test_rows_of_one_text_are_one_piece_of_evidence():
    [asked, *_] = at_precisions(np.ones(400, bool), np.full(400, 0.9), np.arange(400) % 20)
    assert (asked["share"], asked["best"]) == (0.0, 1.0)
    [asked, *_] = at_precisions(np.ones(400, bool), np.full(400, 0.9), np.arange(400))
    assert asked["share"] == 1.0


def test_a_text_with_a_wrong_row_is_a_wrong_text_whichever_row_comes_first():
    text, sure = np.arange(400) // 2, np.full(400, 0.9)
    right = (np.arange(400) % 20) != 1  # of every tenth text the second row is wrong
    assert [each["share"] for each in at_precisions(right, sure, text)] == [0, 0, 0]
    assert [each["best"] for each in at_precisions(right, sure, text)] == [0, 1, 1]


def test_rows_as_sure_as_others_go_with_them():
    first_right = np.arange(100) < 40
    assert [each["best"] for each in at_precisions(first_right, np.full(100, 0.5), np.arange(100))] == [
        0,
        0,
        0,
    ]
    first_wrong = np.arange(100) >= 1
    assert {each["best"] for each in at_precisions(first_wrong, np.full(100, 0.5), np.arange(100))} == {1.0}


def test_what_people_decide_counts_as_right_among_all():
    assert right_of_all(0.9, 500, 1000) == pytest.approx(0.95)
    assert right_of_all(None, 0, 1000) == 1.0
    assert right_of_all(None, 0, 0) is None


def rows(*of: tuple[str, str, int]) -> pd.DataFrame:
    """So many rows with a true code and a given one, each of its own text."""
    listed = [(truth, code) for truth, code, count in of for _ in range(count)]
    made = pd.DataFrame(listed, columns=["truth", "code"])
    return made.assign(text_key=[f"{n:016x}" for n in range(len(made))], title="Kettle")


LEARNED = {"1": 500, "2": 500, "3": 20}


@pytest.mark.parametrize(
    ("made", "codes", "do"),
    [
        (rows(("1", "2", 8), ("2", "1", 6), ("1", "1", 50)), ["1", "2"], "merge"),
        (rows(("1", "2", 14), ("1", "1", 50)), ["1", "2"], "describe"),
        (rows(("1", "2", 14), ("2", "1", 2), ("1", "1", 50)), ["1", "2"], "describe"),
        (rows(("3", "1", 8), ("1", "1", 50)), ["1", "3"], "label"),
    ],
)
def test_what_to_do_about_two_codes_depends_on_how_they_are_confused(made, codes, do):
    [pair] = confused(made, LEARNED)
    assert (pair["codes"], pair["do"]) == (codes, do)
    assert advice.remedy(pair)


def test_one_text_with_both_codes_asks_for_more_text_and_no_merger():
    made = rows(("1", "2", 8), ("2", "1", 8))
    made["text_key"] = [f"{n % 8:016x}" for n in range(16)]
    [pair] = confused(made, LEARNED)
    assert (pair["do"], pair["same_text"], pair["rows"], pair["texts"]) == ("same_text", 8, 16, 8)
    assert "the same text has both" in advice.confused([pair])


def test_the_pairs_confused_most_come_first_and_nothing_wrong_is_no_pair():
    made = rows(("1", "2", 3), ("3", "2", 5), ("1", "1", 50))
    assert [pair["codes"] for pair in confused(made, LEARNED)] == [["2", "3"], ["1", "2"]]
    assert confused(rows(("1", "1", 5)), LEARNED) == []
    assert advice.confused([]) == ""


def test_a_code_most_of_whose_items_get_another_is_listed_with_what_nobody_would_see():
    made = rows(("1", "1", 50), ("3", "1", 6), ("3", "2", 1), ("3", "3", 3), ("2", "2", 5), ("2", "1", 5))
    alone = np.arange(len(made)) < 54
    found = mostly_another(made["truth"].to_numpy(str), made["code"].to_numpy(str), alone)
    assert found == [
        {"code": "3", "rows": 10, "right": pytest.approx(0.3), "given": "1", "without_person": 4}
    ]
    assert advice.mostly_another(found) == (
        "Mostly given another code: 3 (30 % of 10 right, else 1, 4 wrong without a person)."
    )


def test_both_figures_are_said_and_the_promised_one_is_marked():
    assert advice.both(0.984, 0.993, 0.98) == (
        "Of the labels without a person 98.4 % are expected right (98 % promised); of all published labels, "
        "people's decisions counted as right, 99.3 %."
    )
    assert advice.both(0.95, 0.985, 0.98, "month").endswith("98.5 % (98 % promised).")
    assert "95.0 % are expected right;" in advice.both(0.95, 0.985, 0.98, "month")
    assert advice.both(None, 1.0, 0.98).startswith(
        "There is no label without a person (98 % promised); of all"
    )
