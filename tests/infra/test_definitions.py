"""Faults that a definition could have: there are none of them, and planted one at a time each is found."""

import pytest

from infra.local.aws_models import service_model
from tests.definition_checks import BOTOCORE_NAMES, as_sent, graph_problems, guard_problems
from tests.infra.faults import assert_found, put, renamed, state, without
from tests.infra.machine_calls import tasks
from tests.infra.policies import asked
from tests.infra.templates import MACHINES, definition

pytestmark = pytest.mark.usefixtures("engine")


def sound_graphs(stack):
    assert [graph_problems(definition(machine)) for machine in MACHINES] == [[], [], []]


def guarded_tasks(stack):
    assert [guard_problems(definition(machine)) for machine in MACHINES] == [[], [], []]


def known_request_keys(stack):
    for machine in MACHINES:
        for integration, parameters in tasks(stack, machine):
            service, _, operation = integration.removeprefix("aws-sdk:").partition(":")
            name = operation[0].upper() + operation[1:].partition(".")[0]
            known = service_model(BOTOCORE_NAMES.get(service, service)).operation_model(name).input_shape
            assert unknown_keys(as_sent(operation, parameters), known) == []


def unknown_keys(value, shape) -> list[str]:
    if isinstance(value, list) and shape.type_name == "list":
        return [key for item in value for key in unknown_keys(item, shape.member)]
    if not isinstance(value, dict) or shape.type_name != "structure":
        return []
    names = {key.removesuffix(".$"): item for key, item in value.items()}
    unknown = [name for name in names if name not in shape.members]
    return unknown + [
        key for name in names.keys() & shape.members for key in unknown_keys(names[name], shape.members[name])
    ]


def independent_linter(stack):
    assert asked(lint=[definition(machine) for machine in MACHINES]) == ["", "", ""]


@pytest.mark.parametrize("check", [sound_graphs, guarded_tasks, known_request_keys, independent_linter])
def test_the_definitions_have_none_of_these_faults(check, stack):
    check(stack)


def states_all_first(given):
    given["Retry"].insert(0, {**given["Retry"][0], "ErrorEquals": ["States.ALL"]})


FAULTS = {
    "an unreachable state": (
        ("Training", lambda source: put("Train", "Next")(source["States"]["Prepare"])),
        sound_graphs,
    ),
    "a state that is not there": (state("Inference", "Transform", put("Publsih", "Next")), sound_graphs),
    "a Choice without Default": (state("Training", "GroupKnown", without("Default")), sound_graphs),
    "States.ALL before others": (state("Training", "Prepare", states_all_first), sound_graphs),
    "a task that may wait for ever": (state("Training", "Tune", without("TimeoutSeconds")), guarded_tasks),
    "a task that fails without a word": (state("Comparison", "Compare", without("Catch")), guarded_tasks),
    "a wrong request key": (
        state("Training", "Prepare", lambda given: renamed("RoleArn", "Role")(given["Parameters"])),
        known_request_keys,
    ),
    "a field the language does not know": (
        state("Inference", "Prepare", renamed("ResultSelector", "ResultSelect")),
        independent_linter,
    ),
    "a path that is none": (state("Training", "Prepare", put("prepared", "ResultPath")), independent_linter),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    assert_found(*FAULTS[fault])
