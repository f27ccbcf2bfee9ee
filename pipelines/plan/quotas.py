"""The service quotas that jobs count against: AWS has one for each kind of job and instance type."""

from collections import Counter

from pipelines.plan.definitions import Job, workflow

#: Instances at once of each kind that a month is planned with unless told otherwise.
PLANNED = 8
KINDS = ("processing", "training", "spot training", "transform")
#: Every machine, by each purpose that leads through other jobs of it.
WAYS = (
    ("training", "training"),
    ("inference", "inference"),
    ("inference", "review"),
    ("comparison", "comparison"),
)


def quota_kind(job: Job) -> str:
    """The kind of quota a job counts against."""
    if job.kind == "tuning":
        return "spot training" if job.spot else "training"
    return job.kind


def needed() -> Counter[tuple[str, str]]:
    """Instances at once that one run cannot do without, by quota kind and the type's parameter."""
    most: Counter[tuple[str, str]] = Counter()
    for machine, purpose in WAYS:
        for job in workflow(machine, purpose).jobs:
            # A search that has failed is made once more on the second type.
            second = ["SecondTrainingInstanceType"] if job.kind == "tuning" else []
            for parameter in (job.machines, *second):
                most[quota_kind(job), parameter] = max(
                    most[quota_kind(job), parameter], job.instances * job.parallel
                )
    return most
