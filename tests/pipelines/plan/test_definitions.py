"""The plan follows the committed state machines and the template."""

import json
import shutil

import pytest

from pipelines.plan import standing
from pipelines.plan.definitions import FOLDER, CapacityWait, capacity_wait, workflow
from pipelines.plan.errors import PlanError
from tests.simulation import faults


@pytest.fixture
def edited(tmp_path):
    """A copy of the definitions, and a function that edits one state of it."""
    folder = tmp_path / "definitions"
    shutil.copytree(FOLDER, folder)

    def edit(machine, change):
        path = folder / f"{machine}.asl.json"
        definition = json.loads(path.read_text(encoding="utf-8"))
        change(definition["States"])
        path.write_text(json.dumps(definition), encoding="utf-8")
        return folder

    return edit


def states_of(machine, purpose):
    return [job.state for job in workflow(machine, purpose).jobs]


def test_the_jobs_of_each_workflow_are_read_in_order():
    assert states_of("training", "training") == ["Prepare", "Featurize", "TuneWarm", "Train"]
    assert states_of("inference", "inference") == ["Prepare", "Transform", "Publish"]
    assert states_of("inference", "test") == ["Prepare", "Transform", "Publish"]
    assert states_of("comparison", "comparison") == ["Compare"]
    assert states_of("inference", "review") == ["Amend"]


def test_the_purpose_decides_which_way_is_planned():
    month, tested = (workflow("inference", purpose).states for purpose in ("inference", "test"))
    assert {"GetWinner", "NotifyStakeholders"} <= set(month)
    assert not {"GetWinner", "NotifyStakeholders"} & set(tested)
    assert "RecordPredictions" in tested


def test_spot_and_tries_of_a_search_are_the_definitions_and_its_trials_the_default_policys(edited):
    def change(states):
        states["TuneWarm"]["Parameters"]["TrainingJobDefinition"]["EnableManagedSpotTraining"] = False
        states["TuneWarm"]["Retry"][0]["MaxAttempts"] = 7

    tune = workflow("training", "training", edited("training", change)).jobs[2]
    assert (tune.trials, tune.parallel, tune.spot, tune.retry.attempts) == (8, 2, False, 7)
    assert workflow("training", "training").jobs[2].spot


def test_a_further_job_is_planned_too(edited):
    def change(states):
        states["Again"] = states["Train"] | {"Next": states["Train"]["Next"]}
        states["Train"] = states["Train"] | {"Next": "Again"}

    jobs = workflow("training", "training", edited("training", change)).jobs
    assert [job.state for job in jobs] == ["Prepare", "Featurize", "TuneWarm", "Train", "Again"]


def test_an_ordinary_month_enters_the_states_that_are_planned(tmp_path):
    story = faults.Story(None, "", None)
    story.folder = tmp_path
    with story.world.entered():
        story.publish_codes(3, approval=False)
        for period, codes in (("2026-09", "1"), ("2026-10", "12")):
            story.learn(codes)
            story.settle()
            story.land("inference", period, [{"item_id": "i1", "title": "thing 1 a"}])
            story.settle()
    second = {
        (run.machine, run.given.get("purpose", run.machine)): tuple(run.states)
        for run in story.world.runs.values()
    }
    assert len(second) == 4
    for (machine, purpose), states in second.items():
        planned = workflow(machine, purpose).states
        # MLOps are told of a month only where something needs attention; which verdict it is costs the same.
        assert abs(len(planned) - len(states)) <= 1, set(planned) ^ set(states)


def test_a_loop_that_data_decides_is_gone_through_once():
    states = workflow("inference", "inference").states
    assert states.count("PublishTable") == 1 and states.count("GetNewest") == 2


def test_a_way_that_only_turns_in_a_circle_is_none(edited):
    def change(states):
        states["Prepare"] = states["Prepare"] | {"Next": "GetGroup"}

    with pytest.raises(PlanError, match="no path for the purpose 'training'"):
        workflow("training", "training", edited("training", change))


def test_a_state_that_a_plan_does_not_know_is_refused(edited):
    def change(states):
        states["Train"]["Type"] = "Map"

    with pytest.raises(PlanError, match="State Train: a plan cannot follow a Map"):
        workflow("training", "training", edited("training", change))


def test_a_purpose_that_every_way_refuses_is_an_error():
    with pytest.raises(PlanError, match="no path for the purpose 'nonsense'"):
        workflow("inference", "nonsense")


def test_the_standing_cost_counts_what_the_templates_declare():
    used = standing.standing_usage()
    assert used["key month"] >= 5
    assert used["alarm month"] > used["dashboard month"] == 1
    assert 1 < used["custom metric month"] < 2
    assert used["queue request"] > 0


def test_the_template_says_which_machines():
    assert standing.default_instances().keys() == {
        "ProcessingInstanceType",
        "TrainingInstanceType",
        "TransformInstanceType",
    }
    assert all(kind.startswith("ml.") for kind in standing.default_instances().values())


def test_an_alarm_is_billed_by_the_metrics_it_looks_at(monkeypatch):
    simple = "      MetricName: One\n"
    several = "        - MetricStat:\n            Metric:\n              MetricName: A\n" * 3
    monkeypatch.setattr(standing, "_template", lambda name: simple + several)
    assert standing.standing_usage()["alarm month"] == 2 * (1 + 3)  # the same text for both templates


@pytest.mark.parametrize("machine", ["training", "inference", "comparison"])
def test_how_long_a_run_waits_for_machines_is_the_definitions(machine, edited):
    assert capacity_wait(machine) == CapacityWait(36, 300, 900)
    assert capacity_wait(machine).longest_hours == 9

    def change(states):
        states["OutOfCapacity"]["Choices"][1]["And"][2]["NumericLessThan"] = 4
        states["NextWait"]["Parameters"]["seconds.$"] = "States.MathRandom(60, 120)"

    assert capacity_wait(machine, edited(machine, change)) == CapacityWait(4, 60, 120)


def test_the_longest_wait_for_machines_leaves_time_for_the_jobs():
    for machine in ("training", "inference", "comparison"):
        assert capacity_wait(machine).longest_hours * 3600 < workflow(machine, machine).timeout_seconds / 2
