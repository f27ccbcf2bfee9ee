"""What a SageMaker hyperparameter tuning job does: ask for candidates, train them, know which was best."""

import hashlib
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from infra.local.sagemaker import metrics, warm_start
from infra.local.sagemaker.failures import JobFailed, Stopped
from infra.local.sagemaker.job import Job, now
from infra.local.sagemaker.search import Candidate, Search

# SageMaker gives up when so many training jobs have ended and none gave an objective.
ATTEMPTS = 5
_NO_SUCCESS = (
    "No training job succeeded after {} attempts. Please take a look at the training job failures to get "
    "more details."
)
_NO_OBJECTIVE = (
    "No objective metrics found after running {} training jobs. Please ensure that the custom algorithm is "
    "emitting the objective metric as defined by the regular expression provided."
)
_NOT_KNOWN = ("TrainingJobDefinitions", "Autotune")
# How a training job runs; the worker's own way, so that children are jobs like any other.
RunTraining = Callable[[Job, Callable[[dict[str, Any]], bool] | None], None]


@dataclass
class Trial:
    """One training job of the tuning job."""

    job: Job
    candidate: Candidate
    stopped_early: bool = False

    @property
    def members(self) -> dict[str, Any]:
        return self.job.members

    @property
    def status(self) -> str:
        status: str = self.members.get("TrainingJobStatus", "InProgress")
        return status


def run(job: Job, run_training: RunTraining) -> dict[str, Any]:
    """Search. Returns members of the description; raises JobFailed or Stopped with such members."""
    return _Tuning(job, run_training).run()


