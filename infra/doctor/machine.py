"""What this machine has of what the local stack needs: Python, disk, user namespaces, a port."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

from infra.doctor.finding import FAIL, OK, WARN, Finding

LEAST_PYTHON = (3, 11)
#: What `make setup` and a demo leave on the disk, rounded up.
LEAST_FREE_BYTES = 3_000_000_000
#: From linux/sched.h: a user and a mount namespace, by which a job gets an /opt/ml of its own.
NAMESPACES = 0x10000000 | 0x00020000


def machine(folder: Path) -> list[Finding]:
    """All findings of this machine; `folder` is where runs would be kept."""
    return [
        python(sys.version_info[:2]),
        disk(shutil.disk_usage(folder).free),
        namespaces(_may_unshare()),
        port(_can_listen()),
    ]


def python(version: tuple[int, int]) -> Finding:
    """Whether this Python can run it."""
    text = ".".join(map(str, version))
    if version >= LEAST_PYTHON:
        return Finding(OK, "Python", text)
    return Finding(FAIL, "Python", f"{text}, and 3.11 is needed", "make setup PYTHON=python3.11")


def disk(free_bytes: int) -> Finding:
    """Whether a demo fits."""
    sentence = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes >= LEAST_FREE_BYTES:
        return Finding(OK, "disk", sentence)
    return Finding(WARN, "disk", sentence, f"free {LEAST_FREE_BYTES / 1e9:g} GB, or name another folder")


def namespaces(allowed: bool) -> Finding:
    """Whether each job can have an `/opt/ml` of its own."""
    if allowed:
        return Finding(OK, "user namespaces", "allowed")
    return Finding(
        WARN,
        "user namespaces",
        "not allowed: jobs run without an /opt/ml of their own",
        "on Linux: sysctl kernel.unprivileged_userns_clone=1, and "
        "kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu",
    )


def port(free: bool) -> Finding:
    """Whether the local stack can listen."""
    if free:
        return Finding(OK, "port", "127.0.0.1 can be listened on")
    return Finding(FAIL, "port", "127.0.0.1 cannot be listened on", "allow it in the firewall or sandbox")


def _may_unshare() -> bool:
    """Asked in a process of its own, as it cannot be undone."""
    script = f"import ctypes; raise SystemExit(ctypes.CDLL(None).unshare({NAMESPACES}) != 0)"
    return sys.platform == "linux" and not subprocess.run([sys.executable, "-c", script]).returncode


def _can_listen() -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
        except OSError:
            return False
    return True
