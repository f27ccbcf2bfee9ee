"""A month as billed units: instance hours, transitions, requests. Adds up over model groups."""

from collections import Counter
from dataclasses import dataclass, replace

from pipelines.plan.definitions import Job, workflow
from pipelines.plan.durations import TEST_SHARE, billed_seconds
from pipelines.plan.groups import ModelGroup
from pipelines.plan.prices import Prices
from processing.policy import Policy

HOURS_A_MONTH = 730
#: What one run causes beside its jobs, rounded up: messages, function calls, records. All of it is cents.
AROUND_A_RUN = Counter(
    {
        "function request": 3,
        "function GB second": 1,
        "queue request": 10,
        "event": 2,
        "mail": 2,
        "table write": 4,
        "table read": 10,
    }
)
#: What one job reads and writes in S3: the code bundle is about 60 files.
READS_A_JOB, WRITES_A_JOB = 80, 10
#: What one job causes at KMS. Its volume takes three requests (KMS Developer Guide, "How Amazon EBS uses AWS
#: KMS"). Both buckets have a bucket key, which S3 asks for once in a while for each requester: 150 objects of
#: one requester took 4 requests (aws-samples/s3-bucketkey-poc).
KEY_REQUESTS_A_JOB = 3 + 2 * 4
#: Dataset, items, predictions and labels of one item, all copies together: 747 measured, 3.3 million items.
STORED_BYTES_AN_ITEM = 750
STORED = "storage GB month"
#: SageMaker's own volume where the request names none.
DEFAULT_VOLUME_GB = 30


@dataclass(frozen=True)
class Settings:
    """What a plan can be made with. `spot` None: as the definitions say; `trials` 0: as each group has it."""

    instances: dict[str, str]
    spot: bool | None = None
    trials: int = 0

    def applied(self, job: Job, of_policy: int) -> Job:
        """The job with these settings. Spot is for trials of a tuning job only: losing one costs little."""
        if job.kind != "tuning":
            return job
        spot = job.spot if self.spot is None else self.spot
        trials = self.trials or of_policy
        return replace(job, spot=spot, trials=trials, parallel=min(trials, job.parallel))


@dataclass(frozen=True)
class Run:
    """One execution: its jobs in order, and the rows each of them works on."""

    machine: str
    jobs: tuple[Job, ...]
    states: tuple[str, ...]
    rows: float
    timeout_seconds: int


def retraining(group: ModelGroup, settings: Settings) -> list[Run]:
    """Training, then the new model and the last winner on the new test set, then their comparison.

    The order is that of the handlers TestModel and StartComparison (docs/contracts.md, Events).
    """
    tested = group.training_rows * TEST_SHARE
    return [
        run("training", "training", group.training_rows, settings, group.trials),
        run("inference", "test", tested, settings),
        run("inference", "test", tested, settings),
        run("comparison", "comparison", tested, settings),
    ]


def inference(group: ModelGroup, settings: Settings) -> list[Run]:
    """The month's items, labelled by the winner."""
    return [run("inference", "inference", group.items, settings)]


def run(machine: str, purpose: str, rows: float, settings: Settings, trials: int = Policy.trials) -> Run:
    """The execution of `machine` for a purpose, on a dataset of so many rows; `trials`: of the policy."""
    way = workflow(machine, purpose)
    jobs = tuple(settings.applied(job, trials) for job in way.jobs)
    return Run(machine, jobs, way.states, rows, way.timeout_seconds)


def used_by_runs(runs: list[Run], settings: Settings, prices: Prices) -> Counter[str]:
    """Billed units of these runs, without what waiting for a quota adds."""
    used: Counter[str] = Counter()
    for run in runs:
        used.update(AROUND_A_RUN)
        used["transition"] += len(run.states)
        stored = run.rows * STORED_BYTES_AN_ITEM / 1e9
        used[STORED] += stored  # type: ignore[assignment]  # typeshed counts in int
        for job in run.jobs:
            used.update(used_by_job(job, run.rows, settings, prices))
    return used


def used_by_job(job: Job, rows: float, settings: Settings, prices: Prices) -> Counter[str]:
    """Billed units of one job. A Spot trial that is interrupted is done again from its start."""
    instance = settings.instances[job.machines]
    one = billed_seconds(job, rows, prices.vcpus(instance)) / 3600
    hours = one * job.instances * job.trials
    if job.spot:
        hours *= 1 + prices.spot_interruptions_an_hour * one
    reads, writes = READS_A_JOB * job.trials, WRITES_A_JOB * job.trials
    return Counter(
        {
            f"{instance} spot hour" if job.spot else f"{instance} hour": hours,
            "volume GB month": hours * (job.volume_gb or DEFAULT_VOLUME_GB) / HOURS_A_MONTH,
            "get request": reads,
            "put request": writes,
            "key request": KEY_REQUESTS_A_JOB * job.trials,
        }
    )
