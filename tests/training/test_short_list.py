"""The short list: codes of which one is right for 95 % of the items that a person sees."""

import numpy as np
import pytest
from mapie.regression import SplitConformalRegressor
from sklearn.dummy import DummyRegressor

from training import short_list
from training.confidence import best_codes
from training.short_list import COVERAGE, gap


def rows(n: int, seed: int, codes: int = 8):
    """Synthetic margins that say how likely each code is, true codes drawn by it, and the best's chance."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=(n, codes)).astype(np.float32)
    chances = np.exp(1.5 * margins)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > rng.uniform(size=(n, 1))).argmax(axis=1)
    return margins, labels, chances.max(axis=1)


def holds(margins, labels, gap) -> np.ndarray:
    """Whether each whole list, however long, has the true code."""
    at = np.arange(len(labels))
    return margins[at, labels] >= margins.max(axis=1) - gap


def test_lists_hold_the_right_code_for_95_of_100_items_that_a_person_sees_on_average():
    kept = []
    for seed in range(200):
        margins, labels, sure = rows(300, seed)
        found = gap(margins, labels, sure < 0.6, sure)
        margins, labels, sure = rows(2000, 10_000 + seed)
        kept.append(holds(margins, labels, found)[sure < 0.6].mean())
    # Vovk et al.: at least 95 %, and at most a row's share more. Four standard errors to either side.
    error = 4 * np.std(kept) / np.sqrt(len(kept))
    assert COVERAGE - error <= np.mean(kept) <= COVERAGE + 1 / 150 + error


def test_the_gap_is_the_score_of_the_rank_that_split_conformal_prediction_asks_for():
    margins, labels, sure = rows(399, 3)
    below = sorted(margins.max(axis=1) - margins[np.arange(399), labels])
    assert gap(margins, labels, np.ones(399, bool), sure) == pytest.approx(below[380 - 1])  # 0.95 * 400


def test_mapie_chooses_the_same_gap():
    """Its intervals around a prediction of 0 are as wide as the score that it takes for the 95 %."""
    margins, labels, sure = rows(399, 6)
    below = margins.max(axis=1) - margins[np.arange(399), labels]
    nothing = np.zeros((399, 1))
    at_zero = DummyRegressor(strategy="constant", constant=0.0).fit(nothing, below)
    peer = SplitConformalRegressor(at_zero, confidence_level=COVERAGE, prefit=True)
    _, interval = peer.conformalize(nothing, below).predict_interval(nothing[:1])
    assert gap(margins, labels, np.ones(399, bool), sure) == pytest.approx(interval.ravel()[1])


def lists(margins, gap):
    return short_list.lists(margins, *best_codes(margins), gap)


def test_it_is_calibrated_on_what_a_person_sees_and_not_on_what_is_sure_anyway():
    margins, labels, sure = rows(2000, 4)
    seen = sure < 0.5
    assert gap(margins, labels, seen, sure) == gap(margins[seen], labels[seen], seen[seen], sure[seen])


def test_where_few_are_for_review_the_least_sure_of_the_others_count_too():
    margins, labels, sure = rows(2000, 5)
    least = np.argsort(sure)[: short_list.LEAST_ROWS]
    few = gap(margins, labels, np.zeros(2000, bool), sure)
    assert few == gap(margins[least], labels[least], np.ones(len(least), bool), sure[least])
    assert gap(margins[:18], labels[:18], np.ones(18, bool), sure[:18]) is None


def test_a_list_has_the_likeliest_first_five_at_most_and_says_how_many_it_takes():
    margins = np.array([[0, 3, 1, 2.5], [9, 0, 0, 0], [1, 1, 1, 1]], np.float32)
    codes, size = lists(margins, 1.0)
    assert codes.tolist() == [[1, 3, -1, -1, -1], [-1] * 5, [0, 1, 2, 3, -1]]
    assert size.tolist() == [2, 0, 4]
    codes, size = lists(np.arange(9, dtype=np.float32)[None], 7.0)
    assert (codes.tolist(), size.tolist()) == ([[8, 7, 6, 5, 4]], [8])
    assert lists(margins, None)[1].tolist() == [0, 0, 0]
