"""SageMaker's jobs on this machine: processes with the true container contract.

`Worker` is what the rest of the local run uses; the records of jobs are ../jobs.py's. Read worker.py, job.py,
then one kind of job.

    worker.py       takes requests, runs jobs, reports changes
    job.py          one job while it runs
    slots.py        how many at a time
    failures.py     how a job fails or is stopped

What the service does, for each kind of job:

    processing.py   a processing job
    pruning.py      removing what ended jobs have worked with
    training.py     a training job
    script_mode.py  how the image calls the user's script
    metrics.py      metrics found in its log
    tuning.py       a tuning job
    search.py       its search
    warm_start.py   what earlier ones found
    transform.py    a batch transform job
    serving.py      its model server
    invocations.py  its client of that server
    records.py      its cutting and joining of records

The containers:

    launcher.py     starts processes
    forkserver.py   the warm process they are forked from
    container.py    what a forked process does to become a job's container
    mounts.py       its own `/opt/ml`
    s3.py           inputs into folders, folders into outputs
    artefact.py     model.tar.gz
"""

from typing import Any


def __getattr__(name: str) -> Any:
    """Import `Worker` when asked for: the warm process imports this package too, and must stay small."""
    if name == "Worker":
        from infra.local.sagemaker.worker import Worker

        return Worker
    raise AttributeError(name)
