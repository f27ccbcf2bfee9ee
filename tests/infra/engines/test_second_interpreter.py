"""Two interpreters that know nothing of each other take every definition the same way, and leave the same."""

import shutil
from types import SimpleNamespace

import pytest

from tests.infra.engines import interpreter
from tests.infra.engines.scenarios import SCENARIOS, Scenario, in_moto, what_it_leaves
from tests.pipelines.machines.conftest import Cloud
from tests.pipelines.machines.definition_examples import INPUTS

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (interpreter.FOLDER / "node_modules/aws-local-stepfunctions").is_dir(),
    reason="the second interpreter is not installed: npm ci --prefix tests/infra/engines",
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_interpreters_go_the_same_way_and_leave_the_same(name, monkeypatch):
    scenario = SCENARIOS[name]
    left = what_it_leaves(scenario, in_moto, monkeypatch)
    assert " ".join(left["states"]).endswith(scenario.ends)
    assert what_it_leaves(scenario, in_second_interpreter, monkeypatch) == left


def in_second_interpreter(cloud: Cloud, scenario: Scenario, monkeypatch) -> SimpleNamespace:
    return interpreter.run(cloud, scenario.machine, INPUTS[scenario.given], scenario.approval)
