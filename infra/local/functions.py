"""Lambda: each function's handler in a warm process of its own, with its environment, timeout and log."""

import contextlib
import hashlib
import io
import json
import os
import selectors
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

WORKER = Path(__file__).with_name("function_worker.py")


@dataclass(frozen=True)
class Function:
    """What the control plane knows of a function: enough to run it."""

    name: str
    arn: str
    handler: str
    code: bytes = field(repr=False)
    environment: dict[str, Any]
    timeout_seconds: float
    memory_mb: int


@dataclass(frozen=True)
class Outcome:
    """What one invocation gave: the JSON body, and whether it is an error report."""

    body: bytes
    failed: bool


class Functions:
    """Runs functions; keeps one process for each and starts it again when its code or settings have changed.

    `folder` takes the unpacked code and the logs; `environment` is added to every function's own.
    """

    def __init__(self, folder: Path, environment: dict[str, str]):
        self._folder = folder
        self._environment = environment
        self._processes: dict[str, _Process] = {}
        self._lock = threading.Lock()

    def warm(self, function: Function) -> None:
        """Start the process without waiting for it, so that the first event does not wait for imports."""
        process = self._process(function)
        with process.lock:
            process.start()

    def invoke(self, function: Function, event: object) -> Outcome:
        """Run the handler on one event; exception, timeout and crash come back as Lambda reports them."""
        return self._process(function).answer(event)

    def stop(self) -> None:
        """End every process."""
        with self._lock:
            for process in self._processes.values():
                process.kill()

    def _process(self, function: Function) -> "_Process":
        with self._lock:
            process = self._processes.get(function.arn)
            if process is None or process.function != function:
                if process:
                    process.kill()
                process = self._processes[function.arn] = _Process(function, self._folder, self._environment)
            return process


class _Process:
    """One function's worker process. One event at a time: more events wait their turn at `lock`."""

    def __init__(self, function: Function, folder: Path, environment: dict[str, str]):
        self.function = function
        self.lock = threading.Lock()
        self._code = folder / f"{function.name}-{hashlib.sha256(function.code).hexdigest()[:12]}"
        self._log = folder / f"{function.name}.log"
        self._environment = {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "en_US.UTF-8",
            "TZ": "UTC",
            **environment,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            **function.environment,
        }
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        if self._running and self._running.poll() is None:
            return self._running
        if not self._code.is_dir():
            with zipfile.ZipFile(io.BytesIO(self.function.code)) as bundle:
                bundle.extractall(self._code)
        command = [sys.executable, "-Iu", str(WORKER), str(self._code), self.function.handler]
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
                cwd=self._code,
            )
        return self._running

    def answer(self, event: object) -> Outcome:
        request = {"id": str(uuid.uuid4()), "arn": self.function.arn, "event": event}
        request["timeout_seconds"] = self.function.timeout_seconds
        with self.lock:
            running = self.start()
            assert running.stdin and running.stdout  # pipes
            try:
                running.stdin.write(json.dumps(request).encode() + b"\n")
                running.stdin.flush()
                line = self._read_line(running.stdout)
            except BrokenPipeError:
                line = running.stdout.read()  # it may have said why it went
            except TimeoutError:
                self.kill()
                seconds = f"{self.function.timeout_seconds:.2f}"
                return _report(
                    "Sandbox.Timedout",
                    f"RequestId: {request['id']} Error: Task timed out after {seconds} seconds",
                )
            if not line.endswith(b"\n"):  # Also of a process that was killed in the middle of its answer.
                status = running.wait()
                return _report(
                    "Runtime.ExitError",
                    f"RequestId: {request['id']} Error: Runtime exited with status {status}",
                )
        answer = json.loads(line)
        if "payload" in answer:
            return Outcome(answer["payload"].encode(), False)
        return Outcome(json.dumps(answer.get("error") or answer["failed_to_load"]).encode(), True)

    def kill(self) -> None:
        if self._running:
            with contextlib.suppress(ProcessLookupError):
                self._running.kill()
            self._running.wait()

    def _read_line(self, answers: IO[bytes]) -> bytes:
        """One answer; raises TimeoutError after the function's timeout, so it reads unbuffered."""
        deadline = time.monotonic() + self.function.timeout_seconds
        answer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(answers, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TimeoutError
                piece = os.read(answers.fileno(), 1 << 16)
                if not piece:
                    break
                answer += piece
        return answer


def _report(error_type: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), True)
