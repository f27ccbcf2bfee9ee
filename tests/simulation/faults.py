"""The table of faults in docs/faults.md: what becomes of a run at each state that calls something, by fault.

Stories visit the states. Each is told again for every fault at every state that it is the first to visit, and
must end as it does without. `python -m tests.simulation.faults` writes the table anew.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.ledger import keys
from tests.pipelines.machines.definition_examples import MACHINES, definition_of
from tests.simulation import world as worlds
from tests.simulation.group import CALLED, GROUP, Group
from tests.simulation.interpreter import Call
from tests.simulation.world import Running, faults_of

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
BEGIN, END = "<!-- faults -->", "<!-- end of faults -->"
EARLIER, MONTH = "2026-09", "2026-10"
COLUMNS = (*worlds.SHORT, worlds.CONFLICT, *worlds.JOB, worlds.TIMEOUT, *worlds.DEATHS)
#: Faults that stay for as long as the execution runs; all others happen once.
LASTING = ("down", worlds.CONFLICT, worlds.TIMEOUT)
#: What can become of the run.
GOES_ON, WAITS, LATER, FAILS, CUT_OFF = "goes on", "waits, goes on", "done later", "fails", "cut off"

State = tuple[str, str]


@dataclass
class Told:
    """A story with one fault, or none.

    Attributes:
        became: what became of the run that met it; empty where none did.
        met: every state that called something, with its machine, and the faults that it can meet.
        broken: what does not hold at the end.
        left: what is stored at the end, without names and times.
    """

    became: str
    met: dict[State, tuple[str, ...]]
    broken: list[str]
    left: Any


def tell(
    name: str, at: State | None = None, fault: str = "", definitions: dict[str, dict[str, Any]] | None = None
) -> Told:
    """The story of a name, with `fault` where the state `at` of a machine is met first."""
    story = Story(at, fault, definitions)
    with story.world.entered(), tempfile.TemporaryDirectory() as folder:
        story.folder = Path(folder)
        {**STORIES, **WITHOUT_FAULTS}[name](story)
        story.settle()
        broken = [*story.problems(story.repair())]
    return Told(story.became, story.met, broken, story.left())


class Story(Group):
    """A model group to which one fault happens."""

    def __init__(self, at: State | None, fault: str, definitions: dict[str, dict[str, Any]] | None = None):
        super().__init__(seed=7, faults=0, definitions=definitions)
        self.at, self.kind = at, fault
        self.met: dict[State, tuple[str, ...]] = {}
        self.hit: Running | None = None
        self.first: Running | None = None
        self.became = ""
        self.world.fault, self.world.stalls = self._fault, set()

    def _fault(self, running: Running, call: Call) -> str | None:
        here = running.machine, call.state
        self.met.setdefault(here, faults_of(call))
        if self.at is None:
            return None
        earlier = here == (self.at[0], _fails_before(self.at[1])) and running.given.get("purpose") != "test"
        if earlier and self.first in (None, running):
            self.first = running
            self.untold.add(running.name)
            return "down"
        if here != self.at:
            return None
        if self.hit is None:
            self.hit, self.began = running, self.world.now
            self.untold.add(running.name)
            return self.kind
        return self.kind if self.hit is running and self.kind in LASTING else None

    def settle(self) -> None:
        """Until nothing is left to happen, and the runbook has nothing left to say."""
        self.world.settle()
        self.note()
        self.repair()

    def note(self) -> None:
        """What has become of the run that met the fault, before anybody starts it again."""
        if self.became or self.hit is None or self.hit.status == "RUNNING":
            return
        put_off = any(item["run"] == self.hit.name for item in self.stored().items(keys.NOTICE))
        assert self.hit.ended
        waited = self.hit.ended - self.began > timedelta(minutes=4) and self.kind in worlds.JOB
        went_on = LATER if put_off else WAITS if waited else GOES_ON
        self.became = {"SUCCEEDED": went_on, "FAILED": FAILS, "ABORTED": CUT_OFF}[self.hit.status]

    def learn(self, codes: str) -> None:
        """Deliver a training dataset whose items have these codes."""
        rows = [
            {"item_id": f"i{at}", "title": f"thing {at} a", "label": code} for at, code in enumerate(codes)
        ]
        self.land("training", MONTH, rows)

    def learn_again(self) -> None:
        """The same rows in another delivery."""
        purpose, period, address, _ = self.landed[-1]
        self.world.land_again(purpose, address)
        self.landed.append((purpose, period, address, self.world.landed_at))

    def until(self, machine: str, state: str, *, waiting: bool = False) -> None:
        """Until an execution is about to call the state, or waits there. What fails is started again."""
        for _ in range(5000):
            here = [run for run in self.world.runs.values() if _is_at(run, machine, state)]
            if any(run.token or not waiting for run in here):
                return
            if self.world.turns():
                self.world.turn()
                continue
            self.note()
            self.check()
            self.retry()
            if not self.world.turns():
                self.world.turn()
        raise AssertionError(f"{machine} never comes to {state}")

    def left(self) -> Any:
        """What is stored at the end, without names and times."""
        stored, shown = self.stored(), ("item_id", "code", "status", "answer", "decided_by")
        months = {
            at: sorted(tuple(row[name] for name in shown) for row in stored.labels(month))
            for at, month in stored.months.items()
        }
        winner = next(iter(stored.items(keys.WINNER)))["model"]
        sheets = sum(key.endswith("decisions.jsonl") for key in stored.work if key.startswith("reviewed/"))
        return months, sheets, self.world.buckets.get(self.world.sagemaker.models[winner])


def _is_at(run: Running, machine: str, state: str) -> bool:
    call = run.call if run.status == "RUNNING" and run.machine == machine else None
    return call is not None and call.state == state


def _fails_before(state: str) -> str:
    """The state that must fail for this one to be met; empty for one that is met without."""
    if state in ("QueueFailure", "NotifyOperators"):
        return "GetGroup"
    now = state.removesuffix("Later")
    return now if now != state else ""


def _items(count: int) -> list[dict[str, str]]:
    return [{"item_id": f"i{at}", "title": f"thing {at} a"} for at in range(count)]


def _first(story: Story) -> None:
    """A first model, and the months that it labels."""
    story.publish_codes(3, approval=False)
    story.learn("1")
    story.settle()
    story.land("inference", EARLIER, _items(12))
    story.settle()
    story.land("inference", MONTH, _items(6))
    story.settle()


def _review(story: Story) -> None:
    """A person decides."""
    _first(story)
    story.fill(MONTH, lambda row: "3", wanted=["i4"])
    story.import_sheet(story.sheets[-1], "Anna")
    story.settle()


def _better(story: Story) -> None:
    """A better model wins, and one that is as good does not; then there is nothing new to learn."""
    _first(story)
    story.learn("12")
    story.settle()
    story.learn("121")
    story.settle()
    story.learn_again()


def _twice(story: Story) -> None:
    """The same rows are delivered twice at once."""
    _first(story)
    story.learn("12")
    story.learn_again()
    story.until("training", "GetClaim")


def _overtaken(story: Story) -> None:
    """Of two deliveries the older one is taken after the newer one has ended."""
    _first(story)
    story.land("inference", MONTH, _items(5))
    older = story.world.pending.pop()
    story.land("inference", MONTH, _items(6))
    story.settle()
    story.world.pending.append(older)


def _changed(story: Story) -> None:
    """While a month is labelled a person makes another model the winner."""
    _first(story)
    [first] = story.ledger().models
    story.learn("12")
    story.settle()
    story.land("inference", MONTH, _items(6))
    story.until("inference", "RecordLabels")
    story.decide("ROLLBACK", first)


def _asked(story: Story) -> None:
    """A better model, of which a person is asked. Before the answer its rows come again."""
    _first(story)
    story.publish_codes(3, approval=True)
    story.learn("12")
    story.until("comparison", "AwaitApproval", waiting=True)
    story.learn_again()
    story.until("training", "AnnounceAgain")
    _answer(story, "approved")


def _rejected(story: Story) -> None:
    """A better model that a person rejects."""
    _first(story)
    story.publish_codes(3, approval=True)
    story.learn("12")
    story.until("comparison", "AwaitApproval", waiting=True)
    _answer(story, "rejected")


def _faster(story: Story) -> None:
    """While a comparison waits for a person, the winner changes; it is compared again."""
    _first(story)
    [first] = story.ledger().models
    story.learn("12")
    story.settle()
    story.publish_codes(3, approval=True)
    story.learn("121212")
    story.until("comparison", "AwaitApproval", waiting=True)
    story.decide("PROMOTE", first)
    _answer(story, "approved")
    story.until("comparison", "AwaitApproval", waiting=True)
    _answer(story, "approved")


def _pinned(story: Story) -> None:
    """While a comparison waits for a person, its winner is rolled back, and back again: pinned."""
    _first(story)
    [first] = story.ledger().models
    story.learn("12")
    story.settle()
    second = story.ledger().winner["model"]
    story.publish_codes(3, approval=True)
    story.learn("121212")
    story.until("comparison", "AwaitApproval", waiting=True)
    story.decide("ROLLBACK", first)
    story.decide("ROLLBACK", second)
    _answer(story, "approved")


def _tampered(story: Story) -> None:
    """Somebody writes over the codebook, and puts it back when the runs have failed."""
    _first(story)
    story.learn("12")
    story.until("comparison", "Compare")
    story.learn("121")
    story.land("inference", MONTH, _items(6))
    codebook = f"s3://{worlds.WORK}/codebooks/{GROUP}/1.json"
    published = story.world.buckets.get(codebook)
    story.world.buckets.put(codebook, b"{}")
    story.world.settle()
    story.note()
    story.world.buckets.put(codebook, published)


def _answer(story: Story, word: str) -> None:
    for run, asked in story.ledger().approvals.items():
        if "answer" not in asked:
            story.approve(run, word)


STORIES: dict[str, Callable[[Story], None]] = {
    "first": _first,
    "review": _review,
    "better": _better,
    "twice": _twice,
    "overtaken": _overtaken,
    "changed": _changed,
    "asked": _asked,
    "rejected": _rejected,
    "faster": _faster,
    "tampered": _tampered,
}
#: Others visit all of its states, so no fault is told with it.
WITHOUT_FAULTS = {"pinned": _pinned}


@cache
def stories_of() -> dict[State, str]:
    """Which story is told for each state that calls something: the first that meets it."""
    found: dict[State, str] = {}
    for name in STORIES:
        for state in tell(name).met:
            found.setdefault(state, name)
    for machine, state in CALLED - found.keys():
        found[machine, state] = found[machine, _fails_before(state)]
    return found


def rows(states: Mapping[State, str]) -> Iterator[tuple[State, dict[str, str]]]:
    """For each of some states, told by the story that `states` names: what becomes of a run, by fault.

    Raises AssertionError where something does not end as it does without the fault.
    """
    plain = {name: tell(name) for name in set(states.values())}
    for at, name in states.items():
        became = {}
        for fault in faults_of(_call(at)):
            told = tell(name, at, fault)
            assert told.became, f"{at} was not met"
            assert not told.broken, (at, fault, told.broken)
            assert told.left == plain[name].left, (at, fault, told.left, plain[name].left)
            became[fault] = told.became
        yield at, became


def _call(at: State) -> Call:
    machine, name = at
    return Call(name, definition_of(machine)["States"][name]["Resource"], {}, 0)


def line(at: State, became: Mapping[str, str]) -> str:
    """A row of the table."""
    return f"| {' | '.join((at[1], *(became.get(fault, '') for fault in COLUMNS)))} |"


def main() -> None:
    """Write the table into the page."""
    states = stories_of()
    lines = []
    for machine in MACHINES:
        order = [name for name in definition_of(machine)["States"] if (machine, name) in states]
        lines += ["", f"### {machine}", "", f"| state | {' | '.join(COLUMNS)} |"]
        lines.append("| --- " * (len(COLUMNS) + 1) + "|")
        chosen = {(machine, name): states[machine, name] for name in order}
        lines += [line(at, became) for at, became in rows(chosen)]
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines).strip() + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
