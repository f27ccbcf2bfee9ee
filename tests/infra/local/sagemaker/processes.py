"""What runs on this machine, as /proc tells it."""

import os
import select
from pathlib import Path

from tests.infra.local.sagemaker.job_requests import PATIENCE_SECONDS


def is_alive(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


def ends(pid: str) -> bool:
    """Whether a process is gone or goes now."""
    try:
        handle = os.pidfd_open(int(pid))
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE_SECONDS)[0])
    finally:
        os.close(handle)


def processes_below(text: str) -> list[int]:
    """Processes whose working folder is below a path."""
    return [pid for pid in pids() if link(pid, "cwd").startswith(text)]


def warm_processes() -> list[int]:
    return [pid for pid in pids() if b"infra.local.sagemaker.forkserver" in read(pid, "cmdline")]


def children_of(parent: int) -> set[int]:
    return {pid for pid in pids() if parent_of(pid) == parent}


def parent_of(pid: int) -> int:
    status = read(pid, "stat").rpartition(b") ")[2].split()
    return int(status[1]) if status else 0


def pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def link(pid: int, name: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/{name}")
    except OSError:
        return ""
