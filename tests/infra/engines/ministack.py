"""ministack, an emulator of AWS that shares no code with moto, as a process on a free port of this machine.

It enforces policies (docs/deploy.md says which), and speaks TLS, as ours deny all else. Functions run in its
own Python; nothing here wants Docker or a network.
"""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.infra.policies import ACCOUNT, REGION
from tests.infra.templates import ROOT

PYTHON = ROOT / ".venv/ministack/bin/python"
CONFIGURATION = "ministack.core.hypercorn_conf"
#: The account's root, whom no policy limits; no other credentials are known before the stack is made.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "root", "AWS_SECRET_ACCESS_KEY": "root"}


class Aws:
    """An account in it."""

    def __init__(self, port: int, folder: Path):
        self.endpoint = f"https://127.0.0.1:{port}"
        self._certificate = str(folder / "ministack-tls/server.crt")
        self._session = boto3.Session(*CREDENTIALS.values(), region_name=REGION)

    def client(self, service: str) -> Any:
        config = Config(proxies={}, retries={"total_max_attempts": 1})
        return self._session.client(
            service, endpoint_url=self.endpoint, verify=self._certificate, config=config
        )


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Aws]:
    """An empty account while the block runs; `folder` gets the emulator's files and ministack.log."""
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "ministack.log").open("wb") as log:
        port = listener.getsockname()[1]
        environment = {
            **CREDENTIALS,
            "PATH": os.environ["PATH"],
            "TMPDIR": str(folder),
            "HOME": str(folder),
            "AUTH": "true",
            "USE_SSL": "1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            # Listeners on ports of their own.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
        }
        # Makes the certificate, so that it is there before the first client.
        subprocess.run([PYTHON, "-c", f"import {CONFIGURATION}"], env=environment, check=True)
        # The emulator's own command would listen on port 443 as well.
        one_process = ["--workers", "0", "--graceful-timeout", "0"]
        place = ["--config", f"python:{CONFIGURATION}", "--bind", f"fd://{listener.fileno()}"]
        process = subprocess.Popen(
            [PYTHON, "-m", "hypercorn", *one_process, *place, "ministack.app:app"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
        )
    try:
        yield Aws(port, folder)
    finally:
        process.terminate()
        process.wait(30)
