"""Random histories, always the same: after each of them all invariants hold, but not without a protection."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.pipelines.machines.definition_examples import MACHINES
from tests.simulation.histories import history, kinds, play, shorten
from tests.simulation.world import deployed

#: Seeds are spread over parts, so that the parts can be tested side by side.
PARTS, HISTORIES = 6, 50

Definitions = dict[str, dict[str, Any]]


@pytest.mark.parametrize("part", range(PARTS))
def test_all_invariants_hold_after_every_history(part):
    for seed in range(part * HISTORIES, (part + 1) * HISTORIES):
        told = play(history(seed))
        assert not told.broken, f"python -m tests.simulation.histories {seed} --shorten\n{told}"


def test_a_seed_is_played_the_same_way_again():
    assert play(history(3)).happened == play(history(3)).happened


def without_order(definitions: Definitions) -> None:
    """Whichever run ends last is the month."""
    states = definitions["inference"]["States"]
    states["Superseded"]["Choices"] = []
    made = states["MadeBefore"]
    made["Choices"] = [rule for rule in made["Choices"] if rule["Next"] != "Audience"]


def without_month(definitions: Definitions) -> None:
    """Labels are recorded also in the place of others than those that were read."""
    for name in ("RecordLabels", "RecordAmended"):
        for action in definitions["inference"]["States"][name]["Parameters"]["TransactItems"]:
            put = action.get("Put", {})
            if ":replaced" in put.get("ExpressionAttributeValues", {}):
                for part in ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues"):
                    del put[part]


def without_condition_on(entry: str) -> Callable[[Definitions], None]:
    """Labels are recorded also when the item has changed since it was read."""

    def change(definitions: Definitions) -> None:
        actions = definitions["inference"]["States"]["RecordLabels"]["Parameters"]["TransactItems"]
        actions[:] = [
            action
            for action in actions
            if action.get("ConditionCheck", {}).get("Key", {}).get("entry") != {"S": entry}
        ]

    return change


def without_keeping(definitions: Definitions) -> None:
    """Training does not get the decisions that are in labels."""
    states = definitions["inference"]["States"]
    states["RecordAmended"]["Next"] = states["KeepDecisions"]["Next"]


def without_showing_again(definitions: Definitions) -> None:
    """Whoever copies labels to where Athena reads does not look again."""
    states = definitions["inference"]["States"]
    states["NoteShown"]["Next"] = states["NewestShown"]["Choices"][0]["Next"]


def without_replaced(definitions: Definitions) -> None:
    """Labels that take the place of others do not take over their decisions."""
    arguments = definitions["inference"]["States"]["Publish"]["Parameters"]["AppSpecification"]
    words = arguments["ContainerArguments.$"]
    arguments["ContainerArguments.$"] = words.replace("$.target.month.digest.S", "''")


def without_comparing(definitions: Definitions) -> None:
    """A challenger wins also against a winner that it was not compared with."""
    for name in ("FirstWinner", "SwitchWinner"):
        put = definitions["comparison"]["States"][name]["Parameters"]["TransactItems"][0]["Put"]
        for part in ("ConditionExpression", "ExpressionAttributeValues"):
            put.pop(part, None)


#: What is left out, a seed whose history breaks without it, and what the first sentence then says.
BROKEN = {
    "order": (without_order, 3, "the newest delivery is"),
    "month": (without_month, 18, "the newest delivery is"),
    "winner": (without_condition_on("WINNER"), 92, "of a model that was not the winner"),
    "codebook": (without_condition_on("GROUP"), 16, "by a codebook that was replaced"),
    "keeping": (without_keeping, 1, "training does not read it"),
    "showing again": (without_showing_again, 16, "Athena does not read"),
    "replaced": (without_replaced, 27, "is lost"),
    "comparing": (without_comparing, 25, "the winner was"),
}


@pytest.mark.parametrize("protection", BROKEN)
def test_without_a_protection_an_invariant_is_broken(protection):
    change, seed, sentence = BROKEN[protection]
    definitions = copy.deepcopy({machine: deployed(machine) for machine in MACHINES})
    change(definitions)
    assert not play(history(seed)).broken
    told = play(history(seed), definitions)
    assert any(sentence in each for each in told.broken), str(told)


def test_a_broken_history_is_shortened_to_what_breaks_it():
    change, seed, _ = BROKEN["order"]
    definitions = copy.deepcopy({machine: deployed(machine) for machine in MACHINES})
    change(definitions)
    told = play(history(seed), definitions)
    shortest = shorten(told, definitions)
    assert len(shortest.plan) < len(told.plan)
    assert kinds(shortest) & kinds(told)
