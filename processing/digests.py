"""SHA-256 of files, and the check that a file is still the one that was recorded.

Only the standard library. Who records a digest, and who checks it: docs/contracts.md.
"""

import hashlib
from pathlib import Path

from processing.errors import NOT_AS_RECORDED, Tampered


def sha256(path: Path) -> str:
    """SHA-256 (hex) of one file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: Path, recorded: str, name: str, fix: str, kind: str = "") -> None:
    """Raise Tampered unless the file at `path` has the SHA-256 `recorded` (hex).

    `name` is what people call the file, `fix` what puts it right; `kind` as JobError has it.
    """
    found = sha256(path) if path.is_file() else "that of no file"
    if found != recorded:
        problem = f"{name} {NOT_AS_RECORDED}: its SHA-256 is {found}, recorded was {recorded}."
        raise Tampered(problem, fix, kind)
