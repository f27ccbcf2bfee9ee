"""The worker that does SageMaker's jobs on this machine."""

import contextlib
import shutil
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local.endpoint import REGION, Connection
from infra.local.sagemaker import processing, training, transform, tuning
from infra.local.sagemaker.failures import LIMIT, JobFailed, Stopped
from infra.local.sagemaker.job import Job, Tools, now
from infra.local.sagemaker.launcher import Launcher
from infra.local.sagemaker.pruning import Files, clear, held, prune
from infra.local.sagemaker.s3 import Buckets, Storage
from infra.local.sagemaker.slots import Slots

# By kind: what the name, the status and the end time are called in requests and descriptions.
_RESOURCES = {
    "processing": ("ProcessingJob", "ProcessingEndTime"),
    "training": ("TrainingJob", "TrainingEndTime"),
    "tuning": ("HyperParameterTuningJob", "HyperParameterTuningEndTime"),
    "transform": ("TransformJob", "TransformEndTime"),
}
_STOP_SECONDS = 10
#: What ended jobs have left is pruned by itself above this.
KEPT_BYTES = 512 * 2**20


class Worker:
    """Runs Create*Job requests as processes with the container contract of SageMaker.

    Args:
        folder: jobs leave `request.json` and `log.txt` in `folder/jobs/<job>`, and what else was there, the
            container's `opt/ml` above all, unless they complete: then it is in the buckets. Of the rest the
            oldest is removed once it is more than KEPT_BYTES.
        connection: the local stack; DescribeModel is asked there.
        slots: how many processes do job work at the same time. Further jobs wait: those of what
            began first are next (Slots).
        on_change: called as `on_change(kind, name, changes)` from any thread, `changes` being members of the
            describe response. A tuning job's training jobs are reported with all their members at first.
    """

    def __init__(
        self,
        folder: Path,
        connection: Connection,
        slots: int,
        on_change: Callable[[str, str, dict[str, Any]], None],
    ):
        folder = Path(folder).resolve()
        (folder / "jobs").mkdir(parents=True, exist_ok=True)
        cache = folder / "cache"
        shutil.rmtree(cache, ignore_errors=True)  # it would grow with each change of the code
        self._tools = Tools(
            folder=folder,
            launcher=Launcher(folder / "warm-process.log"),
            storage=Storage(cache / "code"),
            slots=Slots(slots),
            sagemaker=connection.client("sagemaker"),
            region=REGION,
            on_change=on_change,
        )
        self._running: dict[tuple[str, str], tuple[Job, threading.Thread]] = {}
        self._lock = threading.Lock()
        self._jobs = folder / "jobs"
        self._pruning = threading.Lock()

    def start(self) -> None:
        """Start the warm process; returns at once."""
        self._tools.launcher.start()

    def reach(self, buckets: Buckets) -> None:
        """Take S3; before the first job."""
        self._tools.storage.buckets = buckets

    def submit(self, kind: str, request: dict[str, Any]) -> None:
        """Take a job of kind "processing", "training", "tuning" or "transform"; returns at once."""
        name = request[f"{_RESOURCES[kind][0]}Name"]
        job = Job(kind, name, request, self._tools)
        thread = threading.Thread(target=self._run, args=(job,), name=f"{kind} {name}", daemon=True)
        with self._lock:
            self._running[kind, name] = job, thread
        thread.start()

    def cancel(self, kind: str, name: str) -> None:
        """Stop a job, as Stop*Job does: SIGTERM, two minutes, SIGKILL. An ended job stays as it is."""
        with self._lock:
            found = self._running.get((kind, name))
        if found:
            found[0].stop()

    def prune(self, keep_bytes: int = 0) -> Files:
        """Remove what ended jobs have worked with, the oldest first, but `keep_bytes`; what it was."""
        with self._pruning:
            return prune(self._jobs, self._names_of_running, keep_bytes)

    def stop(self) -> None:
        """Kill every job and the warm process; no process is left."""
        with self._lock:
            running = list(self._running.values())
        for job, _ in running:  # Stop all of them first, so that none takes the place of another.
            job.stopped.set()
        for job, _ in running:
            job.stop(shutdown=True)
        self._tools.launcher.stop()
        end = time.monotonic() + _STOP_SECONDS
        for _, thread in running:
            thread.join(max(end - time.monotonic(), 0))
        self._tools.sagemaker.close()

    def _run(self, job: Job) -> None:
        try:
            run_to_end(job)
            if any(held(each.folder).size for each in [job, *job.children]):
                self.prune(KEPT_BYTES)  # its own files stay, as the newest
        finally:
            with self._lock:
                del self._running[job.kind, job.name]

    def _names_of_running(self) -> set[str]:
        with self._lock:
            return {each.name for job, _ in self._running.values() for each in [job, *job.children]}


def run_to_end(job: Job, watch: Callable[[dict[str, Any]], bool] | None = None) -> None:
    """Run a job and report how it ended."""
    resource, end_time = _RESOURCES[job.kind]
    try:
        job.prepare()
        members: dict[str, Any] = {f"{resource}Status": "Completed", **_work(job, watch)}
    except Stopped as stop:
        members = {f"{resource}Status": "Stopped", **stop.members}
    except JobFailed as failure:
        members = {f"{resource}Status": "Failed", "FailureReason": str(failure), **failure.members}
    except Exception as error:
        job.log(traceback.format_exc())
        reason = (
            f"InternalServerError: {type(error).__name__}: {error}. A fault of the local run: {job.log_file}"
        )
        members = {f"{resource}Status": "Failed", "FailureReason": reason[:LIMIT]}
        if job.shutdown:  # Everything it needs is being taken away.
            members = {f"{resource}Status": "Stopped"}
    finally:
        job.leave_queue()
    if members[f"{resource}Status"] == "Completed":
        with contextlib.suppress(OSError):  # what cannot be removed is no reason to fail
            clear(job.folder)
    members[end_time] = now()
    if job.kind == "training":
        members["SecondaryStatus"] = members["TrainingJobStatus"]
    if "FailureReason" in members:
        job.log(members["FailureReason"])
    job.report(**members)


def _work(job: Job, watch: Callable[[dict[str, Any]], bool] | None) -> dict[str, Any]:
    if job.kind == "tuning":
        return tuning.run(job, run_to_end)
    if job.kind == "training":
        return training.run(job, watch)
    return processing.run(job) if job.kind == "processing" else transform.run(job)
