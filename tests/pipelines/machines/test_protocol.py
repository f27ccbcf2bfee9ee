"""No interleaving of deliveries, reviewers, comparisons, a rollback and a death breaks a month.

What is walked is the reference model, protocol.py; its last test holds it to the compiled definitions.
"""

import pytest

from tests.pipelines.machines.protocol import PROTECTIONS, Protocol, Run, State, explore

TWO_DELIVERIES = (Run("d1", "inference"), Run("d2", "inference"))
TWO_REVIEWERS = (Run("r1", "review"), Run("r2", "review"))
BAD_SHEET = (Run("bad", "review"),)
TWO_CHALLENGERS = tuple(Run(model, kind) for kind in ("training", "comparison") for model in ("t1", "t2"))

HISTORIES = {
    "two deliveries, a reviewer, a rollback, a death": State(
        (*TWO_DELIVERIES, TWO_REVIEWERS[0]), rollbacks=1, deaths=1
    ),
    "a delivery, a reviewer, a sheet that is refused, a rollback, a death": State(
        (TWO_DELIVERIES[0], TWO_REVIEWERS[0], *BAD_SHEET), rollbacks=1, deaths=1
    ),
    "two challengers, a rollback, a death": State(TWO_CHALLENGERS, rollbacks=1, deaths=1),
    "two deliveries, two reviewers": State((*TWO_DELIVERIES, *TWO_REVIEWERS)),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_every_interleaving_ends_with_one_right_month_and_one_winner(history):
    states, broken = explore(HISTORIES[history], Protocol())
    assert broken is None
    assert states > 300, "nothing was walked"


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_without_any_one_protection_some_history_goes_wrong(protection):
    protocol = Protocol(without=frozenset({protection}))
    assert any(explore(start, protocol)[1] for start in HISTORIES.values()), PROTECTIONS[protection]
