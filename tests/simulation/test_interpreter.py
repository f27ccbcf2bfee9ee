"""The simulation's interpreter takes every definition as moto's does, and leaves the same."""

import random
from types import SimpleNamespace

import pytest

from tests.infra.engines import interpreter as other
from tests.infra.engines.scenarios import SCENARIOS, in_moto, what_it_leaves
from tests.pipelines.machines.conftest import Cloud
from tests.pipelines.machines.definition_examples import ACCOUNT, INPUTS, REGION
from tests.simulation.interpreter import Call, Surroundings, TaskFailed, execute


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_goes_the_same_way_as_moto_and_leaves_the_same(name, monkeypatch):
    scenario = SCENARIOS[name]
    left = what_it_leaves(scenario, in_steps, monkeypatch)
    assert " ".join(left["states"]).endswith(scenario.ends)
    assert left == what_it_leaves(scenario, in_moto, monkeypatch)


def in_steps(cloud: Cloud, scenario, monkeypatch) -> SimpleNamespace:
    given, states = dict(INPUTS[scenario.given]), []
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{scenario.machine}:{given['run']}"
    around = Surroundings(lambda: "2026-10-03T08:00:00.000Z", random.Random(1).random, states.append)
    execution = execute(cloud.definition(scenario.machine), given["run"], arn, given, around)
    step = execution.send
    said = None
    while True:
        try:
            asked = step(said)
        except StopIteration as ended:
            return SimpleNamespace(**ended.value._asdict(), states=states)
        step, said = execution.send, None
        if isinstance(asked, Call):
            try:
                said = other.answer(cloud, asked.resource, asked.parameters, scenario.approval)
            except other.TaskFailed as failed:
                step, said = execution.throw, TaskFailed(*failed.args)
