"""What SageMaker does with S3 for a job: inputs into folders, folders into outputs."""

import hashlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from infra.local.objects import Found, NotAnswered
from infra.local.sagemaker.failures import JobFailed
from pipelines.names import address, split_address


class Buckets(Protocol):
    """S3 (moto_internals/objects.py)."""

    def find(self, bucket: str, prefix: str) -> list[Found]: ...

    def fetch(self, bucket: str, key: str, target: Path) -> None: ...

    def put(self, bucket: str, key: str, file: Path, kms_key: str | None) -> None: ...


@dataclass(frozen=True)
class Object:
    """One object of a prefix; `name` is its path relative to the prefix."""

    bucket: str
    key: str
    etag: str
    size: int
    name: str


class Fetched(NamedTuple):
    """What was asked for, and by targets the folders that hold it for all jobs, instead of copies there."""

    objects: list[Object]
    shared: dict[Path, Path]


class Storage:
    """What jobs read and write. Folders of code are kept in the folder `code`, one for all jobs.

    `buckets` is set by who makes both.
    """

    def __init__(self, code: Path):
        code.mkdir(parents=True, exist_ok=True)
        self._code = code
        self._sharing = threading.Lock()
        self.buckets: Buckets

    def find(self, uri: str) -> list[Object]:
        """The objects whose keys begin with that of `uri`, ordered by key, without folder markers.

        Raises JobFailed, worded as SageMaker does, if there is none.
        """
        bucket, prefix = split_address(uri)
        try:
            found = [
                Object(bucket, each.key, each.etag, each.size, relative_name(each.key, prefix))
                for each in self.buckets.find(bucket, prefix)
                if not each.key.endswith("/")
            ]
        except NotAnswered as error:
            raise JobFailed(f"ClientError: Data download failed: {error} ({uri})") from None
        if not found:
            raise JobFailed(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" '
                "given in input data source."
            )
        return found

    def download(self, places: list[tuple[str, Path]], share_code: bool) -> Fetched:
        """Fetch every object under each S3 address into the folder given with it.

        With `share_code`, a folder with Python sources is given as it is kept for all instead: nobody may
        write to it.
        """
        listings = [self.find(uri) for uri, _ in places]
        shared = {}
        for found, (_, folder) in zip(listings, places, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            if share_code and code_digest(found):
                shared[folder] = self._shared(found)
            else:
                self._fetch_into(folder, found)
        return Fetched([item for found in listings for item in found], shared)

    def upload(self, folder: Path, uri: str, kms_key: str | None) -> None:
        """Put every file under `folder` below `uri`, encrypted with `kms_key` if given."""
        base = uri.rstrip("/")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            self.put(path, f"{base}/{path.relative_to(folder).as_posix()}", kms_key)

    def put(self, path: Path, uri: str, kms_key: str | None) -> None:
        """Put one file at `uri`."""
        try:
            self.buckets.put(*split_address(uri), path, kms_key)
        except NotAnswered as error:
            raise JobFailed(f"ClientError: Failed to upload data to {uri}: {error}") from None

    def fetch(self, item: Object, target: Path) -> None:
        """Get one object into a file: a copy, because a job may write to its inputs."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.buckets.fetch(item.bucket, item.key, target)
        except NotAnswered as error:
            where = address(item.bucket, item.key)
            raise JobFailed(f"ClientError: Data download failed: {error} ({where})") from None

    def _shared(self, found: list[Object]) -> Path:
        """The folder of these objects, fetched when it is first asked for."""
        content = "".join(f"{item.name}\n{item.etag}\n" for item in found)
        folder = self._code / hashlib.sha256(content.encode()).hexdigest()
        with self._sharing:
            if not folder.exists():
                part = folder.with_suffix(".part")
                self._fetch_into(part, found)
                part.replace(folder)
        return folder

    def _fetch_into(self, folder: Path, wanted: Iterable[Object]) -> None:
        for item in wanted:
            target = folder / item.name
            if not Path(os.path.normpath(target)).is_relative_to(folder):
                raise JobFailed(f"ClientError: the key {item.key!r} leads out of its folder")
            self.fetch(item, target)


def relative_name(key: str, prefix: str) -> str:
    """Where an object found under `prefix` goes: its path below the folder that `prefix` is, or is in."""
    folder = prefix if prefix.endswith("/") else prefix + "/"
    if key.startswith(folder):
        return key[len(folder) :]
    return key[prefix.rfind("/") + 1 :]


def code_digest(objects: Iterable[Object]) -> str | None:
    """A digest of the Python sources among `objects`; None if there are none."""
    sources = sorted(f"{item.name}\n{item.etag}\n" for item in objects if item.name.endswith(".py"))
    return hashlib.sha256("".join(sources).encode()).hexdigest()[:16] if sources else None
