"""How sure an answer is."""

from dataclasses import replace

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


def test_all_answers_right_or_two_codes_only_is_no_problem():
    scores = np.array([[1.0, -1.0], [2.0, 0.5], [0.3, 0.9], [0.1, 0.4]], np.float32)
    codes, inputs = signals(scores)
    sure = confidence.fit(inputs, codes, codes[:, 0]).of(inputs, 2)
    assert sure.shape == (4, 2)
    assert (sure[:, 0] > 0.5).all()


def test_a_few_hundred_rows_say_more_with_the_logistic_regression_than_with_trees_alone():
    """By log loss on new items, the mean over draws."""
    scores, labels = margins(4000, 99)
    codes, new = signals(scores)
    right = codes[:, 0] == labels
    both, trees = [], []
    for seed in range(10):
        few, labels = margins(300, seed)
        codes, inputs = signals(few)
        fitted = confidence.fit(inputs, codes, labels)
        for losses, variant in ((both, fitted), (trees, replace(fitted, trees_share=1.0))):
            sure = variant.of(new, 1)[:, 0]
            losses.append(-np.log(np.where(right, sure, 1 - sure)).mean())
    assert np.mean(both) < np.mean(trees) - 0.01


def test_a_higher_margin_a_longer_lead_and_a_lower_entropy_never_make_less_sure():
    rng = np.random.default_rng(0)
    few, labels = margins(400, 3)
    codes, inputs = signals(few)
    for answers in (labels, rng.permutation(labels), codes[:, -1]):  # true, random, and always misleading
        fitted = confidence.fit(inputs, codes, answers)
        for signal, sign in ((0, 1), (1, 1), (3, -1)):
            moved = inputs.copy()
            moved[:, signal] += sign * rng.uniform(0, 1, len(moved)).astype(np.float32)
            assert (fitted.of(moved, 1) >= fitted.of(inputs, 1)).all()


def test_n_right_answers_and_no_wrong_one_are_no_certainty():
    few, _ = margins(30, 5)
    codes, inputs = signals(few)
    sure = confidence.fit(inputs, codes, codes[:, 0]).of(inputs, 1)
    assert sure.mean() == pytest.approx(31 / 32, abs=0.005)


def test_an_items_confidence_does_not_depend_on_its_batch():
    scores, labels = margins(1000, 6)
    codes, inputs = signals(scores)
    fitted = confidence.fit(inputs, codes, labels)
    alone = np.concatenate([fitted.of(inputs[n : n + 1], 3) for n in range(50)])
    assert np.array_equal(fitted.of(inputs, 3)[:50], alone)
