"""Waiting, in the rehearsal that the delivery runs; the whole of it was run against the local stack."""

import pytest

from infra.rehearsal.run import POLL_SECONDS, wait_for


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
