"""The memory of the server, for tests that nothing stays in it."""

from pathlib import Path

import pytest

read_from_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="memory is read from /proc"
)


def resident_mib(pid: int) -> float:
    """Resident memory of a process, in MiB."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line]
    return int(line.split()[1]) / 1024
