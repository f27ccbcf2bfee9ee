"""Random histories, always the same: after each of them all invariants hold, but not without a protection."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests import invariants
from tests.pipelines.machines.definition_examples import MACHINES
from tests.simulation.faults import tell
from tests.simulation.group import Group
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


def without_lasting(definitions: Definitions) -> None:
    """Labels do not take over the decisions of other months."""
    for given in definitions["inference"]["States"]["Publish"]["Parameters"]["ProcessingInputs"]:
        if given["InputName"] == "reviewed":
            [without] = [
                other
                for other in definitions["inference"]["States"]["Publish"]["Parameters"]["ProcessingInputs"]
                if other["InputName"] == "truth"
            ]
            given["S3Input"] = without["S3Input"]


def without_comparing(definitions: Definitions) -> None:
    """A challenger wins also against a winner that it was not compared with."""
    for name in ("FirstWinner", "SwitchWinner"):
        put = definitions["comparison"]["States"][name]["Parameters"]["TransactItems"][0]["Put"]
        for part in ("ConditionExpression", "ExpressionAttributeValues"):
            put.pop(part, None)


def without_pin(definitions: Definitions) -> None:
    """A winner that was pinned after the last look at it is replaced all the same."""
    for name in ("FirstWinner", "SwitchWinner"):
        put = definitions["comparison"]["States"][name]["Parameters"]["TransactItems"][0]["Put"]
        _, _, put["ConditionExpression"] = put["ConditionExpression"].partition(" AND ")


#: What is left out, a seed whose history breaks without it, and what the first sentence then says.
BROKEN = {
    "order": (without_order, 21, "the newest delivery is"),
    "month": (without_month, 3, "the newest delivery is"),
    "winner": (without_condition_on("WINNER"), 55, "of a model that was not the winner"),
    "codebook": (without_condition_on("GROUP"), 79, "by a codebook that was replaced"),
    "keeping": (without_keeping, 5, "training does not read it"),
    "showing again": (without_showing_again, 557, "Athena does not read"),
    "lasting": (without_lasting, 184, "is lost"),
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


def test_without_a_pins_condition_a_late_approval_replaces_a_winner_that_was_pinned_meanwhile():
    assert tell("pinned").broken == []
    definitions = copy.deepcopy({machine: deployed(machine) for machine in MACHINES})
    without_pin(definitions)
    assert any("replaces a winner pinned" in each for each in tell("pinned", definitions=definitions).broken)


@pytest.mark.parametrize("change", [None, without_replaced])
def test_a_decision_is_in_the_labels_that_replace_its_own_before_it_is_kept_for_other_months(
    change, tmp_path
):
    """The run that recorded it dies just then; histories hardly ever deliver at that very moment."""
    definitions = copy.deepcopy({machine: deployed(machine) for machine in MACHINES})
    if change:
        change(definitions)
    group = Group(7, 0, definitions)
    group.folder, group.world.stalls = tmp_path, set()
    group.world.fault = lambda running, call: "killed before" if call.state == "KeepDecisions" else None
    rows = [{"item_id": f"i{at}", "title": f"thing {at} a"} for at in range(3)]
    with group.world.entered():
        group.publish_codes(3, approval=False)
        group.land("training", "2026-10", [row | {"label": "1"} for row in rows])
        group.world.settle()
        group.land("inference", "2026-10", rows)
        group.world.settle()
        group.fill("2026-10", lambda row: "2", wanted=["i0"])
        group.import_sheet(group.sheets[0], "Anna")
        group.world.settle()
        group.land("inference", "2026-10", rows)
        group.world.settle()
        broken = [*invariants.decisions_pass_from_version_to_version(group.stored())]
    assert bool(broken) == bool(change)


def test_a_broken_history_is_shortened_to_what_breaks_it():
    change, seed, _ = BROKEN["order"]
    definitions = copy.deepcopy({machine: deployed(machine) for machine in MACHINES})
    change(definitions)
    told = play(history(seed), definitions)
    shortest = shorten(told, definitions)
    assert len(shortest.plan) < len(told.plan)
    assert kinds(shortest) & kinds(told)
