"""A real moto server, a real worker, and a book of what the worker reports."""

import json
import re
import subprocess
import sys
import textwrap
import threading
from collections import defaultdict
from pathlib import Path

import pytest

from infra.local.endpoint import REGION, Connection
from infra.local.sagemaker import Worker, worker
from infra.local.sagemaker.launcher import Launcher
from tests.infra.local.sagemaker.buckets import Buckets
from tests.infra.local.sagemaker.job_requests import PATIENCE_SECONDS

TERMINAL = {"Completed", "Failed", "Stopped"}
STATUS = {
    "processing": "ProcessingJobStatus",
    "training": "TrainingJobStatus",
    "tuning": "HyperParameterTuningJobStatus",
    "transform": "TransformJobStatus",
}


class Book:
    """What was reported, by kind and name; tests wait on it instead of sleeping."""

    def __init__(self):
        self._members: dict[tuple[str, str], dict] = defaultdict(dict)
        self._changed = threading.Condition()
        self.order: list[tuple[str, str, dict]] = []

    def on_change(self, kind: str, name: str, changes: dict) -> None:
        with self._changed:
            self._members[kind, name] |= changes
            self.order.append((kind, name, changes))
            self._changed.notify_all()

    def ended(self, kind: str, name: str) -> dict:
        """All members of a job once it has ended."""
        return self.when(kind, name, lambda members: members.get(STATUS[kind]) in TERMINAL)

    def when(self, kind: str, name: str, condition) -> dict:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self._members[kind, name]), PATIENCE_SECONDS), (
                name
            )
            return dict(self._members[kind, name])

    def of_kind(self, kind: str) -> dict[str, dict]:
        with self._changed:
            return {name: dict(members) for (k, name), members in self._members.items() if k == kind}


class Stack:
    """A worker and its book, with shorthands for what tests say often."""

    def __init__(self, connection: Connection, folder: Path, slots: int):
        self.connection, self.folder = connection, folder
        self.s3 = connection.client("s3")
        self.sagemaker = connection.client("sagemaker")
        self.book = Book()
        self.worker = Worker(folder, connection, slots, self.book.on_change)
        self.worker.reach(Buckets(self.s3))

    def run(self, kind: str, request: dict) -> dict:
        name = next(request[key] for key in request if key.endswith("JobName"))
        self.worker.submit(kind, request)
        return self.book.ended(kind, name)

    def put(self, uri: str, body: str | bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def code(self, prefix: str, **modules: str) -> str:
        """Upload a package `steps` with these modules; returns the address of the bundle."""
        for name, source in {"__init__": "", **modules}.items():
            self.put(f"s3://code/{prefix}/steps/{name}.py", textwrap.dedent(source))
        return f"s3://code/{prefix}/"

    def log(self, name: str) -> str:
        return (self.folder / "jobs" / name / "log.txt").read_text()

    def kept(self, name: str, path: str) -> dict:
        return json.loads((self.folder / "jobs" / name / path).read_text())

    def close(self) -> None:
        self.worker.stop()
        self.s3.close()
        self.sagemaker.close()


@pytest.fixture(scope="session")
def connection():
    """In a process of its own: an emulator in this one would be emptied by other tests' `mock_aws`."""
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        url = next(found[0] for line in server.stderr if (found := re.search(r"http://127[.0-9]+:\d+", line)))
        threading.Thread(target=server.stderr.read, daemon=True).start()
        made = Connection(url, "any")
        s3 = made.client("s3")
        for bucket in ("code", "work-bucket", "landing"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.close()
        yield made
        server.terminate()


@pytest.fixture(scope="session")
def stack(connection, tmp_path_factory):
    """One worker with two slots, for tests that need none of their own: warming one up takes seconds."""
    stack = Stack(connection, tmp_path_factory.mktemp("sagemaker"), slots=2)
    stack.worker.start()
    yield stack
    stack.close()


class Borrowed:
    """The warm process of `stack`, for workers that need none of their own."""

    def __init__(self, launcher: Launcher):
        self.launch = launcher.launch

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


@pytest.fixture
def new_stack(connection, tmp_path, stack, monkeypatch):
    """Makes a worker of the test's own; with a `launcher`, its warm process too."""
    made = []

    def make(slots: int, launcher=None) -> Stack:
        borrowed = Borrowed(stack.worker._tools.launcher)
        monkeypatch.setattr(worker, "Launcher", launcher or (lambda log: borrowed))
        made.append(Stack(connection, tmp_path, slots))
        made[-1].worker.start()
        return made[-1]

    yield make
    for own in made:
        own.close()
