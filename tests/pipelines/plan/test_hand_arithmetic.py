"""The plan of one group against sums done by hand; docs/cost.md shows the same sums to people who pay.

A job is billed for its start (90 s, a transform 120 s) and twice the seconds of one core that its rows took.
"""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.plan import prices as price_file
from pipelines.plan import usage
from pipelines.plan.groups import ModelGroup, full_scale
from pipelines.plan.month import plan
from pipelines.plan.usage import Settings, used_by_runs

INFERENCE_SECONDS = (
    90 + 2 * (2 + 60_000 * 0.000_002_5)  # Prepare: 94.3
    + 120 + 2 * (4 + 60_000 * 0.000_025 / 4)  # Transform, on four cores: 128.75
    + 90 + 2 * (2 + 60_000 * 0.000_009)  # Publish: 95.08
)  # fmt: skip
TRAINING_SECONDS = (
    90 + 2 * (2 + 30_000 * 0.000_002_5)  # Prepare: 94.15
    + 90 + 2 * (4 + 30_000 * 0.000_2)  # Featurize: 110
    + 8 * (90 + 2 * (4 + 30_000 * 0.000_4))  # Tune, eight trials: 976
    + 90 + 2 * (4 + 30_000 * 0.001_9)  # Train: 212
)  # fmt: skip
TEST_SECONDS = (
    90 + 2 * (2 + 6_000 * 0.000_002_5)  # Prepare: 94.03
    + 120 + 2 * (4 + 6_000 * 0.000_025 / 4)  # Transform: 128.075
    + 90 + 2 * (2 + 6_000 * 0.000_009)  # Publish: 94.108
)  # fmt: skip
COMPARE_SECONDS = 90 + 2 * (5 + 6_000 * 0.000_5)  # 106


def test_one_groups_inference_costs_what_the_sum_says(group, settings, prices):
    made = plan([group], settings, prices, quota=8).parts["inference"]
    assert pytest.approx(318.13) == INFERENCE_SECONDS
    assert made.jobs == 3
    assert made.instance_hours == pytest.approx(INFERENCE_SECONDS / 3600)
    # 0.0244 machines (0.276 an hour), 0.0006 volumes, 0.0004 requests, 0.0011 storage, 0.0011 transitions.
    assert made.dollars == pytest.approx(0.0276, abs=0.0002)


def test_one_groups_retraining_costs_what_the_sum_says(group, settings, prices):
    made = plan([group], settings, prices, quota=8).parts["retraining"]
    seconds = TRAINING_SECONDS + 2 * TEST_SECONDS + COMPARE_SECONDS
    assert seconds == pytest.approx(2130.576)
    assert made.jobs == 1 + 1 + 8 + 1 + 2 * 3 + 1
    assert made.instance_hours == pytest.approx(seconds / 3600)
    # 0.1633 machines, 0.0041 volumes, 0.0022 requests, 0.0009 storage, 0.0018 transitions, 0.0002 others.
    assert made.dollars == pytest.approx(0.1725, abs=0.0010)


def test_a_year_pays_twelve_times_for_what_the_first_month_stores(group, settings, prices):
    made = plan([group], settings, prices, quota=8)
    # 60,000 items and their 30,000 labelled rows, the test set of 6,000 three times more: 750 bytes each.
    assert made.stored_gb == pytest.approx(108_000 * 750 / 1e9)
    assert made.storage_dollars == pytest.approx(made.stored_gb * 0.0245)
    months = [made.dollars + earlier * made.storage_dollars for earlier in range(12)]
    assert made.year_dollars == pytest.approx(sum(months))


def test_one_group_alone_is_done_when_the_sum_says(group, settings, prices):
    made = plan([group], settings, prices, quota=8)
    launches = 90
    assert made.refusals == 0
    assert made.parts["inference"].finished_hours * 3600 == pytest.approx(INFERENCE_SECONDS + 3 * launches)
    # The eight trials run two at a time: four rounds of 122 s, each after a launch.
    training = 94.15 + 90 + 110 + 90 + 4 * (122 + 90) + 212 + 90
    after = 2 * (TEST_SECONDS + 3 * launches) + COMPARE_SECONDS + launches
    assert made.parts["retraining"].finished_hours * 3600 == pytest.approx(training + after)


def test_an_odd_number_of_trials_needs_one_more_round(group, settings, prices):
    five, six = (
        plan([group], replace(settings, trials=trials), prices, quota=8).parts["retraining"]
        for trials in (5, 6)
    )
    assert five.finished_hours == six.finished_hours
    assert five.dollars < six.dollars


MACHINES = ("ProcessingInstanceType", "TrainingInstanceType", "TransformInstanceType")
sizes = st.lists(st.tuples(st.integers(1, 10**7), st.integers(1, 10**6)), min_size=1, max_size=5)


@given(sizes=sizes, spot=st.booleans(), trials=st.integers(1, 20))
def test_cost_adds_up_over_groups(sizes, spot, trials):
    prices = price_file.load("eu-central-1")
    settings = Settings(dict.fromkeys(MACHINES, "ml.m5.large"), spot=spot, trials=trials)
    groups = [ModelGroup(f"DE-s{number}", *size) for number, size in enumerate(sizes)]
    chains = [usage.retraining(group, settings) + usage.inference(group, settings) for group in groups]
    together = prices.cost(used_by_runs([run for chain in chains for run in chain], settings, prices))
    assert together == pytest.approx(
        sum(prices.cost(used_by_runs(chain, settings, prices)) for chain in chains)
    )


def test_the_full_scale_is_38_countries_60_groups_and_3_3_million_items():
    groups = full_scale()
    assert len({group.name for group in groups}) == 60
    assert len({group.name[:2] for group in groups}) == 38
    assert sum(group.items for group in groups) == 3_300_000


def test_the_full_scale_stays_below_its_aims(settings, prices):
    parts = plan(full_scale(), settings, prices, quota=8).parts
    assert parts["inference"].dollars / 3.3 <= 2
    assert parts["retraining"].dollars <= 25
