"""What `labelmill demo` leaves behind, as the beginning of a local stack of one's own."""

import shutil
from pathlib import Path

from infra.local.keeping import STATE_FILE
from infra.local.lock import LOCK_FILE, take
from pipelines.errors import Refused

DEMO_FOLDER = Path(".labelmill/demo")
#: What a stack goes on with, and what a person looks into. Not the caches, nor what jobs have worked with.
_CONTENTS = ("s3", "executions", "jobs", "mailbox", "warehouse")


class NoDemo(Refused):
    """There is no demo to begin with, or no place for it; the text says what to do."""


def clear(folder: Path) -> None:
    """Remove what a demo or a stack has left in the folder. Raises NoDemo for a folder of other things."""
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / LOCK_FILE).exists()):
        raise NoDemo(
            f"{folder} is no folder, or has other things in it than a demo's. Fix: name another with --dir"
        )
    shutil.rmtree(folder)


def copy_demo(folder: Path, demo: Path = DEMO_FOLDER) -> None:
    """Copy the stack of a demo that has ended into the `folder` of one that never ran. Raises NoDemo."""
    if (folder / STATE_FILE).exists():
        raise NoDemo(
            f"{folder} has a stack of its own already. Fix: labelmill local up goes on with it; "
            "labelmill local up --from-demo --dir OTHER makes another one"
        )
    if not (demo / STATE_FILE).exists():
        raise NoDemo(f"no demo has ended in {demo}. Fix: labelmill demo")
    lock = take(demo)
    if not lock:
        raise NoDemo(f"the demo in {demo} still runs. Fix: wait for its end")
    with lock:
        for name in _CONTENTS:
            if (demo / name).is_dir():
                shutil.copytree(
                    demo / name, folder / name, ignore=shutil.ignore_patterns("opt"), dirs_exist_ok=True
                )
        shutil.copy2(demo / STATE_FILE, folder / STATE_FILE)  # last: without it, nothing was copied
