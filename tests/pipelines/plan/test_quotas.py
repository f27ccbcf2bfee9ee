"""Sixty groups and a quota of eight: they wait, nothing is lost, no quota is ever exceeded."""

from dataclasses import replace

import pytest

from pipelines.plan import usage
from pipelines.plan.errors import PlanError
from pipelines.plan.groups import full_scale
from pipelines.plan.quotas import needed
from pipelines.plan.waiting import simulate


@pytest.fixture
def month(settings):
    """The retraining of the full scale, all of it landing at once."""
    return {group.name: usage.retraining(group, settings) for group in full_scale()}


def test_sixty_groups_at_a_quota_of_eight_wait_and_nothing_is_lost(month, settings, prices):
    done = simulate(month, settings, prices, quota=8)
    assert done.finished.keys() == month.keys()
    assert not done.failed
    assert done.refusals > 0


@pytest.mark.parametrize("quota", [2, 8, 30])
def test_no_quota_is_ever_exceeded(month, settings, prices, quota):
    assert max(simulate(month, settings, prices, quota).most_at_once.values()) <= quota


def test_with_room_for_all_nobody_waits_and_the_end_comes_sooner(month, settings, prices):
    roomy, narrow = (simulate(month, settings, prices, quota) for quota in (120, 8))
    assert roomy.refusals == 0
    assert max(roomy.finished.values()) < max(narrow.finished.values())


def test_with_room_for_all_groups_do_not_delay_each_other(month, settings, prices):
    together = simulate(month, settings, prices, quota=120)
    for name in ("DE-weee", "IS-weee"):
        assert together.finished[name] == pytest.approx(
            simulate({name: month[name]}, settings, prices, quota=120).finished[name]
        )


def test_the_same_plan_gives_the_same_answer(month, settings, prices):
    assert simulate(month, settings, prices, 8) == simulate(month, settings, prices, 8)


def test_labels_are_done_sooner_than_if_retraining_asked_as_often(month, settings, prices):
    def as_often(run):
        often = usage.inference(full_scale()[0], settings)[0].jobs[0].retry
        return replace(run, jobs=tuple(replace(job, retry=often) for job in run.jobs))

    labels = {f"labels {group.name}": usage.inference(group, settings) for group in full_scale()}
    even = {name: [as_often(run) for run in runs] for name, runs in month.items()}
    first, mixed = (
        max(
            end
            for name, end in simulate(labels | runs, settings, prices, 8).finished.items()
            if name in labels
        )
        for runs in (month, even)
    )
    assert first < 0.7 * mixed


def test_a_policys_trials_are_planned_at_most_two_at_a_time(settings):
    for trials, at_once in ((1, 1), (30, 2)):
        group = replace(full_scale()[0], trials=trials)
        tune = next(
            job
            for job in usage.retraining(group, replace(settings, trials=0))[0].jobs
            if job.kind == "tuning"
        )
        assert (tune.trials, tune.parallel) == (trials, at_once)


def test_a_group_whose_tries_are_used_up_is_named_and_the_others_go_on(month, settings, prices):
    def impatient(run):
        jobs = [replace(job, retry=replace(job.retry, attempts=1)) for job in run.jobs]
        return replace(run, jobs=tuple(jobs))

    month["IS-weee"] = [impatient(run) for run in month["IS-weee"]]
    done = simulate(month, settings, prices, quota=4)
    assert done.failed == {"IS-weee": "Prepare was refused 2 times"}
    assert done.finished.keys() == month.keys() - {"IS-weee"}


def test_a_run_that_takes_longer_than_its_machine_allows_has_failed(month, settings, prices):
    month = {"DE-weee": [replace(run, timeout_seconds=60) for run in month["DE-weee"]]}
    done = simulate(month, settings, prices, quota=8)
    assert "longer than" in done.failed["DE-weee"]
    assert not done.finished


def test_a_quota_below_the_searchs_parallel_trials_is_refused_with_the_fix(month, settings, prices):
    with pytest.raises(PlanError, match=r"TuneWarm needs 2 instances at once, but the quota is 1\. Fix:"):
        simulate(month, settings, prices, quota=1)


def test_spot_trials_count_against_a_quota_of_their_own(settings, prices, group):
    on_spot = replace(settings, spot=True)
    done = simulate({"DE-weee": usage.retraining(group, on_spot)}, on_spot, prices, quota=8)
    assert done.most_at_once["spot training"] == 2
    assert done.most_at_once["training"] == 1


def test_one_run_needs_the_places_of_its_largest_job_of_each_kind_on_both_types_of_a_search():
    assert needed() == {
        ("processing", "ProcessingInstanceType"): 1,
        ("training", "TrainingInstanceType"): 1,
        ("spot training", "TrainingInstanceType"): 2,
        ("spot training", "SecondTrainingInstanceType"): 2,
        ("transform", "TransformInstanceType"): 1,
    }
