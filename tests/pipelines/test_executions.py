"""Starting executions: each once, and anew only what ended in vain."""

import json

import pytest

from pipelines import executions, names, runs

MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:comparison"
RUN = {"run": "DE-weee-comparison-2026-10-0f3a9c21d4e5", "group": "DE-weee", "period": "2026-10"}


class Machines:
    """Step Functions, as far as starting uses it: `statuses` of the executions, by name."""

    class exceptions:
        class ExecutionAlreadyExists(Exception): ...

    def __init__(self, **statuses: str):
        self.statuses = statuses

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:
        assert (stateMachineArn, json.loads(input)["run"]) == (MACHINE, name)
        if name in self.statuses:
            raise self.exceptions.ExecutionAlreadyExists
        self.statuses[name] = "RUNNING"

    def describe_execution(self, executionArn: str) -> dict:
        machine, _, name = executionArn.rpartition(":")
        assert machine == MACHINE.replace("stateMachine", "execution")
        return {"status": self.statuses[name]}


def test_what_was_never_started_starts_under_its_own_name():
    machines = Machines()
    assert executions.start(machines, MACHINE, RUN, again=True) == RUN["run"]
    assert machines.statuses == {RUN["run"]: "RUNNING"}


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"])
def test_what_runs_or_has_succeeded_is_left_alone(status):
    machines = Machines(**{RUN["run"]: status})
    assert executions.start(machines, MACHINE, RUN, again=True) is None
    assert machines.statuses == {RUN["run"]: status}


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_what_ended_in_vain_starts_anew_once_however_often_it_is_asked_for(status):
    machines = Machines(**{RUN["run"]: status})
    started = executions.start(machines, MACHINE, RUN, again=True)
    assert started == runs.again(RUN)["run"] != RUN["run"]
    assert executions.start(machines, MACHINE, RUN, again=True) is None
    assert machines.statuses == {RUN["run"]: status, started: "RUNNING"}


def test_what_ended_in_vain_anew_starts_a_third_time():
    second = runs.again(RUN)["run"]
    machines = Machines(**{RUN["run"]: "FAILED", second: "ABORTED"})
    third = executions.start(machines, MACHINE, RUN, again=True)
    assert third == runs.again({**RUN, "run": second})["run"]
    assert len({RUN["run"], second, third}) == 3


def test_an_event_that_comes_twice_does_not_start_anew_what_has_failed():
    machines = Machines(**{RUN["run"]: "FAILED"})
    assert executions.start(machines, MACHINE, RUN) is None
    assert machines.statuses == {RUN["run"]: "FAILED"}


def test_a_run_started_again_is_of_the_same_group_purpose_and_period_and_has_the_same_input():
    again = runs.again(RUN)
    assert names.parse_run(again["run"]) == names.parse_run(RUN["run"])
    assert {**again, "run": RUN["run"]} == RUN


def test_what_is_not_an_execution_of_ours_is_not_named_anew():
    with pytest.raises(ValueError, match=r"'unload/x' is not a run's name\. Fix: take the input"):
        runs.again({"run": "unload/x"})
