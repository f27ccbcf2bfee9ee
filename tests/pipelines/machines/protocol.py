"""The protocol of a model group in plain Python: who reads and writes what, in which order.

A reference model: no service, no job, only what the ledger and the buckets hold and the steps that change
them, named as the states are. `explore` walks every interleaving of the steps and asks after each whether the
invariants hold. A protection that is left out (`without`) must break one of them (test_protocol.py).

A change of a state machine that changes what is read or written, or in which order, changes this module:
CALLS is compared with the compiled definitions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

#: What keeps a month right, each to be left out once.
PROTECTIONS = {
    "order": "the newest delivery is the month, not the run that ends last",
    "month": "labels are recorded only if the month is still what the run read",
    "winner": "labels are recorded only if the model is still the winner",
    "look again": "a run that meets a change looks again; it does not give up what it brought",
    "claim": "decisions are kept for training only once labels with them are recorded",
    "keep": "decisions of the labels that are replaced are put into the new ones",
    "show": "a run that came too late shows the newest labels all the same",
    "show again": "whoever copies labels to where Athena reads looks at the ledger after that",
    "retry": "a run that died is a failure and started again",
    "compared": "a winner is switched only if it is the one that was compared",
    "pin": "a pinned winner is replaced by a person only, also where the pin came after the last look",
    "announce": "a model that is not decided upon is announced again",
}

#: What reads or writes what is shared, in the compiled definitions, and what may come after it, without
#: notices. Whoever changes this table has changed the protocol, and looks whether the steps below still hold.
CALLS = {
    "inference": {
        "start": "GetGroup",
        "GetGroup": "GetModel GetMonth GetWinner",
        "GetWinner": "FindEarlier",
        "FindEarlier": "FindCompared",
        "FindCompared": "GetMonth",
        "GetMonth": "GetModel PublishManifest RecordAmended RecordLabels RecordPredictions RecordSuperseded",
        "GetModel": "GetArtefactBeforeTransform PublishManifest",
        "GetArtefactBeforeTransform": "GetArtefactAfterTransform",
        "GetArtefactAfterTransform": "PublishManifest",
        "PublishManifest": "RecordAmended RecordLabels RecordPredictions RecordSuperseded",
        "RecordLabels": "GetNewest GetRecorded",
        "RecordAmended": "GetRecorded KeepDecisions",
        "GetRecorded": "GetGroup GetNewest KeepDecisions",
        "RecordSuperseded": "GetNewest",
        "KeepDecisions": "GetNewest",
        "GetNewest": "Announce PublishTable end",
        "PublishTable": "GetNewest",
        "RecordPredictions": "Announce",
        "Announce": "end",
    },
    "training": {
        "start": "GetGroup",
        "GetGroup": "ClaimRows",
        "ClaimRows": "GetClaim GetTrained",
        "GetClaim": "DescribeClaimant",
        "DescribeClaimant": "TakeOver end",
        "TakeOver": "GetClaim GetTrained",
        "GetTrained": "FindDecision KeepArtefact",
        "KeepArtefact": "RecordModel",
        "FindDecision": "AnnounceAgain end",
        "RecordModel": "RecordTrained",
        "RecordTrained": "Announce",
        "Announce": "end",
        "AnnounceAgain": "end",
    },
    "comparison": {
        "start": "GetGroup",
        "GetGroup": "GetChallenger",
        "GetChallenger": "GetPin GetWinner",
        "GetWinner": "GetPin",
        "GetPin": "AwaitApproval FirstWinner RecordDecision SwitchWinner",
        "AwaitApproval": "FirstWinner RecordDecision RecordRejection SwitchWinner",
        "FirstWinner": "AnnounceAgain end",
        "SwitchWinner": "AnnounceAgain end",
        "RecordDecision": "AnnounceAgain end",
        "RecordRejection": "end",
        "AnnounceAgain": "end",
    },
}
#: A sheet that Amend refuses whenever it is asked. What only changed since (a text, a code's validity) must
#: not refuse a sheet: it could be the second try of one that is recorded. It is counted and told.
BAD = "bad"
#: Steps of a run that has read something and written nothing.
BEFORE_ITS_EFFECT = ("GetMonth", "RecordLabels", "GetPin", "Verdict", "KeptByPin")


class Labels(NamedTuple):
    """One published version: by which run, of which delivery, by which model, with whose decisions."""

    run: str
    delivered: int
    model: str
    decisions: frozenset[str]


class Run(NamedTuple):
    """An execution: the next step, and what it has read."""

    name: str
    kind: str  # inference, review, training or comparison
    step: str = "GetGroup"
    winner: str = ""
    month: Labels | None = None
    shown: str = ""


class State(NamedTuple):
    """All that is shared.

    `month` is the item MONTH#, `newest` the newest delivery with labels, `current` the copy that Athena
    reads, `sheets` what people were told is published, `kept` what training reads, `wrong` what was done.
    """

    runs: tuple[Run, ...]
    month: Labels | None = None
    newest: int = 0
    current: str = ""
    sheets: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    winner: str = "first"
    pinned: bool = False
    models: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()
    announced: frozenset[str] = frozenset()
    failures: frozenset[str] = frozenset()
    wrong: str = ""
    rollbacks: int = 0
    deaths: int = 0


@dataclass(frozen=True)
class Protocol:
    """The steps.

    Attributes:
        without: the protections that are left out.
        coarse: showing the newest labels is one step: far fewer states, for histories of many runs.
    """

    without: frozenset[str] = frozenset()
    coarse: bool = False

    def has(self, protection: str) -> bool:
        return protection not in self.without

    def next_states(self, state: State) -> Iterator[tuple[str, State]]:
        """Every step that can be taken, in words, and the state after it."""
        for at, run in enumerate(state.runs):
            if run.step in ("ended", "died"):
                continue
            for step, after in getattr(self, f"_{run.kind}")(state, run):
                yield f"{run.name}: {step}", _with_run(*after, at)
            if state.deaths and run.step != "GetGroup":
                yield f"{run.name} dies before {run.step}", self._died(state, run, at)
        yield from self._people(state)

    def _people(self, state: State) -> Iterator[tuple[str, State]]:
        # Before the winner is read, or after it was used, it would be another start or change nothing.
        if state.rollbacks and any(run.step in BEFORE_ITS_EFFECT for run in state.runs):
            to = "older" if state.winner != "older" else "first"
            rolled_back = state._replace(winner=to, pinned=True, rollbacks=state.rollbacks - 1)
            yield "a person rolls back", rolled_back
        if state.pinned and any(run.kind == "comparison" and run.step != "ended" for run in state.runs):
            yield "a person releases the winner", state._replace(pinned=False)
        for at, run in enumerate(state.runs):
            if run.step == "died" and self.has("retry"):
                again = _with_run(state, Run(f"{run.name}'", run.kind), at)
                yield f"{run.name} is retried", again._replace(failures=state.failures - {run.name})

    def _died(self, state: State, run: Run, at: int) -> State:
        state = state._replace(deaths=state.deaths - 1)
        if run.step in BEFORE_ITS_EFFECT and self.has("retry"):
            # Whenever it is retried, it is as if it had not been started until then.
            return _with_run(state, Run(run.name, run.kind), at)
        died = _with_run(state, Run(run.name, run.kind, "died"), at)
        return died._replace(failures=state.failures | {run.name})

    # The inference workflow, of a delivery. A job's work is one with the read before it: nobody sees it.

    def _inference(self, state: State, run: Run) -> Iterator[tuple[str, tuple[State, Run]]]:
        if run.step == "GetGroup":
            yield "GetWinner", (state, run._replace(winner=state.winner, step="GetMonth"))
        elif run.step == "GetMonth":
            yield "GetMonth", (state, run._replace(month=state.month, step="RecordLabels"))
        elif run.step == "RecordLabels":
            decisions = run.month.decisions if run.month and self.has("keep") else frozenset()
            labels = Labels(run.name, _delivered(run.name), run.winner, decisions)
            yield from self._record(state, run, labels, then="GetNewest")
        else:
            yield from self._show(state, run)

    def _review(self, state: State, run: Run) -> Iterator[tuple[str, tuple[State, Run]]]:
        """A sheet is imported once labels are published; the run amends what the month is then."""
        sheet = _sheet(run.name)
        if run.step == "GetGroup":
            # Of two reviewers, which is which makes no difference: half as many states.
            if state.month and (sheet != "r2" or "r1" in state.sheets):
                state = state._replace(sheets=state.sheets | {sheet})
                if not self.has("claim"):
                    state = state._replace(kept=state.kept | {sheet})
                yield "is imported", (state, run._replace(step="GetMonth"))
        elif run.step == "GetMonth":
            yield "GetMonth", (state, run._replace(month=state.month, step="RecordLabels"))
        elif run.step == "RecordLabels":
            assert run.month
            if sheet == BAD:
                refused = state._replace(sheets=state.sheets - {sheet})
                yield "Amend refuses", (refused, run._replace(step="ended"))
                return
            labels = run.month._replace(run=run.name, decisions=run.month.decisions | {sheet})
            yield from self._record(state, run, labels, then="KeepDecisions")
        elif run.step == "KeepDecisions":
            yield (
                "KeepDecisions",
                (state._replace(kept=state.kept | {sheet}), run._replace(step="GetNewest")),
            )
        else:
            yield from self._show(state, run)

    def _record(
        self, state: State, run: Run, labels: Labels, then: str
    ) -> Iterator[tuple[str, tuple[State, Run]]]:
        if self.has("order") and run.month and run.month.delivered > labels.delivered:
            yield "RecordSuperseded", (state, run._replace(step="GetNewest" if self.has("show") else "ended"))
            return
        stale = run.kind == "inference" and run.winner != state.winner
        if not (stale and self.has("winner")) and not (state.month != run.month and self.has("month")):
            wrong = state.wrong
            if stale:
                wrong = f"{run.name} recorded labels of a model that is the winner no more"
            if state.newest > labels.delivered:
                wrong = f"{run.name} made an older delivery the month"
            newest = max(state.newest, labels.delivered)
            state = state._replace(month=labels, newest=newest, wrong=wrong)
            yield "RecordLabels", (state, run._replace(step=then))
        elif self.has("look again"):
            again = "GetGroup" if run.kind == "inference" else "GetMonth"
            yield "looks again", (state, run._replace(step=again))
        else:  # it ends with a sentence
            yield "is refused", (state, run._replace(step="ended"))

    def _show(self, state: State, run: Run) -> Iterator[tuple[str, tuple[State, Run]]]:
        assert state.month
        if self.coarse:
            yield "shows", (state._replace(current=state.month.run), run._replace(step="ended"))
        elif run.step == "GetNewest":
            newest = state.month.run
            step = "ended" if newest == run.shown else "PublishTable"
            yield "GetNewest", (state, run._replace(shown=newest, step=step))
        elif run.step == "PublishTable":
            then = "GetNewest" if self.has("show again") else "ended"
            yield "PublishTable", (state._replace(current=run.shown), run._replace(step=then))

    # Training and comparison, of a challenger that is better than any winner.

    def _training(self, state: State, run: Run) -> Iterator[tuple[str, tuple[State, Run]]]:
        model = _sheet(run.name)
        if run.step == "GetGroup":
            if model in state.models:  # trained by the run before: nothing new to learn
                then = "Announce" if self.has("announce") and model not in state.decided else "ended"
                yield "NothingNew", (state, run._replace(step=then))
            else:
                recorded = state._replace(models=state.models | {model})
                yield "RecordModel", (recorded, run._replace(step="Announce"))
        elif run.step == "Announce":
            yield (
                "Announce",
                (state._replace(announced=state.announced | {model}), run._replace(step="ended")),
            )

    def _comparison(self, state: State, run: Run) -> Iterator[tuple[str, tuple[State, Run]]]:
        model = _sheet(run.name)
        if run.step == "GetGroup":
            if model in state.announced:
                yield "GetWinner", (state, run._replace(winner=state.winner, step="GetPin"))
        elif run.step == "GetPin":
            yield "GetPin", (state, run._replace(step="KeptByPin" if state.pinned else "Verdict"))
        elif state.winner != run.winner and (run.step == "KeptByPin" or self.has("compared")):
            yield "AnnounceAgain", (state, run._replace(step="GetGroup"))
        elif run.step == "KeptByPin":
            kept = state._replace(decided=state.decided | {model})
            yield "RecordDecision", (kept, run._replace(step="ended"))
        elif state.pinned and self.has("pin"):
            yield "AnnounceAgain", (state, run._replace(step="GetGroup"))
        else:
            wrong = state.wrong
            if state.winner != run.winner:
                wrong = f"{run.name} replaced a winner that it was not compared with"
            elif state.pinned:
                wrong = f"{run.name} replaced a pinned winner"
            switched = state._replace(winner=model, decided=state.decided | {model}, wrong=wrong)
            yield "SwitchWinner", (switched._replace(pinned=False), run._replace(step="ended"))

    # What must hold.

    def broken(self, state: State) -> str | None:
        """The invariant that does not hold when nothing can happen any more, in words."""
        if state.failures:
            return f"{', '.join(sorted(state.failures))} failed and nothing starts it again"
        if state.month:
            if state.month.delivered != state.newest:
                return "the month is not the newest delivery"
            if state.current != state.month.run:
                return f"Athena reads {state.current}, the month is {state.month.run}"
            if lost := state.sheets - state.month.decisions:
                return f"the decisions of {', '.join(lost)} are not in the labels"
        if state.kept != (state.month.decisions if state.month else frozenset()):
            return "what training reads is not what the labels hold"
        if state.models - state.decided:
            return f"{', '.join(state.models - state.decided)} is not decided upon and no failure"
        return None


class Broken(NamedTuple):
    """A counterexample: what does not hold, and the shortest way there."""

    invariant: str
    steps: list[str]


def explore(start: State, protocol: Protocol) -> tuple[int, Broken | None]:
    """Walk all states that can be reached, the nearest first: how many, and the first broken invariant."""
    origin: dict[State, tuple[State, str] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        following = list(protocol.next_states(state))
        broken = state.wrong or (None if following else protocol.broken(state))
        if broken:
            return len(origin), Broken(broken, _way_to(state, origin))
        for step, after in following:
            if after not in origin:
                origin[after] = (state, step)
                waiting.append(after)
    return len(origin), None


def _way_to(state: State, origin: dict[State, tuple[State, str] | None]) -> list[str]:
    steps = []
    while (came := origin[state]) is not None:
        state, step = came
        steps.append(step)
    return steps[::-1]


def _with_run(state: State, run: Run, at: int) -> State:
    if run.step == "ended":  # whatever it has read: fewer states to walk
        run = Run(_sheet(run.name), run.kind, "ended")
    return state._replace(runs=(*state.runs[:at], run, *state.runs[at + 1 :]))


def _sheet(run: str) -> str:
    """What a run brings, whichever of its tries it is: its sheet of decisions, or its model."""
    return run.rstrip("'")


def _delivered(run: str) -> int:
    """The place of a run's delivery in the month: `d2` is newer than `d1`."""
    return int(run.strip("d'"))
