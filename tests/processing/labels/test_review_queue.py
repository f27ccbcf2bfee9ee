"""Which labels people look at: as many as the wanted precision asks for, as far as people's time goes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.labels.review_queue import choose
from processing.policy import Policy

RNG = np.random.default_rng(7)


def plan_of(confidence, marked=None, no_code=None, **policy):
    nothing = np.zeros(len(confidence), bool)
    marked, no_code = (nothing if mask is None else np.array(mask) for mask in (marked, no_code))
    return choose(np.asarray(confidence, float), marked, no_code, Policy(**policy))


def test_the_least_sure_are_looked_at_until_the_rest_is_as_precise_as_wanted():
    queue = plan_of([0.99, 0.5, 0.99, 0.6, 0.95], precision=0.97)
    assert queue.unsure.tolist() == [False, True, False, True, False]
    assert queue.plan["expected_precision"] == pytest.approx((0.99 + 0.99 + 0.95) / 3, abs=1e-4)


def test_labels_that_are_precise_enough_are_left_alone():
    assert not plan_of([0.99, 0.98, 0.97], precision=0.98).unsure.any()


def test_what_the_model_marks_is_looked_at_however_precise_the_rest_is():
    queue = plan_of([0.99, 0.995, 0.999], marked=[True, False, False], precision=0.9)
    assert queue.unsure.tolist() == [True, False, False]


def test_calibrated_confidence_gives_the_precision_it_promises():
    sure = RNG.beta(8, 1, 200_000)
    right = RNG.random(len(sure)) < sure
    queue = plan_of(sure, precision=0.98)
    assert right[~queue.unsure].mean() == pytest.approx(0.98, abs=0.002)
    assert 0 < queue.unsure.mean() < 1


def test_of_a_month_as_many_are_looked_at_as_leave_few_wrong_among_all_that_are_published():
    queue = plan_of([0.99, 0.5, 0.99, 0.6, 0.95], promise="month", precision=0.9)
    assert queue.unsure.tolist() == [False, True, False, False, False]
    assert queue.plan["expected_month"] == pytest.approx(1 - (0.01 + 0.01 + 0.4 + 0.05) / 5, abs=1e-4)
    assert queue.plan["expected_precision"] == pytest.approx((0.99 + 0.99 + 0.6 + 0.95) / 4, abs=1e-4)
    # What has no code is decided by people, too.
    nameless = [False, True, False, False, False]
    assert not plan_of(
        [0.99, 0.5, 0.99, 0.6, 0.95], None, nameless, promise="month", precision=0.9
    ).unsure.any()


@pytest.mark.parametrize("promise", ["automatic", "month"])
def test_the_plan_says_what_is_expected_under_either_promise(promise):
    sure = RNG.beta(8, 1, 200_000)
    right = RNG.random(len(sure)) < sure
    queue = plan_of(sure, precision=0.98, promise=promise)
    alone = ~queue.unsure
    assert right[alone].mean() == pytest.approx(queue.plan["expected_precision"], abs=0.002)
    assert (right | ~alone).mean() == pytest.approx(queue.plan["expected_month"], abs=0.002)
    kept = {"automatic": "expected_precision", "month": "expected_month"}[promise]
    assert queue.plan[kept] == pytest.approx(0.98, abs=1e-4) and queue.plan["promise"] == promise


def test_at_the_reviewers_capacity_the_surest_are_let_through_and_the_plan_says_what_that_costs():
    queue = plan_of([0.2, 0.4, 0.6, 0.9], precision=1.0, review_capacity=2)
    assert queue.unsure.tolist() == [True, True, False, False]
    assert queue.let_through.tolist() == [False, False, True, True]
    plan = queue.plan
    assert (plan["items"], plan["needed"], plan["let_through"]) == (2, 4, 2)
    assert plan["expected_precision"] == 0.75 < plan["wanted_precision"]


def test_items_without_a_code_are_looked_at_beyond_any_capacity_and_count_first():
    queue = plan_of(
        [0.2, 0.9, 0.9, 0.1], no_code=[False, True, True, False], precision=1.0, review_capacity=3
    )
    assert queue.plan["items"] == 3
    assert queue.unsure.tolist() == [False, False, False, True]
    none_left = plan_of([0.2, 0.9, 0.9], no_code=[False, True, True], precision=1.0, review_capacity=1)
    assert none_left.plan["items"] == 2 and none_left.let_through.tolist() == [True, False, False]


def test_the_plan_says_what_other_capacities_would_buy():
    confidence = np.linspace(0.5, 1, 1_001)
    buys = plan_of(confidence, precision=0.98).plan["what_a_capacity_buys"]
    assert [row["items"] for row in buys] == [0, 100, 300, 1_000]
    assert [row["expected_precision"] for row in buys] == [0.75, 0.775, 0.825, 1.0]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=40),
    precision=st.floats(0, 1),
    capacity=st.none() | st.integers(0, 50),
)
def test_every_item_is_counted_once_and_no_capacity_is_overdrawn(rows, precision, capacity):
    confidence, marked, no_code = (
        (np.array(column) for column in zip(*rows, strict=True))
        if rows
        else (
            np.zeros(0),
            np.zeros(0, bool),
            np.zeros(0, bool),
        )
    )
    queue = choose(confidence, marked, no_code, Policy(precision=precision, review_capacity=capacity))
    plan = queue.plan
    assert not (queue.unsure & queue.let_through).any() and not (queue.unsure & no_code).any()
    assert plan["items"] == queue.unsure.sum() + no_code.sum()
    assert plan["items"] + plan["automatic"] == len(rows)
    assert plan["needed"] == plan["items"] + plan["let_through"]
    if capacity is not None:
        assert plan["items"] <= max(capacity, no_code.sum())
    if not plan["let_through"] and plan["automatic"]:
        assert plan["expected_precision"] >= precision - 1e-4


def test_the_plan_says_what_each_capacity_below_the_number_of_items_would_buy():
    confidence = np.linspace(0.5, 1, 10_001)
    queue = plan_of(confidence, no_code=[True] + [False] * 10_000, precision=0)
    bought = queue.plan["what_a_capacity_buys"]
    assert [each["items"] for each in bought] == [0, 100, 300, 1_000, 3_000, 10_000]
    # The item without a code is looked at first; 99 more of the least sure leave the mean of the others.
    assert bought[1]["expected_precision"] == pytest.approx(confidence[100:].mean(), abs=1e-4)
    assert bought[0]["expected_precision"] == pytest.approx(confidence[1:].mean(), abs=1e-4)
