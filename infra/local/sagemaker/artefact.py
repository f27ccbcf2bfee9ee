"""model.tar.gz: the same content gives the same bytes; unpacking puts nothing outside of its folder."""

import gzip
import shutil
import tarfile
from pathlib import Path, PurePosixPath


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
    """Unpack the files and folders of `archive` into `folder`; of their modes only "executable" is kept.

    Raises tarfile.TarError for what is no archive, and for a member that leads out of the folder or is a
    link or a device. tarfile has filters for that since Python 3.11.4 only
    (https://docs.python.org/3.11/library/tarfile.html#extraction-filters).
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:*") as opened:
        for member in opened:
            target = folder / _inside(member)
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            source = opened.extractfile(member)
            assert source, "a file, as _inside lets no other through"
            with source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
            target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _inside(member: tarfile.TarInfo) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise tarfile.TarError(f"{member.name} leads out of the folder. Fix: pack it with a relative name.")
    if not (member.isfile() or member.isdir()):
        raise tarfile.TarError(f"{member.name} is a link or a device. Fix: pack files and folders only.")
    return path


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member
