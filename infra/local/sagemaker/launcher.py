"""Starts jobs' processes through the warm process (forkserver.py) and learns how they end."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from infra.local.sagemaker.forkserver import CODE, KILL, LENGTH, TERMINATE

# One thread a job, before any library is loaded: oversubscribed OpenMP is many times slower, and the process
# that forks must not have a thread, so Arrow's allocator gets none either.
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
_WARM_ENVIRONMENT = {**ONE_THREAD, "JE_ARROW_MALLOC_CONF": "background_thread:false"}


class Process:
    """One job's process. It is killed when this connection closes, so also when our own process dies."""

    def __init__(self, connection: socket.socket):
        self._connection = connection

    def wait(self, timeout_seconds: float | None = None) -> int | None:
        """The exit code (128 + signal for a killed one), or None if it has not ended in time.

        Raises:
            ConnectionError: if the warm process died, and the job with it.
        """
        self._connection.settimeout(timeout_seconds)
        try:
            data = self._connection.recv(CODE.size)
        except TimeoutError:
            return None
        if not data:
            raise ConnectionError("the warm process ended")
        code: int
        (code,) = CODE.unpack(data)
        return code

    def stop(self, grace_seconds: float) -> None:
        """Ask it to end (SIGTERM) and kill it if it has not after `grace_seconds`. Returns at once."""
        self._order(TERMINATE)
        timer = threading.Timer(grace_seconds, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """Kill its whole process group."""
        self._order(KILL)

    def close(self) -> None:
        self._connection.close()

    def _order(self, order: bytes) -> None:
        with contextlib.suppress(OSError):  # It has ended already.
            self._connection.send(order)


class Launcher:
    """The warm process. `own_opt_ml=False` leaves jobs without an /opt/ml, as without namespaces."""

    def __init__(self, log: Path, own_opt_ml: bool = True):
        self._log = log
        self._own_opt_ml = own_opt_ml
        self._control: socket.socket | None = None
        self._warm: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start it; returns at once, while it imports. The first job waits for that."""
        self._control, theirs = socket.socketpair()
        with open(self._log, "ab") as log, theirs:
            self._warm = subprocess.Popen(
                [sys.executable, "-m", "infra.local.sagemaker.forkserver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_WARM_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; it ends with the control socket.
            )

    def launch(
        self,
        arguments: list[str],
        environment: dict[str, str],
        cwd: str,
        ml: Path,
        log: Path,
        shared: Mapping[str, Path],
        byte_code: Path | None = None,
        listener: socket.socket | None = None,
        call: str | None = None,
    ) -> Process:
        """Start a process with `ml` as its /opt/ml and no other environment; its output is added to `log`.

        In its /opt/ml are folders that it shares with other jobs, and can only read: `shared`, by their paths
        there.

        `python3 -m module ...` runs in the warm image of the libraries; anything else is executed. With a
        `listener` it serves a model there instead, with `call` it calls that `module:function`.
        """
        start = {
            "arguments": arguments,
            "environment": environment,
            "cwd": cwd,
            "ml": str(ml),
            "log": str(log),
            "shared": {place: str(folder) for place, folder in shared.items()},
            "byte_code": byte_code and str(byte_code),
            "own_opt_ml": self._own_opt_ml,
            "call": call,
        }
        ours, theirs = socket.socketpair()
        body = json.dumps(start).encode()
        descriptors = [theirs.fileno()] + ([listener.fileno()] if listener else [])
        try:
            with theirs:
                self._send(descriptors)
            ours.sendall(LENGTH.pack(len(body)) + body)
        except OSError:
            ours.close()
            raise
        return Process(ours)

    def _send(self, descriptors: list[int]) -> None:
        """Hand a job's sockets to the warm process; to a new one if it was killed: only its own jobs fail."""
        with self._lock:
            if self._control is None or self._warm is None:
                raise RuntimeError("the warm process was not started")
            try:
                socket.send_fds(self._control, [b"J"], descriptors)
            except (BrokenPipeError, ConnectionResetError):
                self._control.close()
                self._warm.wait()
                self.start()
                socket.send_fds(self._control, [b"J"], descriptors)

    def stop(self) -> None:
        """End it and every job; returns when all are gone."""
        if self._warm and self._control:
            self._control.close()
            self._warm.terminate()  # It heeds this only while it imports, and cannot see the socket.
            self._warm.wait()
            self._warm = None
