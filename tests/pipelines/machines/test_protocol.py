"""No interleaving of deliveries, reviewers, comparisons, a rollback and a death breaks a month.

What is walked is the reference model, protocol.py; its last test holds it to the compiled definitions.
"""

from collections.abc import Iterable

import pytest

from tests.pipelines.machines.definition_examples import definition_of
from tests.pipelines.machines.protocol import CALLS, PROTECTIONS, Protocol, Run, State, explore

TWO_DELIVERIES = (Run("d1", "inference"), Run("d2", "inference"))
TWO_REVIEWERS = (Run("r1", "review"), Run("r2", "review"))
BAD_SHEET = (Run("bad", "review"),)
TWO_CHALLENGERS = tuple(Run(model, kind) for kind in ("training", "comparison") for model in ("t1", "t2"))

#: The smallest first: a protection's first counterexample ends its test.
HISTORIES = {
    "two challengers, two rollbacks": State(TWO_CHALLENGERS, rollbacks=2),
    "two challengers, a rollback, a death": State(TWO_CHALLENGERS, rollbacks=1, deaths=1),
    "a delivery, a reviewer, a sheet that is refused, a rollback, a death": State(
        (TWO_DELIVERIES[0], TWO_REVIEWERS[0], *BAD_SHEET), rollbacks=1, deaths=1
    ),
    "two deliveries, two reviewers": State((*TWO_DELIVERIES, *TWO_REVIEWERS)),
    "two deliveries, a reviewer, a rollback, a death": State(
        (*TWO_DELIVERIES, TWO_REVIEWERS[0]), rollbacks=1, deaths=1
    ),
}
ALL_AT_ONCE = State((*TWO_DELIVERIES, *TWO_REVIEWERS), rollbacks=1, deaths=1)


@pytest.mark.parametrize("history", HISTORIES)
def test_every_interleaving_ends_with_one_right_month_and_one_winner(history):
    states, broken = explore(HISTORIES[history], Protocol())
    assert broken is None
    assert states > 200, "nothing was walked"


def test_two_deliveries_two_reviewers_a_rollback_and_a_death_end_right_where_showing_is_one_step():
    assert explore(ALL_AT_ONCE, Protocol(coarse=True))[1] is None


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_without_any_one_protection_some_history_goes_wrong(protection):
    protocol = Protocol(without=frozenset({protection}))
    assert any(explore(start, protocol)[1] for start in HISTORIES.values()), PROTECTIONS[protection]


@pytest.mark.parametrize("machine", CALLS)
def test_the_definition_reads_and_writes_in_the_order_of_the_model(machine):
    definition = definition_of(machine)
    states = definition["States"]

    def is_listed(name: str) -> bool:
        is_put_off = name.endswith("Later")
        services = ("dynamodb", "s3", "events", "sfn")
        return not is_put_off and any(f":{it}:" in states[name].get("Resource", "") for it in services)

    def after(name: str) -> list[str]:
        state = states[name]
        expected = [catch for catch in state.get("Catch", []) if catch["ErrorEquals"] != ["States.ALL"]]
        ways = [way["Next"] for way in (*state.get("Choices", []), *expected)]
        return ways + [state[key] for key in ("Next", "Default") if key in state]

    def next_listed(names: Iterable[str]) -> str:
        seen, found, to_walk = set(), set(), list(names)
        while to_walk:
            name = to_walk.pop()
            if name in seen:
                continue
            seen.add(name)
            if is_listed(name):
                found.add(name)
            elif states[name]["Type"] == "Succeed" or states[name].get("End"):
                found.add("end")
            else:
                to_walk += after(name)
        return " ".join(sorted(found))

    found = {"start": next_listed([definition["StartAt"]])}
    found |= {name: next_listed(after(name)) or "end" for name in states if is_listed(name)}
    assert found == CALLS[machine]
