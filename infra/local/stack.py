"""A local stack for a program: a server process of its own, ready on entering the block, gone on leaving it.

with LocalStack(Path(".labelmill")) as stack:
    stack.client("s3").upload_file(...)
    stack.wait_until_quiet(timeout_seconds=600)
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.local.endpoint import Connection
from pipelines.errors import Refused

_POLL_SECONDS = 20
#: Each connection has a thread, and glibc gives many threads as many heaps, which are not given back.
_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}


class DidNotStart(Refused):
    """The server process ended before it was ready; the text says where to look."""


def launch(folder: Path, *options: str, with_parent: bool) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start the server; return its process and, once ready, what it says of itself (as in `endpoint.json`).

    `with_parent` ties it to this process: it ends when the returned process's `stdin` is closed, or when this
    process is gone, however that came about.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tie = ["--with-parent"] if with_parent else []
    with (folder / "server.err").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.server", "--dir", str(folder), *tie, *options],
            stdin=subprocess.PIPE if with_parent else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **_ENVIRONMENT},
            start_new_session=True,
        )
    assert process.stdout
    try:
        line = process.stdout.readline()
    except BaseException:  # Ctrl-C while it starts
        process.terminate()
        raise
    process.stdout.close()
    if not line:
        process.wait()
        if process.stdin:
            process.stdin.close()
        reason = (folder / "server.err").read_text().strip()
        raise DidNotStart(f"the local stack did not start; see {folder / 'server.log'}\n{reason}")
    return process, json.loads(line)


class LocalStack:
    """Starts the server on entering and ends it on leaving.

    Args:
        folder: where runs and results are kept.
        port: 0 takes a free one.
        slots: how many jobs run at once; None: one a core.
        options: further options of `python -m infra.local.server`, as tests of the local AWS itself use them.

    Attributes:
        endpoint: address for any AWS SDK or the AWS CLI.
        connection: address and key; its `settings` are the environment in which these talk to it.
        names: the stacks' outputs, by name.
        pid: the server's process id.
    """

    def __init__(self, folder: Path, port: int = 0, slots: int | None = None, options: tuple[str, ...] = ()):
        self.folder = folder
        self._options = ("--port", str(port), *(("--slots", str(slots)) if slots else ()), *options)

    def __enter__(self) -> "LocalStack":
        self._process, ready = launch(self.folder, *self._options, with_parent=True)
        self.connection = Connection(ready["endpoint"], ready["secret"])
        self.endpoint = self.connection.endpoint
        self.names, self.pid = ready["names"], ready["pid"]
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def client(self, service: str) -> Any:
        """A boto3 client of this stack."""
        return self.connection.client(service)

    def events(self, after: int = 0) -> Iterator[dict[str, Any]]:
        """Everything that happened after event number `after` and, waiting for it, everything to come.

        Each is a dict with `number` and `kind`: `execution` (`machine`, `name`, `status`, `arn`), `job`
        (`type`, `name`, `status`), `statement` (`name`, `status`), `message` (`topic`, `subject`) or
        `misplaced` (`key` of a manifest from which no run starts, `problem`).
        """
        while True:
            for event in self.connection.get("events", after=after, timeout=_POLL_SECONDS):
                after = event["number"]
                yield event

    def wait_for_execution(self, arn: str) -> dict[str, Any]:
        """Wait until the execution has ended, and return its description."""
        for event in self.events():
            if event["kind"] == "execution" and event["arn"] == arn and event["status"] != "RUNNING":
                break
        description: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=arn)
        return description

    def wait_until_quiet(self, timeout_seconds: float) -> None:
        """Wait until nothing is under way: no execution, no job, no message that a function should take.

        Raises:
            TimeoutError: when the time is up.
        """
        if not self.connection.get("quiet", timeout=timeout_seconds)["quiet"]:
            raise TimeoutError(f"still busy after {timeout_seconds} s; see {self.folder / 'server.log'}")
