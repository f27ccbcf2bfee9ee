"""One local stack a folder: who has the folder's lock. However its holder ends, the system gives it back."""

import fcntl
from pathlib import Path
from typing import IO

LOCK_FILE = "lock"


def take(folder: Path) -> IO[str] | None:
    """The lock of a folder, held until the file is closed; None while another process has it."""
    lock = (folder / LOCK_FILE).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
