"""One job while it runs: its folder, its log, its processes, its end."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.local.sagemaker.failures import Stopped
from infra.local.sagemaker.launcher import ONE_THREAD, Launcher, Process
from infra.local.sagemaker.s3 import Storage, code_digest
from infra.local.sagemaker.slots import Slots
from pipelines.names import parse_run

# Between SIGTERM and SIGKILL, as SageMaker gives a job that is stopped.
GRACE_SECONDS = 120
_IN_ARN = {
    "processing": "processing-job",
    "training": "training-job",
    "tuning": "hyper-parameter-tuning-job",
}
_LOOK_EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Tools:
    """What all jobs of a worker share."""

    folder: Path
    launcher: Launcher
    storage: Storage
    slots: Slots
    sagemaker: Any
    region: str
    on_change: Callable[[str, str, dict[str, Any]], None]

    def byte_code(self, digest: str | None) -> Path | None:
        """Where jobs whose code has this digest keep and find its byte code."""
        return self.folder / "cache" / "byte-code" / digest if digest else None


@dataclass
class Job:
    """A job of one kind.

    Attributes:
        request: the Create*Job request.
        folder: `jobs/<name>`; in it `request.json`, `log.txt`, and `opt/ml`, the container's folder.
        members: what was reported of it so far.
        shared: folders that other jobs see as well, by their places in the container.
        family: what it belongs to: those that began first are done first. A group's month, where a tag says
            which run it is a job of, as one run leads to another.
        stopped: set when the job is to end; `shutdown` when that is because the whole worker ends.
    """

    kind: str
    name: str
    request: dict[str, Any]
    tools: Tools
    members: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Path] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    shutdown: bool = False
    children: list["Job"] = field(default_factory=list)
    family: object = None
    _processes: set[Process] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.family = self.family or _family(self.request) or self.name
        self.folder = self.tools.folder / "jobs" / self.name
        self.ml = self.folder / "opt" / "ml"
        self.log_file = self.folder / "log.txt"
        # A tuning job does no work itself; its training jobs line up for it.
        self._ticket = None if self.kind == "tuning" else self.tools.slots.line_up(self.family)

    @property
    def arn(self) -> str:
        """Its ARN, in the account of the role it names."""
        role = self.request.get("RoleArn") or self.request["TrainingJobDefinition"]["RoleArn"]
        return f"arn:aws:sagemaker:{self.tools.region}:{role.split(':')[4]}:{_IN_ARN[self.kind]}/{self.name}"

    def prepare(self) -> None:
        """Make the folder and keep the request in it."""
        self.ml.mkdir(parents=True, exist_ok=True)
        self.write("request.json", self.request)

    def write(self, name: str, value: object) -> None:
        """Keep `value` as JSON in the job's folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, indent=1, default=str, ensure_ascii=False), encoding="utf-8")

    def log(self, line: str) -> None:
        with self.log_file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def slots(self, at_most: int = 1) -> AbstractContextManager[int]:
        """Wait for this job's turn and hold its slots; see Slots.hold."""
        assert self._ticket, "a tuning job does no work itself"
        return self.tools.slots.hold(self._ticket, self.stopped, at_most)

    def leave_queue(self) -> None:
        """Wait no longer, whatever happened before it came to the job's turn."""
        self.tools.slots.leave(self._ticket)

    def report(self, **members: object) -> None:
        """Tell the control plane members of the describe response that changed."""
        self.members |= members
        self.tools.on_change(self.kind, self.name, members)

    def download(self, places: Iterable[tuple[str, str]], share_code: bool = True) -> str | None:
        """Fetch what is under each S3 address to the path in the container that is given with it.

        With `share_code`, Python sources are not copied: the folder they are in is one for all jobs, and
        read-only.

        Returns:
            A digest of the sources; None if there are none.
        """
        folders = [(uri, self.in_container(path)) for uri, path in places]
        fetched, shared = self.tools.storage.download(folders, share_code)
        self.shared = {f"/opt/ml/{path.relative_to(self.ml)}": folder for path, folder in shared.items()}
        return code_digest(fetched)

    def in_container(self, path: str) -> Path:
        """Where a path under /opt/ml is on this machine."""
        return self.ml / Path(path).relative_to("/opt/ml")

    def execute(
        self,
        arguments: list[str],
        environment: dict[str, str],
        cwd: str,
        max_seconds: float,
        *,
        byte_code: Path | None = None,
        call: str | None = None,
        watch: Callable[[], bool] | None = None,
    ) -> int:
        """Run a process of the job to its end and return its exit code.

        `watch`, called about five times a second, may return True to stop it early.

        Raises:
            Stopped: when it was stopped, or had to be after `max_seconds`; it then had its grace period.
        """
        with self.process(arguments, environment, cwd, byte_code, call=call) as process:
            code, late = _wait(process, time.monotonic() + max_seconds, watch)
        if late or code is None or self.stopped.is_set():
            raise Stopped
        return code

    @contextmanager
    def process(
        self,
        arguments: list[str],
        environment: dict[str, str],
        cwd: str,
        byte_code: Path | None = None,
        listener: socket.socket | None = None,
        call: str | None = None,
    ) -> Iterator[Process]:
        """A process of the job, which is killed at the end of the block if it still runs."""
        surroundings = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            **ONE_THREAD,
        }
        process = self.tools.launcher.launch(
            arguments,
            {**surroundings, **environment},
            cwd,
            self.ml,
            self.log_file,
            self.shared,
            byte_code,
            listener,
            call,
        )
        with self._lock:
            self._processes.add(process)
        try:
            if self.stopped.is_set():
                raise Stopped
            yield process
        finally:
            with self._lock:
                self._processes.discard(process)
            process.close()

    def stop(self, shutdown: bool = False) -> None:
        """End the job: at once when the worker shuts down, else with the grace period. Returns at once."""
        self.shutdown = self.shutdown or shutdown
        self.stopped.set()
        for child in self.children:
            child.stop(shutdown)
        with self._lock:
            for process in self._processes:
                process.kill() if shutdown else process.stop(GRACE_SECONDS)
        self.tools.slots.wake()


def _family(request: dict[str, Any]) -> object:
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    run = parse_run(tags.get("run", ""))
    return run and (run.group, run.period)


def _wait(process: Process, deadline: float, watch: Callable[[], bool] | None) -> tuple[int | None, bool]:
    """Exit code, and whether the process had to be stopped."""
    while True:
        left = max(deadline - time.monotonic(), 0.001)
        code = process.wait(min(left, _LOOK_EVERY_SECONDS) if watch else left)
        if code is not None:
            return code, False
        if time.monotonic() >= deadline or (watch and watch()):
            process.stop(GRACE_SECONDS)
            return process.wait(), True


def now() -> datetime:
    return datetime.now(UTC)
