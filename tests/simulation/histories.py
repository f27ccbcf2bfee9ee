"""Histories: what people and faults do to one model group, drawn from a seed, and what the runbook then does.

`play` a seed again and it goes the same way. `shorten` leaves out of a history all that it does not need in
order to break.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from pipelines.errors import Refused
from tests.simulation.group import PATIENCE, Group


class Action(NamedTuple):
    """Something that is done: what, the seed of its details, and how many turns the world takes after it."""

    name: str
    seed: int
    turns: int


@dataclass
class History:
    """What a seed makes people and machines do; `broken` has what does not hold after it."""

    seed: int
    plan: list[Action]
    faults: int
    broken: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    faults_met: list[tuple[str, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        steps = "\n".join(f"  {line}" for line in self.happened)
        wrong = "\n".join(f"  {line}" for line in self.broken)
        return f"seed {self.seed}, {len(self.plan)} actions\n{steps}\nbroken:\n{wrong or '  nothing'}"


def history(seed: int) -> History:
    """The history of a seed, not yet played."""
    random = Random(seed)
    plan = [Action("publish", random.randrange(2**32), 0), Action("train", random.randrange(2**32), 400)]
    if random.random() < 0.8:
        plan.append(Action("deliver", random.randrange(2**32), 400))
    # Of some things a history has many and of others few, so that those that disturb one another meet.
    weights = [weight * random.choice((0, 1, 1, 4)) for _, weight in ACTIONS.values()]
    if not any(weights):
        weights = [weight for _, weight in ACTIONS.values()]
    for name in random.choices(list(ACTIONS), weights, k=random.randint(3, 16)):
        turns = random.choice((0, 0, 3, 8, 15, 30, 60, 60, 400))
        plan.append(Action(name, random.randrange(2**32), turns))
    return History(seed, plan, faults=random.choice((0, 1, 1, 2, 3)))


def play(told: History, definitions: dict[str, dict[str, Any]] | None = None) -> History:
    """Do it all, then what the runbook says until nothing is left to do; `broken` says what does not hold."""
    group = Group(told.seed, told.faults, definitions)
    with group.world.entered(), tempfile.TemporaryDirectory() as folder:
        group.folder = Path(folder)
        try:
            for action in told.plan:
                _do(group, action)
            group.world.fault = lambda running, call: None
            group.world.function_fails = lambda: False
            group.world.settle()
            left = group.repair()
            told.broken = [*group.problems(left)]
        except (AssertionError, KeyError, ValueError, TypeError, IndexError) as error:
            told.broken = [f"{type(error).__name__}: {error}"]
    told.happened, told.faults_met = group.world.happened, group.faults_met
    return told


def _do(group: Group, action: Action) -> None:
    """Do one thing, then let the world take its turns."""
    group.random = Random(action.seed)
    group.world.note(f"- {action.name}")
    what, _ = ACTIONS[action.name]
    try:
        what(group)
    except Refused as refused:
        group.world.note(f"  refused: {refused}")
    for _ in range(action.turns):
        if not group.world.turn(PATIENCE):
            break


def shorten(told: History, definitions: dict[str, dict[str, Any]] | None = None) -> History:
    """A shortest part of a history that still breaks something."""
    shortest = told
    progress = True
    while progress:
        progress = False
        for candidate in _shorter(shortest):
            if kinds(told) & kinds(play(candidate, definitions)):
                shortest, progress = candidate, True
                break
    return shortest


def kinds(told: History) -> set[str]:
    """What is broken, without the names of runs, models and items in it."""
    return {re.sub(r"\S*\d\S*", "...", sentence) for sentence in told.broken}


def _shorter(told: History) -> Iterator[History]:
    for at in range(1, len(told.plan)):
        yield History(told.seed, told.plan[:at] + told.plan[at + 1 :], told.faults)
    for at, action in enumerate(told.plan):
        for turns in (0, 400):
            if action.turns not in (0, turns):
                changed = action._replace(turns=turns)
                yield History(told.seed, [*told.plan[:at], changed, *told.plan[at + 1 :]], told.faults)
    if told.faults:
        yield History(told.seed, told.plan, told.faults - 1)


#: What can be done, and how often it is, beside the others.
ACTIONS: dict[str, tuple[Callable[[Group], None], float]] = {
    "deliver": (Group.deliver, 8),
    "train": (Group.train, 4),
    "publish": (Group.publish, 1),
    "doubled": (Group.doubled, 2),
    "uploaded_again": (Group.uploaded_again, 2),
    "export": (Group.export, 3),
    "import": (Group.import_, 10),
    "rollback": (Group.rollback, 2),
    "release": (Group.release, 1),
    "promote": (Group.promote, 1),
    "answer": (Group.answer, 2),
    "wait": (Group.wait, 1),
    "check": (Group.check, 1),
    "retry": (Group.retry, 2),
    "kill": (Group.kill, 2),
    "retire": (Group.retire, 0.5),
}


def main() -> None:
    """Play one seed and show it: `python -m tests.simulation.histories SEED`."""
    import sys

    told = play(history(int(sys.argv[1])))
    if told.broken and "--shorten" in sys.argv:
        told = shorten(told)
    print(told)
    print(json.dumps(told.plan))


if __name__ == "__main__":
    main()
