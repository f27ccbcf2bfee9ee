"""Waiting, in the rehearsal that the delivery runs; the whole of it was run against the local stack."""

import pytest

from infra.rehearsal.experiment import NotCompleted, experiment
from infra.rehearsal.runs import POLL_SECONDS, wait_for


def test_it_looks_again_until_something_is_there():
    answers, slept = [[], [], ["decision"]], []
    found = wait_for("decision", lambda: answers.pop(0), 60, sleep=slept.append, now=lambda: 0.0)
    assert found == ["decision"]
    assert slept == [POLL_SECONDS, POLL_SECONDS]


def test_it_gives_up_and_says_where_to_look():
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    with pytest.raises(TimeoutError, match="no labels after 100 s: look at the failure queue"):
        wait_for("labels", list, 100, sleep=sleep, now=lambda: clock[0])
    assert clock[0] == 120


class Faults:
    """AWS FIS: an experiment that is in the states given, one after the other, and stays in the last."""

    def __init__(self, *states: str):
        self.states, self.started, self.seen = list(states), [], []

    def start_experiment(self, experimentTemplateId: str, clientToken: str) -> dict:
        self.started.append((experimentTemplateId, clientToken))
        return {"experiment": {"id": "EXP1"}}

    def get_experiment(self, id: str) -> dict:
        self.seen.append(self.states.pop(0) if len(self.states) > 1 else self.states[0])
        return {"experiment": {"state": {"status": self.seen[-1], "reason": "why"}}}


def no_time() -> dict:
    return {"sleep": lambda seconds: None, "now": lambda: 0.0}


def test_an_experiment_is_begun_before_the_rehearsal_and_its_end_awaited_after_it():
    faults = Faults("pending", "running", "completed")
    with experiment(faults, "EXT1", 60, **no_time()):
        assert [template for template, _ in faults.started] == ["EXT1"]
        assert faults.seen == []
    assert faults.seen == ["pending", "running", "completed"]


@pytest.mark.parametrize("status", ["stopped", "failed", "cancelled"])
def test_an_experiment_that_did_not_complete_proves_nothing(status):
    with (
        pytest.raises(NotCompleted, match=f"EXP1 is {status}: why"),
        experiment(Faults(status), "E", 60, **no_time()),
    ):
        pass


def test_the_end_is_awaited_also_where_the_rehearsal_fails_so_that_no_fault_outlives_the_stage():
    faults = Faults("running", "completed")
    with pytest.raises(TimeoutError, match="no labels"), experiment(faults, "E", 60, **no_time()):
        raise TimeoutError("no labels")
    assert faults.seen == ["running", "completed"]
