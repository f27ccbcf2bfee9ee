"""The warm process that every job is forked from: it has the job image's libraries imported, and one thread.

Started by launcher.py with a socket as its only argument. Over it come connections, one for each job: first
the job's description, then orders to stop it; back goes the exit code. A connection that closes ends its job,
so a job never outlives who asked for it, and when the socket itself closes everything ends.
"""

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

from infra.local.sagemaker import mounts

LENGTH = struct.Struct("!I")
CODE = struct.Struct("!i")
TERMINATE, KILL = b"T", b"K"

PRELOAD = (
    *("argparse", "concurrent.futures", "csv", "gzip", "hashlib", "tarfile", "unicodedata"),
    *("numpy", "scipy.optimize", "scipy.sparse", "scipy.special", "scipy.stats", "pandas", "xgboost"),
    *("pyarrow", "pyarrow.compute", "pyarrow.csv", "pyarrow.dataset", "pyarrow.json", "pyarrow.parquet"),
    *("encodings.cp437", "encodings.cp1252", "pyarrow.acero", "pyarrow.pandas_compat"),
    *("sklearn.calibration", "sklearn.feature_extraction.text", "sklearn.isotonic", "sklearn.linear_model"),
    *("sklearn.metrics", "sklearn.model_selection", "sklearn.svm"),
)


def main(control: socket.socket) -> None:
    """Serve until the other side closes `control`."""
    for name in PRELOAD:
        with contextlib.suppress(Exception):  # The job that needs it tells about it, in its own log.
            importlib.import_module(name)
    importlib.import_module("infra.local.sagemaker.container")
    gc.collect()
    gc.freeze()  # Pages of shared objects stay shared.
    mounts.adopt_orphans()
    ForkServer(control).serve()


class ForkServer:
    """The loop of the warm process."""

    def __init__(self, control: socket.socket):
        self._control = control
        self._jobs: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._wake, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # From here on only the end of the control socket ends this process, after its jobs.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._descriptors = [control.fileno(), self._wake, wake_write, self._selector.fileno()]

    def serve(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    if not self._accept():
                        return self._end_all()
                elif key.fileobj == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                    self._reap()
                else:
                    assert isinstance(key.fileobj, socket.socket)
                    self._obey(key.fileobj, key.data)

    def _accept(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, 1, 2)
        if not data:
            return False
        connection = socket.socket(fileno=descriptors[0])
        listener = socket.socket(fileno=descriptors[1]) if len(descriptors) > 1 else None
        start = json.loads(_receive(connection, LENGTH.unpack(_receive(connection, LENGTH.size))[0]))
        child = os.fork()
        if child == 0:
            self._become_job(connection, start, listener)
        self._jobs[child] = connection
        self._selector.register(connection, selectors.EVENT_READ, child)
        if listener:
            listener.close()
        return True

    def _become_job(
        self, connection: socket.socket, start: dict[str, Any], listener: socket.socket | None
    ) -> None:
        from infra.local.sagemaker import container

        try:
            signal.set_wakeup_fd(-1)
            for descriptor in [
                *self._descriptors,
                connection.fileno(),
                *(c.fileno() for c in self._jobs.values()),
            ]:
                os.close(descriptor)
            container.become(start, listener)
        finally:
            os._exit(1)

    def _obey(self, connection: socket.socket, child: int) -> None:
        try:
            order = connection.recv(1)
        except ConnectionError:
            order = b""
        if child not in self._jobs:  # It ended in the same round.
            return
        _signal_group(child, signal.SIGTERM if order == TERMINATE else signal.SIGKILL)
        if not order:
            self._forget(child)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if not child:
                    return
                _signal_group(child, signal.SIGKILL)  # A container ends as a whole.
                if child in self._jobs:
                    code = os.waitstatus_to_exitcode(status)
                    with contextlib.suppress(OSError):
                        self._jobs[child].sendall(CODE.pack(code if code >= 0 else 128 - code))
                    self._forget(child)

    def _forget(self, child: int) -> None:
        connection = self._jobs.pop(child)
        self._selector.unregister(connection)
        connection.close()

    def _end_all(self) -> None:
        for child in self._jobs:
            _signal_group(child, signal.SIGKILL)
        for child in self._jobs:
            os.waitpid(child, 0)
        while adopted := _children():  # What left its job's group, and what that had started in turn.
            for child in adopted:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


def _children() -> list[int]:
    """All children of this process, adopted ones too, where the kernel tells (Linux)."""
    with contextlib.suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []


def _signal_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:  # Not yet the leader of its group, or gone.
        with contextlib.suppress(ProcessLookupError):
            os.kill(leader, number)


def _receive(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes."""
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
