"""What a finished run took, beside what the plan says of it: transitions, jobs, work and bytes.

A run's folder (`.labelmill/`, `.labelmill/demo`) has the histories of its executions, and its buckets.
Time is by the clock of the machine that ran it, so what else that machine did is in it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.plan import usage
from pipelines.plan.definitions import KINDS
from pipelines.plan.durations import WORK
from pipelines.plan.errors import PlanError
from pipelines.plan.usage import Run, Settings
from processing.policy import Policy
from processing.words import counted

#: Members of the descriptions of jobs: when one began to work, and when it ended.
BEGAN = ("ProcessingStartTime", "TransformStartTime", "TrainingStartTime", "CreationTime")
ENDED = ("ProcessingEndTime", "TransformEndTime", "TrainingEndTime", "HyperParameterTuningEndTime")
#: Purposes that a plan counts; a review run is not planned.
PURPOSES = ("training", "test", "comparison", "inference")


@dataclass(frozen=True)
class Figure:
    """One line of the table; `measured` and `planned` in the unit that `what` names."""

    what: str
    measured: float
    planned: float


@dataclass(frozen=True)
class _Job:
    """A job that ended well. `seconds`: of a tuning job, those of all its trials."""

    state: str
    trials: int
    seconds: float


@dataclass(frozen=True)
class _Execution:
    """An execution that succeeded; `rows` is what its first job counted, None where it had none.

    `trials`: how many its search was asked for, those of the default policy where it had none.
    """

    machine: str
    purpose: str
    transitions: int
    jobs: tuple[_Job, ...]
    rows: int | None
    trials: int


def against(folder: Path, settings: Settings) -> list[Figure]:
    """Measured and planned of all executions in a run's folder that succeeded, and had a job.

    Raises PlanError where the folder has none.
    """
    found = [execution for execution in _executions(folder) if execution.rows is not None]
    if not found:
        raise PlanError(
            f"{folder}: no execution that succeeded. "
            "Fix: name a finished run's folder, such as .labelmill/demo."
        )
    runs = [usage.run(one.machine, one.purpose, one.rows or 0, settings, one.trials) for one in found]
    figures = []
    for purpose in PURPOSES:
        of_purpose = [(one, run) for one, run in zip(found, runs, strict=True) if one.purpose == purpose]
        if of_purpose:
            measured = sum(one.transitions for one, _ in of_purpose)
            planned = sum(len(run.states) for _, run in of_purpose)
            figures.append(
                Figure(f"transitions, {purpose}, {counted(len(of_purpose), 'run')}", measured, planned)
            )
    figures.append(
        Figure(
            "jobs, trials among them",
            sum(job.trials for one in found for job in one.jobs),
            sum(job.trials for run in runs for job in run.jobs),
        )
    )
    return [*figures, *_work(found, runs), *_stored(folder, runs)]


def _work(found: list[_Execution], runs: list[Run]) -> Iterator[Figure]:
    """Seconds of each kind of job. The plan's are those that rows take: a machine's start is AWS's."""
    measured: dict[str, float] = {}
    planned: dict[str, float] = {}
    for one, run in zip(found, runs, strict=True):
        for job in one.jobs:
            name = _plain(job.state)
            measured[name] = measured.get(name, 0.0) + job.seconds
        for planned_job in run.jobs:
            name = _plain(planned_job.state)
            seconds = WORK[planned_job.state].per_row * run.rows * planned_job.trials
            planned[name] = planned.get(name, 0.0) + seconds
    for name, seconds in measured.items():
        yield Figure(f"seconds of work, {name}", round(seconds, 1), round(planned.get(name, 0.0), 1))


def _stored(folder: Path, runs: list[Run]) -> Iterator[Figure]:
    buckets = folder / "s3"
    if buckets.is_dir():
        files = (path for path in buckets.rglob("*") if "-code-" not in path.relative_to(buckets).parts[0])
        measured = sum(map(_size, files))
        planned = sum(run.rows for run in runs) * usage.STORED_BYTES_AN_ITEM
        yield Figure("MB stored", round(measured / 1e6, 1), round(planned / 1e6, 1))


def _size(path: Path) -> int:
    """Bytes of a file; none of a folder, or of what a running stack has removed since it was listed."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def _plain(state: str) -> str:
    """A warm search is a search: which of the two a group has depends on its months."""
    return "Tune" if state == "TuneWarm" else state


def _executions(folder: Path) -> Iterator[_Execution]:
    for path in sorted((folder / "executions").glob("*/*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        machine = record["executionArn"].split(":")[-2].rpartition("-")[2]
        purpose = record["input"].get("purpose", machine)
        if record["status"] == "SUCCEEDED" and purpose in PURPOSES:
            yield _execution(machine, purpose, record["history"])


def _execution(machine: str, purpose: str, history: list[dict[str, Any]]) -> _Execution:
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if _enters(event)]
    jobs, rows, state, trials = [], None, "", Policy.trials
    for event in history:
        if _enters(event):
            state = event["stateEnteredEventDetails"]["name"]
        ended = event.get("taskSucceededEventDetails")
        if event["type"] != "TaskSucceeded" or not ended or ended["resource"] not in KINDS:
            continue
        said = ended["output"]
        limits = said.get("HyperParameterTuningJobConfig", {}).get("ResourceLimits", {})
        trials = limits.get("MaxNumberOfTrainingJobs", trials)
        jobs.append(_Job(state, _trials(said), _seconds(said) * limits.get("MaxParallelTrainingJobs", 1)))
        if rows is None and "ExitMessage" in said:
            rows = json.loads(said["ExitMessage"])["rows"]
    return _Execution(machine, purpose, len(entered), tuple(jobs), rows, trials)


def _enters(event: dict[str, Any]) -> bool:
    return bool(event["type"].endswith("StateEntered"))


def _trials(said: dict[str, Any]) -> int:
    return int(said.get("TrainingJobStatusCounters", {}).get("Completed", 1))


def _seconds(said: dict[str, Any]) -> float:
    began, ended = (
        datetime.fromisoformat(next(said[name] for name in names if name in said)) for names in (BEGAN, ENDED)
    )
    return (ended - began).total_seconds()
