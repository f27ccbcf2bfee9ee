"""Removing what only a job that has ended has needed, its folder `opt`; its request, log and trials stay."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from processing.words import counted

log = logging.getLogger(__name__)


class Files(NamedTuple):
    """How many jobs' files, how many files, how many bytes."""

    jobs: int = 0
    files: int = 0
    size: int = 0

    def __str__(self) -> str:
        held = f"{counted(self.files, 'file')} of {counted(self.jobs, 'ended job')}"
        return f"{held}, {self.size / 2**20:.1f} MiB"


def held(job: Path) -> Files:
    """What the folder of one job holds under `opt`."""
    sizes = [path.lstat().st_size for path in (job / "opt").rglob("*") if not path.is_dir()]
    return Files(1, len(sizes), sum(sizes))


def prune(jobs: Path, running: Callable[[], set[str]], keep_bytes: int = 0) -> Files:
    """Remove files of ended jobs, the oldest job first, until all jobs hold at most `keep_bytes`.

    Args:
        jobs: the folder of all jobs.
        running: names of the jobs that have not ended. It is asked after the folder has been listed, so that
            a job that begins meanwhile is not among those that are removed.
        keep_bytes: what may stay of ended jobs.

    Returns:
        What was removed.
    """
    folders = [folder for folder in jobs.iterdir() if (folder / "opt").is_dir()] if jobs.is_dir() else []
    folders.sort(key=lambda folder: folder.stat().st_mtime)
    under_way = running()
    found = {folder: held(folder) for folder in folders if folder.name not in under_way}
    left, freed = sum(each.size for each in found.values()), Files()
    for folder, each in found.items():
        if left <= keep_bytes:
            break
        shutil.rmtree(folder / "opt")
        left -= each.size
        freed = Files(*(sum(pair) for pair in zip(freed, each, strict=True)))
    if freed.jobs:
        log.info("removed %s", freed)
    return freed
