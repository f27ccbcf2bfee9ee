"""What the committed state machines do: which jobs, on how many instances, after how many transitions.

Read from `pipelines/definitions/*.asl.json`, so that a plan follows what is deployed and not a memory of it.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.plan.errors import PlanError
from processing.policy import TRIALS_AT_ONCE, Policy

FOLDER = Path(__file__).parents[1] / "definitions"
QUOTA_ERROR = "SageMaker.ResourceLimitExceededException"
KINDS = {
    "createProcessingJob.sync": "processing",
    "createTrainingJob.sync": "training",
    "createHyperParameterTuningJob.sync": "tuning",
    "createTransformJob.sync": "transform",
}
#: States that data leads to, and not in an ordinary month: labelled again, overtaken by a later delivery, a
#: winner that a person must approve or has pinned.
UNUSUAL = {"UseMonth", "PublishBeside", "RecordSuperseded", "AskMlops", "KeptByPin"}


@dataclass(frozen=True)
class QuotaRetry:
    """How a state waits for a full quota: full jitter in [0, min(longest, first * rate ** try)] seconds."""

    first_seconds: float
    rate: float
    longest_seconds: float
    attempts: int


@dataclass(frozen=True)
class Job:
    """One job of a workflow.

    Attributes:
        state: name of the state, which is also the script's and the role's.
        kind: processing, training, tuning or transform.
        machines: what the template calls the instance type, `ProcessingInstanceType`.
        instances: of one job (of one trial, for a tuning job).
        trials: training jobs of a tuning job, as a policy that does not say has it; 1 for the others.
        parallel: how many of them at a time; 1 for the others.
        spot: whether the definition asks for managed Spot.
        requests: transform requests that are under way at a time; 1 for the others.
    """

    state: str
    kind: str
    machines: str
    instances: int
    volume_gb: int
    trials: int
    parallel: int
    spot: bool
    requests: int
    retry: QuotaRetry


@dataclass(frozen=True)
class Workflow:
    """The way through one state machine when all goes well: its jobs in order, and the states entered."""

    machine: str
    jobs: tuple[Job, ...]
    states: tuple[str, ...]
    timeout_seconds: int


@dataclass(frozen=True)
class CapacityWait:
    """How a run waits for machines that SageMaker lacks: `tries` times, [shortest, longest) seconds each."""

    tries: int
    shortest_seconds: int
    longest_seconds: int

    @property
    def longest_hours(self) -> float:
        """What a run waits at most, all its jobs together."""
        return self.tries * self.longest_seconds / 3600


@cache
def capacity_wait(machine: str, folder: Path = FOLDER) -> CapacityWait:
    """How a run of `machine` waits where SageMaker has no machine for a job (`CapacityError`)."""
    states = json.loads((folder / f"{machine}.asl.json").read_text(encoding="utf-8"))["States"]
    [tries] = [
        rule["NumericLessThan"]
        for choice in states["OutOfCapacity"]["Choices"]
        for rule in choice["And"]
        if "NumericLessThan" in rule
    ]
    seconds = re.findall(r"\d+", states["NextWait"]["Parameters"]["seconds.$"])
    return CapacityWait(tries, *map(int, seconds))


@cache
def workflow(machine: str, purpose: str = "", folder: Path = FOLDER) -> Workflow:
    """The workflow that `machine` is for an input of this `purpose`. Raises PlanError."""
    path = folder / f"{machine}.asl.json"
    definition = json.loads(path.read_text(encoding="utf-8"))
    names = _way(definition["States"], definition["StartAt"], purpose, ())
    if names is None:
        raise PlanError(f"{path}: no path for the purpose {purpose!r}. Fix: use one it accepts.")
    jobs = tuple(
        _job(name, definition["States"][name])
        for name in names
        if _action(definition["States"][name]) in KINDS
    )
    return Workflow(machine, jobs, names, definition["TimeoutSeconds"])


def _way(states: dict[str, Any], name: str, purpose: str, before: tuple[str, ...]) -> tuple[str, ...] | None:
    """States entered from `name` to an end that is not a failure; None where every path fails or is a circle.

    Where data decides, it is the way with the most jobs, then with the fewest states that are UNUSUAL, then
    with the most states, then the one that is named first: a search that continues from last month's, which
    every search but a group's first does. A loop is gone through once, so a state is entered twice at most.
    """
    state = states[name]
    if before.count(name) == 2 or state["Type"] == "Fail":
        return None
    before = (*before, name)
    if state["Type"] != "Choice":
        if state["Type"] not in ("Task", "Pass", "Succeed", "Wait"):
            raise PlanError(
                f"State {name}: a plan cannot follow a {state['Type']} state. Fix: add it to pipelines/plan."
            )
        return before if "Next" not in state else _way(states, state["Next"], purpose, before)
    ways = [_way(states, target, purpose, before) for target in _targets(state, purpose)]
    return max(
        (way for way in ways if way is not None),
        key=lambda way: (
            sum(_action(states[n]) in KINDS for n in way),
            -len(UNUSUAL & set(way)),
            len(way),
        ),
        default=None,
    )


def _targets(choice: dict[str, Any], purpose: str) -> list[str]:
    """Where a Choice may lead, given the purpose.

    A rule that asks for all that an earlier one asks for leads nowhere: the earlier one is taken.
    """
    ways: list[str] = []
    before: list[list[dict[str, Any]]] = []
    for rule in choice["Choices"]:
        conditions = rule.get("And", [{key: value for key, value in rule.items() if key != "Next"}])
        told = [_holds(condition, purpose) for condition in conditions]
        by_data = [condition for condition, known in zip(conditions, told, strict=True) if known is None]
        if False in told or any(all(each in by_data for each in earlier) for earlier in before):
            continue
        ways.append(rule["Next"])
        if not by_data:
            return ways
        before.append(by_data)
    return ways + [choice["Default"]] * ("Default" in choice)


def _holds(condition: dict[str, Any], purpose: str) -> bool | None:
    """Whether a condition holds for the purpose; None for one on data."""
    if "Not" in condition:
        known = _holds(condition["Not"], purpose)
        return None if known is None else not known
    return condition["StringEquals"] == purpose if condition.get("Variable") == "$.purpose" else None


def _action(state: dict[str, Any]) -> str:
    resource: str = state.get("Resource", "")
    return resource.rpartition(":")[2]


def _job(name: str, state: dict[str, Any]) -> Job:
    request, kind = state["Parameters"], KINDS[_action(state)]
    # The definition takes a search's limits from the group's policy.
    trials, parallel = (Policy.trials, TRIALS_AT_ONCE) if kind == "tuning" else (1, 1)
    trial = request.get("TrainingJobDefinition", request)
    cluster = {
        "processing": lambda: request["ProcessingResources"]["ClusterConfig"],
        "transform": lambda: request["TransformResources"],
    }.get(kind, lambda: trial["ResourceConfig"])()
    retry = next(rule for rule in state["Retry"] if QUOTA_ERROR in rule["ErrorEquals"])
    return Job(
        state=name,
        kind=kind,
        # Which of two types a search is made on is decided on the way; the first time it is this one.
        machines=cluster.get("InstanceType", "TrainingInstanceType").strip("${}"),
        instances=cluster["InstanceCount"],
        volume_gb=cluster.get("VolumeSizeInGB", 0),
        trials=trials,
        parallel=parallel,
        spot=trial.get("EnableManagedSpotTraining", False),
        requests=request.get("MaxConcurrentTransforms", 1),
        retry=QuotaRetry(
            retry["IntervalSeconds"], retry["BackoffRate"], retry["MaxDelaySeconds"], retry["MaxAttempts"]
        ),
    )
