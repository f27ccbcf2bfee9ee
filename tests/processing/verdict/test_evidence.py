"""The numbers behind a verdict, against numbers of others: a paper, statsmodels, scipy, scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, f1_score

from processing.policy import Policy
from processing.verdict import bootstrap
from processing.verdict.mcnemar import discordant, exact_interval, mcnemar, texts_needed
from processing.verdict.rule import decide

WITH_INTERVALS = Policy(min_rows=300)


@pytest.fixture(scope="module")
def labels():
    """900 synthetic rows of 12 uneven codes: truth, and two models that are right on about 75 and 70 %."""
    rng = np.random.default_rng(5)
    share = 1 / np.arange(1, 13)
    truth, wrong = rng.choice(12, (2, 900), p=share / share.sum())
    challenger = np.where(rng.random(900) < 0.75, truth, wrong)
    winner = np.where(rng.random(900) < 0.8, challenger, wrong)
    return np.char.mod("%02d", (truth, challenger, winner))


@pytest.mark.parametrize(
    ("better", "worse", "p_value", "digits"),
    [
        # statsmodels' tests of mcnemar(exact=True), computed there with VassarStats.
        (121, 59, 0.000004, 6),
        (70, 59, 0.378688, 6),
        (80, 59, 0.089452, 6),
        (30, 60, 0.00206, 6),
        (10, 30, 0.002221, 6),
        (10, 10, 1, 6),
        # Fagerland, Lydersen, Laake (2013), BMC Medical Research Methodology 13:91, table 1, exact test.
        (1, 7, 0.0703, 4),
    ],
)
def test_mcnemar_gives_the_p_values_of_published_examples(better, worse, p_value, digits):
    assert mcnemar(better, worse) == pytest.approx(p_value, abs=0.6 * 10**-digits)
    assert mcnemar(worse, better) == mcnemar(better, worse)


def test_mcnemar_without_discordant_texts_shows_nothing():
    assert mcnemar(0, 0) == mcnemar(0, 0, "less") == 1


def test_the_exact_interval_is_clopper_and_pearsons_for_the_discordant_texts():
    # Of 8 among 10 their 95 % interval is 0.4439 to 0.9748 (R's binom.test, scipy's tests of the same).
    low, high = exact_interval(8, 2, 100, 0.05)
    assert (low, high) == pytest.approx(((2 * 0.4439 - 1) / 10, (2 * 0.9748 - 1) / 10), abs=1e-5)
    assert exact_interval(2, 8, 100, 0.05) == pytest.approx((-high, -low))
    assert exact_interval(0, 0, 100, 0.05) == (0, 0)


@given(st.integers(0, 80), st.integers(0, 80), st.sampled_from([0.02, 0.1]))
def test_the_exact_interval_is_above_zero_where_mcnemar_shows_a_gain(better, worse, level):
    shown = mcnemar(better, worse) <= level and better > worse
    assert (exact_interval(better, worse, 200, level)[0] > 0) == shown


@pytest.mark.parametrize(("better", "worse"), [(7, 0), (20, 5), (16, 6), (40, 25), (60, 50)])
def test_the_texts_that_are_needed_show_such_a_gain_four_times_in_five(better, worse):
    share, texts = better / (better + worse), 1_000
    needed = texts_needed(better, worse, texts, 0.02)
    discordant_texts = round(needed * (better + worse) / texts)
    chances = stats.binom(discordant_texts, share)
    shown = sum(
        chances.pmf(k) for k in range(discordant_texts + 1) if mcnemar(k, discordant_texts - k) <= 0.02
    )
    assert shown == 1 if not worse else 0.72 <= shown <= 0.85


def test_no_number_of_texts_would_show_a_gain_where_none_was_seen():
    assert texts_needed(5, 5, 100, 0.02) is None and texts_needed(0, 0, 100, 0.02) is None


def test_a_text_on_many_rows_is_one_discordant_text():
    right_challenger = np.array([1, 1, 1, 0, 1, 0, 1, 0], dtype=bool)
    right_winner = np.array([0, 0, 0, 1, 0, 1, 1, 1], dtype=bool)
    text = np.array([0, 0, 0, 1, 2, 2, 3, 4])  # text 2: one row each way
    assert discordant(right_challenger, right_winner, text) == (1, 2)


def test_scores_are_those_of_scikit_learn(labels):
    truth, challenger, winner = labels
    made = decide(*labels, np.arange(900), WITH_INTERVALS)
    assert made.score == f1_score(truth, challenger, average="macro")
    assert made.winner_score == f1_score(truth, winner, average="macro")
    assert made.difference == made.score - made.winner_score
    assert made.accuracy_difference == pytest.approx(
        accuracy_score(truth, challenger) - accuracy_score(truth, winner)
    )


TEXTS = {
    "every row a text": [[row] for row in range(900)],
    "three different rows a text": [[row, row + 1, row + 2] for row in range(0, 900, 3)],
    "the same row one to five times": [[row] * (1 + row % 5) for row in range(900)],
}


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_intervals_are_those_of_scipys_bootstrap(labels, texts):
    at = np.concatenate(texts)
    text = np.repeat(np.arange(len(texts)), [len(each) for each in texts])
    made = decide(*labels[:, at], text, Policy(min_rows=300, level=0.1))
    number = np.unique(labels, return_inverse=True)[1].reshape(3, 900)

    def macro_f1(at):
        truth, challenger, winner = number[:, at]
        found = [np.bincount(truth[given == truth], minlength=12) for given in (challenger, winner)]
        given = [np.bincount(each, minlength=12) for each in (challenger, winner)]
        f1 = [
            2 * f / np.maximum(np.bincount(truth, minlength=12) + g, 1)
            for f, g in zip(found, given, strict=True)
        ]
        return (f1[0] - f1[1]).mean()

    def accuracy(at):
        truth, challenger, winner = number[:, at]
        return (challenger == truth).mean() - (winner == truth).mean()

    for statistic, low, high in (
        (macro_f1, made.low, made.high),
        (accuracy, made.accuracy_low, made.accuracy_high),
    ):
        scipys = stats.bootstrap(
            (np.arange(len(texts)),),
            lambda drawn, statistic=statistic: statistic(np.concatenate([texts[text] for text in drawn])),
            vectorized=False,
            n_resamples=3_000,
            confidence_level=0.9,
            method="percentile",
            rng=np.random.default_rng(1),
        )
        # Two bootstraps of a few thousand replicates differ by some hundredths of a standard error.
        near = 0.15 * scipys.standard_error
        assert low == pytest.approx(scipys.confidence_interval.low, abs=near)
        assert high == pytest.approx(scipys.confidence_interval.high, abs=near)


def test_the_order_of_the_rows_changes_nothing(labels):
    text = np.arange(900) // 2
    shuffled = np.random.default_rng(0).permutation(900)
    assert decide(*labels, text, WITH_INTERVALS) == decide(
        *labels[:, shuffled], text[shuffled], WITH_INTERVALS
    )


def test_the_replicates_do_not_depend_on_how_many_are_held_at_once(labels, monkeypatch):
    whole = decide(*labels, np.arange(900), WITH_INTERVALS)
    monkeypatch.setattr(bootstrap, "CHUNK_CELLS", 10_000)
    assert decide(*labels, np.arange(900), WITH_INTERVALS) == whole


def test_copies_of_the_same_rows_are_no_evidence(labels):
    once = decide(*labels, np.arange(900), WITH_INTERVALS)
    copied = decide(*np.repeat(labels, 10, axis=1), np.repeat(np.arange(900), 10), WITH_INTERVALS)
    assert (copied.rows, copied.distinct_texts, copied.p_value) == (9_000, 900, once.p_value)
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=0.1)


@pytest.mark.parametrize("name", ["", "05b", "unknown"])
def test_a_code_that_no_test_row_has_is_an_error_but_no_code_of_the_average(labels, name):
    truth, challenger, winner = labels
    elsewhere = np.where(challenger == truth, challenger, name)
    made = decide(truth, elsewhere, winner, np.arange(900), WITH_INTERVALS)
    assert made.score == f1_score(truth, elsewhere, labels=np.unique(truth), average="macro")
    assert made == decide(
        truth, np.char.replace(elsewhere, name or "-", "other"), winner, np.arange(900), WITH_INTERVALS
    )


codes = st.sampled_from(["a", "b", "c", "never true"])
rows = st.tuples(st.sampled_from(["a", "b", "c"]), codes, codes, st.integers(0, 5))


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, min_size=1, max_size=40), st.sampled_from([1, 1_000]))
def test_any_test_set_gives_a_verdict_that_does_not_hold_both_ways(cells, min_rows):
    *labels, text = np.array(cells, dtype=str).T
    policy = Policy(min_gain=0, min_rows=min_rows, level=0.5)
    one_way = decide(*labels, text, policy, critical=["a", "never true"])
    other_way = decide(labels[0], labels[2], labels[1], text, policy)
    assert one_way.accuracy_low <= one_way.accuracy_high and 0 <= one_way.p_value <= 1
    assert one_way.p_value == other_way.p_value
    assert (one_way.verdict, other_way.verdict) != ("PROMOTE", "PROMOTE")
    assert (one_way.verdict == "PROMOTE") == all(each.passed is not False for each in one_way.questions)
    assert one_way.reason.endswith(".")
