"""SageMaker's jobs on this machine: processes with the true container contract.

`Worker` is what the rest of the local run uses. A module for each kind of job says what the service does
(processing, training, tuning, transform); launcher, forkserver, container and mounts make the containers.
"""


def __getattr__(name: str):
    """Import `Worker` when asked for: the warm process imports this package too, and must stay small."""
    if name == "Worker":
        from infra.local.sagemaker.worker import Worker

        return Worker
    raise AttributeError(name)
