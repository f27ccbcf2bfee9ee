"""How good one model's labels are, worked by hand."""

import numpy as np
import pytest

from processing.verdict.scores import (
    calibration_curve,
    calibration_error,
    calibration_error_by_chance,
    scores,
)


def test_all_scores_of_five_labels_are_what_their_definitions_give():
    """Of A two of three are right; of B one of two, which is also given to the A that is wrong; C is lost."""
    truth = np.array(["A", "A", "A", "B", "B"])
    predicted = np.array(["A", "A", "B", "B", "C"])
    confidence = np.array([0.99, 0.98, 0.5, 0.97, 0.4])
    found = scores(truth, predicted, confidence, np.array([True, True, True, False, False]), np.arange(5))
    assert found["macro_f1"] == pytest.approx((4 / 5 + 2 / 4) / 2)
    assert found["accuracy"] == pytest.approx(3 / 5)
    assert found["weighted_f1"] == pytest.approx((3 * 4 / 5 + 2 * 2 / 4) / 5)
    assert found["coverage"] == pytest.approx(3 / 5)
    assert found["accuracy_of_covered"] == pytest.approx(2 / 3)
    a = {"precision": 1.0, "recall": 2 / 3, "f1": 4 / 5, "rows": 3, "given": 2, "rightly_given": 2}
    b = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "rows": 2, "given": 2, "rightly_given": 1}
    assert found["codes"] == {"A": pytest.approx(a), "B": pytest.approx(b)}


def test_nothing_is_said_of_the_labels_without_a_person_where_there_are_none():
    found = scores(np.array(["A"]), np.array(["A"]), np.array([0.2]), np.array([False]), np.array(["a"]))
    assert (found["coverage"], found["accuracy_of_covered"]) == (0, None)


def test_a_code_that_is_never_given_and_one_that_is_never_right_score_zero_without_a_warning():
    found = scores(
        np.array(["A", "B"]), np.array(["B", "C"]), np.array([0.5, 0.5]), np.ones(2, bool), np.arange(2)
    )
    zero = {"precision": 0.0, "recall": 0.0, "f1": 0.0, "rows": 1}
    assert found["codes"] == {
        "A": zero | {"given": 0, "rightly_given": 0},
        "B": zero | {"given": 1, "rightly_given": 0},
    }
    assert found["macro_f1"] == 0


def test_the_calibration_curve_has_the_bins_that_hold_rows_with_their_edges():
    """Bins of 1/15: two rows in (9/15, 10/15], one right; the bin's own upper edge belongs to it."""
    right = np.array([True, True, False, True, True])
    confidence = np.array([1.0, 0.65, 10 / 15, 0.95, 0.0])
    low, middle, high = calibration_curve(right, confidence)
    assert low == pytest.approx({"low": 0, "high": 1 / 15, "rows": 1, "confidence": 0, "accuracy": 1})
    of_two = {"rows": 2, "confidence": (0.65 + 10 / 15) / 2, "accuracy": 0.5}
    assert middle == pytest.approx({"low": 9 / 15, "high": 10 / 15} | of_two)
    of_two = {"rows": 2, "confidence": 0.975, "accuracy": 1}
    assert high == pytest.approx({"low": 14 / 15, "high": 1} | of_two)


def test_calibration_error_is_what_the_definition_gives():
    """Two rows in (0.6, 0.667], one right; three in (0.933, 1], all right."""
    right = np.array([True, False, True, True, True])
    confidence = np.array([0.65, 0.65, 0.95, 0.97, 1.0])
    expected = (2 * abs(0.5 - 0.65) + 3 * abs(1 - (0.95 + 0.97 + 1.0) / 3)) / 5
    assert calibration_error(right, confidence) == pytest.approx(expected)
    assert calibration_error(np.array([True, False]), np.array([0.0, 0.0])) == pytest.approx(0.5)


def test_exact_confidences_show_an_error_by_chance_that_falls_with_the_rows():
    """Of n rows at p it is the mean deviation of a binomial share: about sqrt(2 p (1 - p) / pi n)."""
    for n in (100, 2500):
        found = calibration_error_by_chance(np.full(n, 0.8), np.arange(n))
        assert found["mean"] == pytest.approx(np.sqrt(2 * 0.8 * 0.2 / (np.pi * n)), rel=0.15)
        # 95 % of a normal distribution is within 1.96 standard deviations.
        assert found["high"] == pytest.approx(1.96 * np.sqrt(0.8 * 0.2 / n), rel=0.15)
    assert calibration_error_by_chance(np.ones(3), np.arange(3)) == {"mean": 0, "high": 0}


def test_rows_of_one_text_are_right_or_wrong_together_by_chance():
    alone = calibration_error_by_chance(np.full(400, 0.8), np.arange(400))
    of_four = calibration_error_by_chance(np.full(400, 0.8), np.arange(400) // 4)
    assert of_four["mean"] == pytest.approx(2 * alone["mean"], rel=0.15)
