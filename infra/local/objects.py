"""S3's objects on disk: the newest version of each at `s3/{bucket}/{key}`, nothing of it in memory."""

import contextlib
import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote


class Found(NamedTuple):
    """What a listing says of an object; the ETag is quoted."""

    key: str
    etag: str
    size: int


class NotAnswered(Exception):
    """S3 answers with an error; the text is a client's."""


class StoredObject:
    """The bytes of one version of one object, as the file-like buffer that the emulator keeps for it."""

    def __init__(self, path: Path):
        self.path = path
        self._position = 0
        self._lock = threading.Lock()

    def move(self, path: Path) -> None:
        """Keep the bytes at another place."""
        with self._lock:
            if path != self.path:
                path.parent.mkdir(parents=True, exist_ok=True)
                self.path.replace(path)
                self.path = path

    def copy_to(self, target: Path) -> None:
        """Write the bytes to a file, which gets the time at which they were written."""
        with self._lock:
            shutil.copyfile(self.path, target)
            about = self.path.stat()
        os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))

    def size(self) -> int:
        """How many bytes there are."""
        return self.place()[1].st_size

    def md5(self) -> str:
        """Of the bytes, in hexadecimal digits."""
        with self._lock, self.path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

    def place(self) -> tuple[Path, os.stat_result]:
        """Where the bytes are, and what the file system says of them."""
        with self._lock:
            return self.path, self.path.stat()

    def remove(self) -> None:
        """Delete the bytes."""
        with self._lock:
            self.path.unlink(missing_ok=True)

    def seek(self, position: int) -> None:
        """Where the next read starts."""
        self._position = position

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from the position."""
        with self._lock, self.path.open("rb") as file:
            file.seek(self._position)
            content = file.read(size)
        self._position += len(content)
        return content

    def close(self) -> None:
        """Nothing is held open."""


class ObjectFolder:
    """Where objects lie. Older versions, and keys that no file name can hold, are in a hidden folder."""

    def __init__(self, folder: Path):
        self._folder, self._lost = folder, folder / ".lost"

    def store(self, bucket: str, key: str, content: bytes | Path) -> StoredObject:
        """Keep the bytes of a new version where older ones are; `arrange` puts the newest at its own name.

        A file is not copied where the file system can give it a second name.
        """
        path = self._older(bucket, key, str(uuid.uuid4()))
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            _link(content, path)
        return StoredObject(path)

    def arrange(self, bucket: str, key: str, versions: list[tuple[str, StoredObject | None]]) -> None:
        """Put the newest of `versions` (oldest first; None: a delete marker) at the key's own name."""
        for version, stored in versions[:-1]:
            if stored:
                stored.move(self._older(bucket, key, version))
        version, stored = versions[-1] if versions else ("", None)
        if stored:
            try:
                stored.move(self._newest(bucket, key))
            except OSError:  # "a" and "a/b" are both keys, or a part is too long for a file name
                stored.move(self._older(bucket, key, version))

    def about(self, stored: StoredObject) -> dict[str, Any]:
        """What `found` finds a version again by."""
        place, about = stored.place()
        return {
            "place": place.relative_to(self._folder).as_posix(),
            "size": about.st_size,
            "written": about.st_mtime_ns,
        }

    def found(
        self, bucket: str, key: str, version: str, about: dict[str, Any], etag: str
    ) -> StoredObject | None:
        """A version that was there before, where it was then or where older ones are; None if it is gone.

        By its time of writing, or, where a copy of the folder has lost that, by its `etag`: the MD5 of its
        bytes, unless it was uploaded in parts.
        """
        for path in (self._folder / about["place"], self._older(bucket, key, version)):
            if path.is_file() and path.stat().st_size == about["size"]:
                same = path.stat().st_mtime_ns == about["written"]
                if same or etag == hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest():
                    return StoredObject(path)
        return None

    def keep_only(self, paths: Iterable[Path]) -> None:
        """Put all other files aside, into `.lost`: no service knows what they are."""
        kept = set(paths)
        for path in list(self._folder.rglob("*")):
            if path.is_file() and path not in kept and self._lost not in path.parents:
                aside = self._lost / path.relative_to(self._folder)
                aside.parent.mkdir(parents=True, exist_ok=True)
                path.replace(aside)

    def _newest(self, bucket: str, key: str) -> Path:
        parts = [quote(part, safe=" !#$&'()+,;=@[]{}~^") or "%" for part in key.split("/")]
        return self._folder.joinpath(bucket, *("%2E" * len(p) if p in (".", "..") else p for p in parts))

    def _older(self, bucket: str, key: str, version: str) -> Path:
        return self._folder / ".older" / bucket / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.{version}"


def _link(source: Path, target: Path) -> None:
    if not source.is_symlink():  # else it would be the link itself that gets a second name
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
