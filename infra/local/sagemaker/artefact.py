"""model.tar.gz: the same content gives the same bytes; unpacking puts nothing outside of its folder."""

import gzip
import tarfile
from pathlib import Path


def pack(folder: Path, target: Path) -> None:
    """Pack everything in `folder`; times, owners and the order of files in the file system leave no trace."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix(), recursive=False, filter=_anonymous)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack into `folder`. Raises tarfile.TarError for what is no archive or leads out of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:*") as opened:
        opened.extractall(folder, filter="data")


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member
