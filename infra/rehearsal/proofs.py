"""What AWS's answers prove: for each claim proven, refused with AWS's words, or not tried and why. Pure.

A state's request that was accepted proves that AWS takes it; one that failed gives AWS's words.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.rehearsal.claims import Claim
from infra.rehearsal.history import History, Task

PROVEN, REFUSED, NOT_TRIED = "proven", "refused", "not tried"


@dataclass(frozen=True)
class Proof:
    """What became of a claim: `verdict` is proven, refused or not tried; `evidence` says by what, or why."""

    claim: Claim
    verdict: str
    evidence: str


@dataclass
class Seen:
    """What a rehearsal has seen of AWS.

    Attributes:
        runs: histories by what they were for: first training, second training, inference.
        told: verdict and evidence of what no history shows.
        problem: why the rehearsal did not get further; empty where it did.
    """

    runs: dict[str, History] = field(default_factory=dict)
    told: dict[Claim, tuple[str, str]] = field(default_factory=dict)
    problem: str = ""


def proofs(seen: Seen) -> list[Proof]:
    """One proof for each claim, in the claims' order."""
    from_histories = {
        Claim.TUNING: lambda: _asked(seen, _is_search),
        Claim.SETTINGS: lambda: _asked(seen, lambda task: {"Environment", "RetryStrategy"} <= _keys(task)),
        Claim.VOLUME_KEY: lambda: _volume_key(seen),
        Claim.WARM_START: lambda: _asked(seen, lambda task: task.state == "TuneWarm"),
        Claim.JOIN: lambda: _join(seen),
    }
    return [
        Proof(claim, *(seen.told.get(claim) or from_histories.get(claim, lambda: _none(seen))()))
        for claim in Claim
    ]


def all_is_well(seen: Seen, proofs: list[Proof]) -> bool:
    """Whether nothing was refused, and nothing left out but for the lack of a warehouse or an experiment."""
    may_lack = {Claim.UNLOAD, Claim.NO_ROWS, Claim.WITHOUT_KEYS}
    return not seen.problem and all(
        proof.verdict == PROVEN or (proof.verdict == NOT_TRIED and proof.claim in may_lack)
        for proof in proofs
    )


def _is_search(task: Task) -> bool:
    return "HyperParameterTuningJobConfig" in task.parameters


def _asked(seen: Seen, wanted: Callable[[Task], bool]) -> tuple[str, str]:
    """Proven by the first wanted request that was accepted, else refused by the last that was not."""
    found = [(run, task) for run, task in _tasks(seen) if wanted(task)]
    for run, task in found:
        if task.accepted:
            later = f"; it failed later: {task.words}" if task.words else ""
            return PROVEN, f"{task.state} of {run} was accepted{later}"
    for run, task in reversed(found):
        if task.words:
            return REFUSED, f"{task.state} of {run}: {task.words}"
    return _none(seen)


def _volume_key(seen: Seen) -> tuple[str, str]:
    found = [(run, task) for run, task in _tasks(seen) if "VolumeKmsKeyId" in _keys(task)]
    for run, task in found:
        if not task.accepted and ("AccessDenied" in task.words or "not authorized" in task.words):
            return REFUSED, f"{task.state} of {run}: {task.words}"
    if states := dict.fromkeys(task.state for _, task in found if task.accepted):
        return PROVEN, f"accepted with the key: {', '.join(states)}"
    return _none(seen)


def _join(seen: Seen) -> tuple[str, str]:
    run = seen.runs.get("inference")
    if run is None:
        return _none(seen)
    done = {task.state for task in run.tasks if task.done}
    if {"Transform", "Publish"} <= done:
        return PROVEN, f"Transform and Publish of {run.run} succeeded, and no item is missing"
    words = [f"{task.state} of {run.run}: {task.words}" for task in run.tasks if task.words]
    return (REFUSED, words[-1]) if "Transform" in {task.state for task in run.tasks} else _none(seen)


def _none(seen: Seen) -> tuple[str, str]:
    return NOT_TRIED, seen.problem or "no run has come to it"


def _tasks(seen: Seen) -> Iterator[tuple[str, Task]]:
    return ((run.run, task) for run in seen.runs.values() for task in run.tasks)


def _keys(task: Task) -> set[str]:
    """All names in a request, at whatever depth."""

    def names(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                yield from names(item)

    return set(names(task.parameters))
