"""From which confidence on a label needs no person: what is promised holds on new items nearly always."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from mapie.risk_control import BinaryClassificationController
from scipy.stats import binom

from processing.labels.without_person import at_once, needed
from training.thresholds import NEVER, Promise, Rows, at_least, by_code, without_person
from training.train import left_to_people

RNG = np.random.default_rng


def promise(kind="automatic", precision=0.98, code_precision=0.8, n_codes=1, critical=()):
    return Promise(kind, precision, code_precision, np.isin(np.arange(n_codes), critical))


def rows(sure, right, code=None, text=None):
    """Answers of two codes or more; what is wrong is of the code before."""
    code = np.zeros(len(sure), int) if code is None else code
    label = np.where(right, code, np.where(code > 0, code - 1, 1))
    return Rows(sure, code, label, np.arange(len(sure)) if text is None else text)


ALL_CODES_ALIKE = promise(precision=0.95, code_precision=0)


def drawn(rng, n, low=0.8):
    """Confidences that tell the truth, uniform from `low` to 1."""
    sure = rng.uniform(low, 1, n)
    return rows(sure, rng.random(n) < sure)


def test_labels_above_the_thresholds_are_as_precise_as_promised_on_new_items_nearly_always():
    rng = RNG(0)
    # The true precision above a threshold, for uniform confidences.
    right = [(by_code(drawn(rng, 1500), ALL_CODES_ALIKE)[0] + 1) / 2 for _ in range(60)]
    assert np.mean(np.array(right) >= 0.95) >= 0.9
    assert np.mean(np.array(right) < 0.99) > 0.5


def test_of_a_month_as_few_labels_are_wrong_as_promised_and_more_of_them_need_no_person():
    rng = RNG(0)
    month, alone = [], []
    for _ in range(60):
        given = drawn(rng, 1500)
        threshold = by_code(given, replace(ALL_CODES_ALIKE, kind="month"))[0]
        month.append(1 - (1 - threshold) ** 2 / 2 / 0.2)
        alone.append(threshold <= by_code(given, ALL_CODES_ALIKE)[0])
    assert np.mean(np.array(month) >= 0.95) >= 0.9
    assert np.mean(np.array(month) < 0.97) > 0.5
    assert np.mean(alone) > 0.9


def test_a_small_group_lets_nothing_through_by_luck():
    """Of the best of all thresholds one in eight such groups got some, and all broke the promise."""
    rng, n, chance = RNG(0), 300, 0.96
    sure = rng.uniform(size=n)
    luck = [(by_code(rows(sure, rng.random(n) < chance), promise())[0] < NEVER) for _ in range(100)]
    assert np.mean(luck) <= 0.02


def test_a_code_that_is_often_wrong_goes_to_a_person_while_the_group_keeps_its_promise():
    rng = RNG(0)
    code = np.repeat([0, 1], [4000, 200])
    sure = rng.uniform(0.99, 1, len(code))
    right = rng.random(len(code)) < np.array([0.999, 0.7])[code]
    thresholds = by_code(rows(sure, right, code), promise(precision=0.95, n_codes=2))
    assert thresholds[0] < 0.992
    assert thresholds[1] == NEVER
    # With a lower floor to keep it goes through with the others.
    lower = promise(precision=0.95, code_precision=0.5, n_codes=2)
    assert by_code(rows(sure, right, code), lower)[1] < NEVER


def test_a_critical_code_keeps_the_full_precision():
    rng = RNG(0)
    code = np.repeat([0, 1], [4000, 400])
    sure = rng.uniform(0.99, 1, len(code))
    right = rng.random(len(code)) < np.array([0.997, 0.95])[code]
    assert by_code(rows(sure, right, code), promise(n_codes=2))[1] < NEVER
    assert by_code(rows(sure, right, code), promise(n_codes=2, critical=[1])).tolist()[1] == NEVER


@pytest.mark.parametrize(("chance", "through"), [(1.0, True), (0.6, False)])
def test_codes_with_too_few_rows_of_their_own_keep_the_floor_together(chance, through):
    rng = RNG(0)
    code = np.concatenate([np.zeros(4000, int), np.repeat(np.arange(1, 11), 10)])
    sure = rng.uniform(0.99, 1, len(code))
    right = (rng.random(len(code)) < chance) | (code == 0)
    thresholds = by_code(rows(sure, right, code), promise(n_codes=12))
    assert thresholds[0] < NEVER
    assert ((thresholds[1:] < NEVER) == through).all()


def test_a_code_that_few_rows_refute_is_not_let_through_for_the_others_it_is_pooled_with():
    code = np.concatenate([np.zeros(4000, int), np.repeat(np.arange(1, 12), 25)])
    right = (code != 1) | (np.arange(len(code)) % 5 < 2)
    sure = RNG(0).uniform(0.99, 1, len(code))
    thresholds = by_code(rows(sure, right, code), promise(precision=0.95, n_codes=12))
    assert (thresholds == NEVER).tolist() == [False, True, *[False] * 10]


def test_a_common_code_that_takes_the_rare_ones_items_is_given_less_freely():
    rng = RNG(0)
    truth = np.repeat([0, 1], [4750, 250])
    swallowed = (truth == 1) & (rng.random(5000) < 0.25)
    code = np.where(swallowed, 0, truth)
    sure = np.where(swallowed, rng.uniform(0.9, 0.99, 5000), rng.uniform(0.9, 1, 5000))
    given = Rows(sure, code, truth, np.arange(5000))
    without_a_floor = by_code(given, promise(code_precision=0, n_codes=2))
    assert without_a_floor.max() < 0.91
    alone = without_person(given, by_code(given, promise(n_codes=2)))
    wrong = (alone & swallowed).sum()
    assert 20 <= wrong <= 25  # a tenth of the rare code's items
    assert 0.3 < alone.mean() < 0.9
    # Where there are few of them nothing can be shown, and one wrong row does not decide.
    few = np.flatnonzero((truth == 0) | (np.cumsum(truth) <= 20))
    given = Rows(sure[few], code[few], truth[few], few)
    assert by_code(given, promise(n_codes=2))[0] < 0.91


def test_no_code_is_promised_98_per_cent_on_fewer_than_149_rows():
    assert needed(0.98) == 149
    assert at_least(np.ones(149, bool), np.arange(149)) >= 0.98 > at_least(np.ones(148, bool), np.arange(148))


def test_rows_of_one_text_count_little_because_they_are_right_or_wrong_together():
    rng = RNG(0)
    held, alone = [], []
    for _ in range(60):
        of_text = rng.uniform(0.5, 1, 300)
        text = np.repeat(np.arange(300), rng.integers(1, 60, 300))
        right = (rng.random(300) < of_text)[text]
        above = of_text[text] >= 0.9
        held.append(at_least(right[above], text[above]) <= 0.95)
        alone.append(at_least(right[above], np.arange(above.sum())) <= 0.95)
    assert np.mean(held) > 0.85 > np.mean(alone)


def test_where_no_threshold_is_precise_enough_everything_goes_to_a_person():
    few = rows(np.linspace(0.1, 0.9, 50), np.ones(50, bool))
    assert by_code(few, promise()).tolist() == [NEVER]
    assert by_code(few, promise("month")).tolist() == [NEVER]
    assert by_code(rows(np.zeros(0), np.zeros(0, bool)), promise(n_codes=3)).tolist() == [NEVER] * 3
    assert by_code(drawn(RNG(0), 2000, 0.99), promise(precision=1.0)).tolist() == [NEVER]


def test_equal_confidences_are_on_one_side_of_the_threshold():
    assert by_code(rows(np.full(1000, 0.9), np.arange(1000) % 2 == 0), promise()).tolist() == [NEVER]


def test_the_bound_is_that_of_the_binomial_distribution():
    right = np.arange(200) >= 3
    bound = at_least(right, np.arange(200), 0.05)
    assert binom.cdf(3, 200, 1 - bound) == pytest.approx(0.05)


@pytest.mark.parametrize("seed", range(5))
def test_mapie_lets_the_same_labels_through(seed):
    """By its p-values of the precision of labels without a person: the lowest threshold that passes."""
    given = drawn(RNG(seed), 2000, 0.8)
    ours = by_code(given, ALL_CODES_ALIKE)[0]
    order = np.sort(given.sure)[::-1]
    sequence = order[np.ceil(np.arange(1, 101) / 100 * 2000).astype(int) - 1]
    peer = BinaryClassificationController(
        lambda sure: np.stack([1 - sure, sure], axis=1),
        "precision",
        target_level=0.95,
        confidence_level=0.95,
        list_predict_params=sequence,
    )
    peer.calibrate(given.sure, given.right.astype(int))
    p_values = peer.p_values.ravel()
    passed = np.flatnonzero(p_values <= at_once(0.05, 2000, 0.95))
    # It rounds up, in floating point, a count made of a share: so it is one step stricter at most.
    assert ours in sequence[passed[-1] : passed[-1] + 2]
    wrong = np.array([(given.sure >= threshold) & ~given.right for threshold in sequence]).sum(axis=1)
    n = np.array([(given.sure >= threshold).sum() for threshold in sequence])
    rounded = np.ceil(n * (1 - (n - wrong) / n))
    assert (rounded - wrong <= 1).all()
    assert (binom.cdf(wrong, n, 0.05) <= p_values * (1 + 1e-9)).all()
    assert (p_values <= binom.cdf(rounded, n, 0.05) * (1 + 1e-9)).all()


@pytest.mark.parametrize("precision", [0.98, 0.95, 0.9])
@pytest.mark.parametrize("n", [300, 1000, 4000])
def test_where_confidences_say_nothing_one_group_in_twenty_passes_just_short_of_its_promise(n, precision):
    """The exact chance that any of a hundred tests passes, wrong rows coming one by one at the limit."""
    level = float(at_once(0.05, n, precision))
    passed, before, of_wrong = 0.0, 0, np.ones(1)
    for rows_above in np.ceil(np.arange(1, 101) / 100 * n).astype(int):
        new = rows_above - before
        of_wrong = np.convolve(of_wrong, binom.pmf(np.arange(new + 1), new, 1 - precision))
        before = rows_above
        fine = binom.cdf(np.arange(len(of_wrong)), rows_above, 1 - precision) <= level
        passed += of_wrong[fine].sum()
        of_wrong = np.where(fine, 0, of_wrong)
    assert 0.03 < passed < 0.06


@pytest.mark.parametrize("precision", [0.95, 0.9])
def test_one_wrong_row_among_the_surest_does_not_send_all_to_people(precision):
    right = np.arange(600) < 500
    right[[20, 40]] = False
    given = rows(np.linspace(1, 0.4, 600), right)
    alone = without_person(given, by_code(given, promise(precision=precision)))
    assert alone.sum() >= 490


def test_a_lower_precision_never_sends_more_to_people():
    for seed in range(10):
        given = drawn(RNG(seed), 600, 0.5)
        code = RNG(seed).integers(0, 12, 600)
        given = rows(given.sure, given.right, code)
        alone = [
            without_person(given, by_code(given, promise(precision=precision, n_codes=12))).mean()
            for precision in (0.98, 0.95, 0.9, 0.85, 0.8)
        ]
        assert alone == sorted(alone)
        assert alone[-1] > 0


def test_what_is_above_a_threshold_is_asked_code_by_code():
    given = rows(np.array([0.9, 0.9, 0.8]), np.ones(3, bool), np.array([0, 1, 1]))
    assert without_person(given, np.array([0.95, 0.85])).tolist() == [False, True, False]


@pytest.mark.parametrize("kind", ["automatic", "month"])
def test_the_log_says_what_the_thresholds_of_the_policys_promise_let_through(kind):
    given, promised = drawn(RNG(3), 1500), promise(kind, n_codes=2)
    group, own = SimpleNamespace(codes=["a", "b"], labels=given.label), by_code(given, promised)
    said = left_to_people(group, given, promised, own)[0]
    for precision in (0.98, 0.95, 0.9):
        at = by_code(given, replace(promised, precision=precision))
        assert f"{100 * without_person(given, at).mean():.1f} % at {100 * precision:g} %" in said
