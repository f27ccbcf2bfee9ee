"""How long a job takes: what was measured on a laptop, and what AWS is known to add.

The seconds of CPU time below were measured with the jobs as they are, on one core (x86-64, Python 3.11,
2026-11), over 14,026 and 91,504 real item texts (Open Repair Alliance, Danish, 40 codes). Imports are in
`fixed`. Prepare and Publish were measured later, over synthetic items (benchmarks/large_group.py). The table
in docs/cost.md says how sure each figure is.
"""

from dataclasses import dataclass

from pipelines.plan.definitions import Job
from pipelines.plan.errors import PlanError

#: Of a training dataset's rows; Prepare splits so (7,890, 1,807 and 2,427 of 12,124 rows, measured).
TEST_SHARE = 0.2


@dataclass(frozen=True)
class Work:
    """Seconds of one core: for the job, and for each row of its dataset. `spreads`: uses every core."""

    fixed: float
    per_row: float
    spreads: bool = False


#: Tune and Train are those of the dearer candidate (boosted trees): planned dear rather than cheap.
WORK = {
    "Prepare": Work(fixed=2, per_row=2.5e-6),
    "Featurize": Work(fixed=4, per_row=0.2e-3),
    "Tune": Work(fixed=4, per_row=0.4e-3),
    "TuneWarm": Work(fixed=4, per_row=0.4e-3),
    "Train": Work(fixed=4, per_row=1.9e-3),
    "Transform": Work(fixed=4, per_row=25e-6, spreads=True),
    "Publish": Work(fixed=2, per_row=9e-6),
    "Compare": Work(fixed=5, per_row=0.5e-3),
}
#: A vCPU is one thread of a core, and a cloud's disk and network come on top. Assumed, not measured.
CORE_SECONDS_TO_VCPU_SECONDS = 2
#: Until SageMaker has a machine for the job. Not billed: billing starts with TrainingStartTime. A log of an
#: ml.m5.large job of 2024-11 shows 197.5 s in all of which 135 s were billed.
LAUNCH_SECONDS = 90
#: Then image and data are fetched, and at the end outputs written: billed, with nothing computed yet. Logs of
#: toy trainings show 67 s, 135 s and 142 s (before what Spot took off). Processing is assumed to be like
#: training; a transform also starts a model server and waits for its first answer.
BILLED_START_SECONDS = {"processing": 90, "training": 90, "tuning": 90, "transform": 120}


def billed_seconds(job: Job, rows: float, vcpus: int) -> float:
    """Seconds that one instance of one job (of a tuning job: of one trial) is billed."""
    if job.state not in WORK:
        raise PlanError(
            f"The duration of {job.state} is not known. Fix: add it to pipelines/plan/durations.py."
        )
    work = WORK[job.state]
    cores = min(vcpus, job.requests) if work.spreads else 1
    seconds = (work.fixed + work.per_row * rows / cores / job.instances) * CORE_SECONDS_TO_VCPU_SECONDS
    return BILLED_START_SECONDS[job.kind] + seconds


def elapsed_seconds(job: Job, rows: float, vcpus: int) -> float:
    """Seconds from the job's creation to its end; a tuning job's trials run `parallel` at a time."""
    rounds = -(-job.trials // job.parallel)
    return rounds * (LAUNCH_SECONDS + billed_seconds(job, rows, vcpus))
