"""Confidence and the threshold below which a person looks."""

import numpy as np
import pytest

from training import confidence


def margins(n: int, seed: int):
    """Synthetic margins of 5 codes whose lead says how often the best one is right."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(n, 5)).astype(np.float32)
    chances = np.exp(1.5 * scores)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) > rng.uniform(size=(n, 1))).argmax(axis=1)
    return scores, labels


def signals(scores):
    codes, values = confidence.best_codes(scores)
    constant = np.ones(len(scores))
    return codes, confidence.signals(scores, codes, values, constant, constant)


def test_confidence_is_the_share_of_right_answers():
    learn, new = margins(20_000, 1), margins(20_000, 2)
    codes, inputs = signals(learn[0])
    fitted = confidence.fit(inputs, codes, learn[1])
    codes, inputs = signals(new[0])
    sure = fitted.of(inputs, 3)
    for low in np.arange(0.3, 0.9, 0.1):
        inside = (sure[:, 0] >= low) & (sure[:, 0] < low + 0.1)
        assert (codes[inside, 0] == new[1][inside]).mean() == pytest.approx(sure[inside, 0].mean(), abs=0.05)
    for rank in (1, 2):
        assert (codes[:, rank] == new[1]).mean() == pytest.approx(sure[:, rank].mean(), abs=0.02)
    assert (sure.sum(axis=1) <= 1 + 1e-6).all()


def test_the_best_codes_come_in_order():
    codes, values = confidence.best_codes(np.array([[0.1, 3.0, -1.0, 2.0], [5.0, 1.0, 2.0, 1.5]], np.float32))
    assert codes.tolist() == [[1, 3, 0], [0, 2, 3]]
    assert values.tolist() == pytest.approx(np.array([[3.0, 2.0, 0.1], [5.0, 2.0, 1.5]]))


def test_the_threshold_holds_its_precision_on_new_items_nearly_always():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        sure = rng.uniform(0.5, 1, 4000)
        threshold = confidence.review_threshold(sure, rng.uniform(size=4000) < sure, np.arange(4000), 0.95)
        held.append(
            (threshold + 1) / 2 >= 0.95
        )  # the true precision above a threshold, for uniform confidences
    assert np.mean(held) > 0.85


def test_rows_of_one_text_count_little_because_they_are_right_or_wrong_together():
    rng = np.random.default_rng(0)
    held, alone = [], []
    for _ in range(200):
        of_text = rng.uniform(0.5, 1, 300)
        size = rng.integers(1, 60, 300)
        text = np.repeat(np.arange(300), size)
        right = np.repeat(rng.uniform(size=300) < of_text, size)
        threshold = confidence.review_threshold(of_text[text], right, text, 0.95)
        held.append((threshold + 1) / 2 >= 0.95)
        threshold = confidence.review_threshold(of_text[text], right, np.arange(len(text)), 0.95)
        alone.append((threshold + 1) / 2 >= 0.95)
    assert np.mean(held) > 0.85 > np.mean(alone)


def test_where_no_threshold_is_precise_enough_everything_goes_to_a_person():
    sure = np.linspace(0.1, 0.9, 50)
    assert confidence.review_threshold(sure, np.ones(50, bool), np.arange(50), 0.98) == confidence.NEVER
    assert sure.max() < confidence.NEVER


def test_equal_confidences_are_on_one_side_of_the_threshold():
    sure, right = np.full(1000, 0.9), np.arange(1000) % 2 == 0
    assert confidence.review_threshold(sure, right, np.arange(1000), 0.98) == confidence.NEVER


def test_all_answers_right_or_two_codes_only_is_no_problem():
    scores = np.array([[1.0, -1.0], [2.0, 0.5], [0.3, 0.9], [0.1, 0.4]], np.float32)
    codes, inputs = signals(scores)
    sure = confidence.fit(inputs, codes, codes[:, 0]).of(inputs, 2)
    assert sure.shape == (4, 2)
    assert (sure[:, 0] > 0.5).all()