class _Tuning:
    def __init__(self, job: Job, run_training: RunTraining):
        request = job.request
        unknown = [name for name in _NOT_KNOWN if name in request]
        if unknown:
            raise JobFailed(f"ClientError: the local run does not know {unknown[0]} in a tuning job")
        self._job, self._run_training = job, run_training
        self._config = request["HyperParameterTuningJobConfig"]
        self._definition = request["TrainingJobDefinition"]
        self._objective = (
            self._definition.get("TuningObjective") or self._config["HyperParameterTuningJobObjective"]
        )
        self._metric, self._maximize = self._objective["MetricName"], self._objective["Type"] == "Maximize"
        ranges = self._definition.get("HyperParameterRanges") or self._config["ParameterRanges"]
        seed = self._config.get(
            "RandomSeed", int.from_bytes(hashlib.sha256(job.name.encode()).digest()[:4], "big")
        )
        try:
            self._search = Search(self._config, ranges, self._maximize, seed)
        except ValueError as error:
            raise JobFailed(f"ClientError: {error}") from None
        self._begin_warm()
        self._watches = (
            self._config.get("TrainingJobEarlyStoppingType") == "Auto"
            or self._config["Strategy"] == "Hyperband"
        )
        self._trials: list[Trial] = []

    def run(self) -> dict[str, Any]:
        limits = self._config["ResourceLimits"]
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", float("inf"))
        with ThreadPoolExecutor(limits["MaxParallelTrainingJobs"], thread_name_prefix=self._job.name) as pool:
            running: set[Future[Trial]] = set()
            while running or self._goes_on(deadline):
                while len(running) < limits["MaxParallelTrainingJobs"] and self._goes_on(deadline):
                    running.add(pool.submit(self._train, self._next()))
                left = None if deadline == float("inf") else max(deadline - time.monotonic(), 0)
                ended, running = wait(running, left, FIRST_COMPLETED)
                if not ended and running:  # Out of time.
                    self._job.stop()
                    ended, running = wait(running)
                for future in ended:
                    self._take(future.result())
                self._job.report(**self._members())
        self._keep_trials()
        if self._job.stopped.is_set():
            raise Stopped(**self._members())
        if not self._succeeded():
            raise JobFailed(self._reason(), **self._members())
        return self._members()

    def _goes_on(self, deadline: float) -> bool:
        ended = [trial for trial in self._trials if trial.status != "InProgress"]
        hopeless = len(ended) >= ATTEMPTS and not self._succeeded()
        stopped = self._job.stopped.is_set() or time.monotonic() >= deadline
        return len(self._trials) < self._search.total and not hopeless and not stopped

    def _next(self) -> Trial:
        number = len(self._trials) + 1
        candidate = self._search.ask()
        digest = hashlib.sha256(f"{self._job.name}/{number}".encode()).hexdigest()[:8]
        name = f"{self._job.name}-{number:03d}-{digest}"
        child = Job("training", name, {}, self._job.tools, family=self._job.family)
        child.request = _training_request(self._definition, self._metric, child.name, candidate.tuned)
        self._job.children.append(child)
        self._trials.append(Trial(child, candidate))
        return self._trials[-1]

    def _train(self, trial: Trial) -> Trial:
        job = trial.job
        job.report(
            **job.request,
            TrainingJobArn=job.arn,
            TuningJobArn=self._job.arn,
            TunedHyperParameters=trial.candidate.tuned,
            TrainingJobStatus="InProgress",
            SecondaryStatus="Starting",
            CreationTime=now(),
        )

        def hopeless(values: dict[str, list[float]]) -> bool:
            trial.stopped_early = self._search.is_hopeless(trial.candidate, values.get(self._metric, []))
            return trial.stopped_early

        if self._job.stopped.is_set():
            job.stop(self._job.shutdown)
        self._run_training(job, hopeless if self._watches else None)
        return trial

    def _take(self, trial: Trial) -> None:
        """Enter what came out of a trial."""
        final = {item["MetricName"]: item["Value"] for item in trial.members.get("FinalMetricDataList", [])}
        usable = trial.status == "Completed" or trial.stopped_early
        value = final.get(self._metric) if usable else None
        if self._watches and value is not None:  # Also what it printed unwatched is a yardstick for others.
            definitions = trial.job.request["AlgorithmSpecification"]["MetricDefinitions"]
            printed = metrics.read(trial.job.log_file, definitions)[self._metric]
            self._search.is_hopeless(trial.candidate, printed)
        self._search.tell(trial.candidate, value, trial.stopped_early)
        found: dict[str, object] = {"ObjectiveStatus": "Failed" if value is None else "Succeeded"}
        if value is not None:
            metric = {"Type": self._objective["Type"], "MetricName": self._metric, "Value": value}
            found["FinalHyperParameterTuningJobObjectiveMetric"] = metric
        trial.job.report(**found)
        tuned = " ".join(f"{name}={text}" for name, text in trial.candidate.tuned.items())
        self._job.log(f"{trial.job.name} {trial.status} {self._metric}={value} {tuned}")

    def _succeeded(self) -> list[Trial]:
        """Trials that ran to their end and have an objective."""
        return [
            t
            for t in self._trials
            if t.status == "Completed" and t.members.get("ObjectiveStatus") == "Succeeded"
        ]

    def _members(self) -> dict[str, Any]:
        statuses = [trial.status for trial in self._trials]
        objectives = [trial.members.get("ObjectiveStatus", "Pending") for trial in self._trials]
        members = {
            "TrainingJobStatusCounters": {
                "Completed": statuses.count("Completed"),
                "InProgress": statuses.count("InProgress"),
                "RetryableError": 0,
                "NonRetryableError": statuses.count("Failed"),
                "Stopped": statuses.count("Stopped"),
            },
            "ObjectiveStatusCounters": {
                name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")
            },
        }
        if best := self._best():
            members["BestTrainingJob"] = _summary(best)
        return members

    def _best(self) -> Trial | None:
        choose = max if self._maximize else min
        return choose(self._succeeded(), key=_objective, default=None)

    def _reason(self) -> str:
        count = len(self._trials)
        if any(trial.status == "Completed" for trial in self._trials):
            return _NO_OBJECTIVE.format(count)
        return _NO_SUCCESS.format(count)

    def _begin_warm(self) -> None:
        """Take over what earlier tuning jobs found, as the request's WarmStartConfig says."""
        for name, trials in warm_start.parents(self._job.request, self._job.tools.folder / "jobs"):
            taken = [self._search.add_finished(item["tuned"], item["value"]) for item in trials]
            self._job.log(f"warm start from {sum(taken)} of {len(trials)} trials of {name}")

    def _keep_trials(self) -> None:
        found = [
            {"tuned": t.candidate.tuned, "value": _objective(t), "job": t.job.name} for t in self._succeeded()
        ]
        self._job.write("trials.json", found)


def _objective(trial: Trial) -> float:
    value: float = trial.members["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return value


def _summary(trial: Trial) -> dict[str, Any]:
    """HyperParameterTrainingJobSummary."""
    names = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "TunedHyperParameters",
        "FinalHyperParameterTuningJobObjectiveMetric",
        "ObjectiveStatus",
    )
    return {name: trial.members[name] for name in names if name in trial.members}


def _training_request(
    definition: dict[str, Any], metric: str, name: str, tuned: dict[str, str]
) -> dict[str, Any]:
    """The CreateTrainingJob request of one trial."""
    own = {"DefinitionName", "TuningObjective", "HyperParameterRanges", "StaticHyperParameters"}
    own |= {"HyperParameterTuningResourceConfig", "RetryStrategy"}
    return {
        **{member: value for member, value in definition.items() if member not in own},
        "TrainingJobName": name,
        "HyperParameters": {
            **definition.get("StaticHyperParameters", {}),
            "_tuning_objective_metric": metric,
            **tuned,
        },
    }
