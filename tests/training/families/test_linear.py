"""The linear candidate."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.svm import LinearSVC

from training.families import linear


@pytest.fixture
def problem():
    """Synthetic rows of three codes; columns are there several times, as a rare word's n-grams are."""
    rng = np.random.default_rng(0)
    features = sparse.random(300, 40, 0.2, "csr", np.float32, rng=rng)
    labels = np.asarray((features @ rng.normal(size=(40, 3))).argmax(axis=1)).ravel()
    again = rng.integers(0, 40, 120)
    return sparse.hstack([features, features[:, again]], format="csr", dtype=np.float32), labels


def test_equal_columns_are_learned_as_one_and_weigh_as_if_each_were_learned(problem, monkeypatch):
    features, labels = problem
    monkeypatch.setattr(linear, "PASSES", 2000)
    weights, intercepts = linear.fit(features, labels, 3, 0.5)
    machine = LinearSVC(C=0.5, max_iter=2000, random_state=0).fit(features, labels)
    np.testing.assert_allclose(weights, machine.coef_.T, atol=2e-3)
    np.testing.assert_allclose(intercepts, machine.intercept_, atol=2e-3)


def test_repeated_rows_weigh_as_often_as_they_are_there(problem, monkeypatch):
    features, labels = problem
    often = np.repeat(np.arange(300), np.where(labels == 2, 4, 1))
    monkeypatch.setattr(linear, "PASSES", 2000)
    weights, _ = linear.fit(features[often], labels[often], 3, 0.5)
    machine = LinearSVC(C=0.5, max_iter=2000, random_state=0).fit(features[often], labels[often])
    np.testing.assert_allclose(weights, machine.coef_.T, atol=2e-3)


def test_a_code_without_rows_is_never_the_answer(problem):
    features, labels = problem
    weights, intercepts = linear.fit(features, labels, 5, 0.5)
    assert (features @ weights + intercepts).argmax(axis=1).max() <= 2
