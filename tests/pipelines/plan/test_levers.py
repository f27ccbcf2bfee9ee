"""Every lever saves, or says that it does not; more of it never costs more."""

from dataclasses import replace
from itertools import pairwise

import pytest

from pipelines.plan import usage
from pipelines.plan.groups import full_scale
from pipelines.plan.levers import levers
from pipelines.plan.standing import default_instances
from pipelines.plan.usage import Settings, used_by_job, used_by_runs


@pytest.fixture
def found(settings, prices):
    return {lever.name: lever for lever in levers(full_scale(), settings, prices)}


def cost(group, settings, prices):
    return prices.cost(used_by_runs(usage.retraining(group, settings), settings, prices))


def test_no_lever_costs_more_than_it_saves(found):
    assert all((lever.saves or lever.costs_without or 0) >= 0 for lever in found.values())


def test_stopping_single_trials_early_is_said_to_save_nothing(found):
    assert found["stop single trials early"].saves == 0


def test_no_lever_saves_more_than_the_whole_month_costs(found, settings, prices):
    runs = [
        run
        for group in full_scale()
        for run in usage.retraining(group, settings) + usage.inference(group, settings)
    ]
    whole = prices.cost(used_by_runs(runs, settings, prices))
    assert all(0 <= lever.saves < whole for lever in found.values() if lever.saves is not None)


def test_fewer_trials_never_cost_more(group, settings, prices):
    costs = [cost(group, replace(settings, trials=trials), prices) for trials in range(1, 20)]
    assert all(fewer < more for fewer, more in pairwise(costs))


def test_smaller_machines_cost_less_as_long_as_starting_is_most_of_a_job(group, settings, prices):
    small = replace(settings, instances=dict.fromkeys(settings.instances, "ml.m5.large"))
    assert cost(group, small, prices) < 0.6 * cost(group, settings, prices)


def test_spot_saves_less_than_its_discount_because_interrupted_trials_run_again(group, settings, prices):
    tune = usage.retraining(group, settings)[0].jobs[2]
    hours = used_by_job(tune, 30_000, settings, prices)["ml.m5.xlarge hour"]
    again = used_by_job(replace(tune, spot=True), 30_000, settings, prices)["ml.m5.xlarge spot hour"]
    assert hours < again < 1.01 * hours
    assert cost(group, replace(settings, spot=True), prices) < cost(group, settings, prices)


def test_a_lever_that_is_in_use_is_shown_as_what_leaving_it_would_cost(settings, prices):
    small = dict.fromkeys(settings.instances, "ml.m5.large")
    found = levers(full_scale(), replace(settings, spot=True, instances=small, trials=4), prices)
    in_use = {lever.name: lever for lever in found if lever.saves is None}
    assert {"Spot for tuning", "right-sized machines (ml.m5.large)"} <= set(in_use)
    assert all(lever.costs_without > 0 for lever in in_use.values())


def test_the_plan_without_settings_uses_what_the_definitions_and_the_template_use(prices):
    found = levers(full_scale(), Settings(default_instances()), prices)
    in_use = {lever.name for lever in found if lever.saves is None}
    assert {"Spot for tuning", "right-sized machines (ml.m5.large)"} <= in_use
