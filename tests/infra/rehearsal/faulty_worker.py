"""The local worker with two faults: a job that waits to be stopped, and jobs that may not use their keys."""

from dataclasses import replace

from infra.local.sagemaker import Worker
from infra.local.sagemaker.failures import JobFailed
from infra.rehearsal.runs import GROUP, PERIOD
from pipelines.names import run_name

DELIVERY = "first"
#: Its first job would be done before anybody has stopped it: here it is as slow as on AWS.
SLOW_RUN = run_name(GROUP, "inference", PERIOD, "job stopped", f"{DELIVERY}-1")
#: While this file is in the stack's folder, no job may use a key.
NO_KEYS_FILE = "no-keys"
#: A job whose role lacks kms:Decrypt is taken and fails in the beginning (aws/aws-cdk issue 12810).
NO_KEYS = "ClientError: the role is not authorized to perform kms:Decrypt"
SECONDS = 60


class NoKeys:
    """A storage that the job's role cannot read."""

    def download(self, *inputs: object) -> None:
        raise JobFailed(NO_KEYS)


class FaultyWorker(Worker):
    def __init__(self, folder, *args, **named):
        super().__init__(folder, *args, **named)
        self._flag = folder / NO_KEYS_FILE

    def _run(self, job):
        tags = {tag["Key"]: tag["Value"] for tag in job.request.get("Tags", [])}
        if tags.get("run") == SLOW_RUN:
            job.stopped.wait(SECONDS)
        if self._flag.exists():
            job.tools = replace(job.tools, storage=NoKeys())
        super()._run(job)
