"""How much memory it takes to read one file, measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

from tests.processing.dataset.input_cases.case import COLUMNS

READ = """
import sys
from pathlib import Path
from processing.codes.codebook import Format
from processing.dataset import readers
from processing.errors import JobError
path = Path(sys.argv[1])
columns = dict.fromkeys(sys.argv[2:], "text") | {"weight_kg": "number"}
try:
    readers.read(path, path.name, columns, Format())
except JobError as refused:
    # Not ru_maxrss: that begins with what the process had that started this one.
    status = Path("/proc/self/status").read_text()
    print(refused.kind, status.split("VmHWM:")[1].split()[0])
"""


def refused_with_peak(path: Path) -> tuple[str, int]:
    """The kind as which a file is refused, and the bytes of memory that this took at most."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), *COLUMNS], check=True, capture_output=True, text=True
    )
    kind, kibibytes = done.stdout.split()
    return kind, int(kibibytes) * 1024
