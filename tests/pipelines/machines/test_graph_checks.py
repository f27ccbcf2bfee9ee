"""Every machine is a sound graph whose tasks end in time and fail aloud; the checks find planted faults."""

import copy

import pytest

from tests.definition_checks import graph_problems, guard_problems
from tests.pipelines.machines.definition_examples import MACHINES, definition_of


@pytest.mark.parametrize("machine", MACHINES)
def test_every_state_exists_and_is_reached(machine):
    assert graph_problems(definition_of(machine)) == []


@pytest.mark.parametrize("machine", MACHINES)
def test_every_task_has_a_timeout_a_retry_with_jitter_and_a_catch(machine):
    assert guard_problems(definition_of(machine)) == []


@pytest.mark.parametrize("machine", MACHINES)
def test_a_task_gives_up_only_after_its_job_must_have_ended(machine):
    for state in definition_of(machine)["States"].values():
        parameters = state.get("Parameters", {})
        stopping = parameters.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 0)
        assert state.get("TimeoutSeconds", 1) > stopping


def _missing_next(states):
    states["Prepare"]["Next"] = "Tume"


def _missing_start_of_catch(states):
    states["Prepare"]["Catch"][0]["Next"] = "Nowhere"


def _unreachable(states):
    states["Island"] = {"Type": "Succeed"}


def _choice_without_default(states):
    del states["GroupKnown"]["Default"]


def _all_before_others(states):
    states["Prepare"]["Catch"].append({"ErrorEquals": ["States.Timeout"], "Next": "Tampered"})


def _all_with_others(states):
    states["Prepare"]["Catch"][0]["ErrorEquals"] = ["States.Timeout", "States.ALL"]


def _neither_next_nor_end(states):
    del states["Announce"]["End"]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        (_missing_next, "Prepare goes to the state Tume, which is missing"),
        (_missing_start_of_catch, "Prepare goes to the state Nowhere, which is missing"),
        (_unreachable, "Island cannot be reached"),
        (_choice_without_default, "GroupKnown is a Choice without Default"),
        (_all_before_others, "Prepare: States.ALL in Catch is not last and alone"),
        (_all_with_others, "Prepare: States.ALL in Catch is not last and alone"),
        (_neither_next_nor_end, "Announce needs either Next or End"),
    ],
)
def test_a_planted_fault_in_the_graph_is_found(fault, problem):
    definition = copy.deepcopy(definition_of("training"))
    fault(definition["States"])
    assert problem in graph_problems(definition)


def test_a_start_that_is_missing_is_found():
    assert graph_problems({**definition_of("training"), "StartAt": "Begin"}) == [
        "StartAt names the state Begin, which is missing"
    ]


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ("TimeoutSeconds", "Train has no TimeoutSeconds"),
        ("Catch", "Train does not catch States.ALL"),
        ("Retry", "Train needs Retry with full jitter and MaxDelaySeconds"),
    ],
)
def test_an_unguarded_task_is_found(field, problem):
    definition = definition_of("training")
    del definition["States"]["Train"][field]
    assert guard_problems(definition) == [problem]


def test_a_machine_without_an_end_is_found():
    definition = definition_of("training")
    del definition["TimeoutSeconds"]
    assert guard_problems(definition) == ["the machine has no TimeoutSeconds"]
