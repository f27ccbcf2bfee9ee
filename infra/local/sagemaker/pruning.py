"""Removing what only a job that has ended has needed: all of its folder but request, log and trials.

What a job that has completed has read and written is in the buckets, so it goes at once. What others have
worked with stays for whoever looks at them, until it is pruned: by somebody, or as the oldest of too much.
"""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from processing.words import counted

log = logging.getLogger(__name__)
KEPT = {"request.json", "log.txt", "trials.json"}


class Files(NamedTuple):
    """How many jobs' files, how many files, how many bytes."""

    jobs: int = 0
    files: int = 0
    size: int = 0

    def __str__(self) -> str:
        held = f"{counted(self.files, 'file')} of {counted(self.jobs, 'ended job')}"
        return f"{held}, {self.size / 2**20:.1f} MiB"


def _rest(job: Path) -> list[Path]:
    return [path for path in job.iterdir() if path.name not in KEPT]


def held(job: Path) -> Files:
    """What the folder of one job holds besides KEPT."""
    below = (each for path in _rest(job) for each in [path, *path.rglob("*")])
    sizes = [each.lstat().st_size for each in below if not each.is_dir()]
    return Files(1, len(sizes), sum(sizes)) if sizes else Files()


def clear(job: Path) -> None:
    """Remove what the folder of one job that has ended holds besides KEPT."""
    for path in _rest(job):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def prune(jobs: Path, running: Callable[[], set[str]], keep_bytes: int = 0) -> Files:
    """Clear the folders of ended jobs, the oldest first, until the rest hold at most `keep_bytes`.

    Args:
        jobs: the folder of all jobs.
        running: names of the jobs that have not ended. It is asked after the folder has been listed, so that
            a job that begins meanwhile is not among those that are cleared.
        keep_bytes: what may stay of ended jobs.

    Returns:
        What was removed.
    """
    folders = [folder for folder in jobs.iterdir() if folder.is_dir()] if jobs.is_dir() else []
    under_way = running()
    ended = [folder for folder in folders if folder.name not in under_way]
    ended.sort(key=lambda folder: folder.stat().st_mtime)
    found = {folder: held(folder) for folder in ended}
    left, freed = sum(each.size for each in found.values()), Files()
    for folder, each in found.items():
        if left <= keep_bytes:
            break
        clear(folder)
        left -= each.size
        freed = Files(*(sum(pair) for pair in zip(freed, each, strict=True)))
    if freed.jobs:
        log.info("removed %s", freed)
    return freed
