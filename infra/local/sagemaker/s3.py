"""What SageMaker does with S3 for a job: inputs into folders, folders into outputs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from infra.local.sagemaker.failures import JobFailed
from pipelines.names import address, split_address

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Small objects, such as what all trials of a search read, are fetched once; big ones are not worth keeping
# twice. Of what was fetched the oldest goes above the second number.
CACHED_BYTES = 32 * 2**20
KEPT_BYTES = 64 * 2**20
_AT_ONCE = 16


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
    """S3 at the local stack. In `cache`: small objects, and folders of code."""

    def __init__(self, s3: S3Client, cache: Path):
        self._s3 = s3
        self._objects, self._code = cache / "objects", cache / "code"
        for folder in (self._objects, self._code):
            folder.mkdir(parents=True, exist_ok=True)
        self._sharing, self._pruning = threading.Lock(), threading.Lock()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="s3")

    def find(self, uri: str) -> list[Object]:
        """The objects whose keys begin with that of `uri`, ordered by key, without folder markers.

        Raises JobFailed, worded as SageMaker does, if there is none.
        """
        bucket, prefix = split_address(uri)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            found = [
                Object(bucket, item["Key"], item["ETag"], item["Size"], relative_name(item["Key"], prefix))
                for page in pages
                for item in page.get("Contents", [])
                if not item["Key"].endswith("/")
            ]
        except ClientError as error:
            raise JobFailed(f"ClientError: Data download failed: {error} ({uri})") from None
        if not found:
            raise JobFailed(
                f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" '
                "given in input data source."
            )
        return found

    def download(self, places: list[tuple[str, Path]], share_code: bool) -> Fetched:
        """Fetch every object under each S3 address into the folder given with it, all at the same time.

        With `share_code`, a folder with Python sources is given as it is in the cache instead: nobody may
        write to it.
        """
        listings = list(self._pool.map(self.find, [uri for uri, _ in places]))
        shared, wanted = {}, []
        for found, (_, folder) in zip(listings, places, strict=True):
            folder.mkdir(parents=True, exist_ok=True)
            if share_code and code_digest(found):
                shared[folder] = self._shared(found)
            else:
                wanted += [(item, folder) for item in found]
        self._fetch_all(wanted)
        return Fetched([item for found in listings for item in found], shared)

    def upload(self, folder: Path, uri: str, kms_key: str | None) -> None:
        """Put every file under `folder` below `uri`, one request each, encrypted with `kms_key` if given."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        base = uri.rstrip("/")
        list(
            self._pool.map(
                lambda path: self.put(path, f"{base}/{path.relative_to(folder).as_posix()}", kms_key), files
            )
        )

    def put(self, path: Path, uri: str, kms_key: str | None) -> None:
        """Put one file at `uri`."""
        bucket, key = split_address(uri)
        encryption: dict[str, Any] = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        )
        with path.open("rb") as body:
            try:
                self._s3.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
            except ClientError as error:
                raise JobFailed(f"ClientError: Failed to upload data to {uri}: {error}") from None

    def fetch(self, item: Object, target: Path) -> None:
        """Get one object into a file."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if item.size > CACHED_BYTES:
            self._s3.download_file(item.bucket, item.key, str(target))
            return
        kept = self._kept(item)
        # A copy, because a job may write to its inputs; with its time, by which Python knows its byte code.
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(kept, target)
            return
        part = kept.with_name(f"{kept.name}.{os.urandom(4).hex()}")
        with part.open("wb") as file:
            shutil.copyfileobj(self._s3.get_object(Bucket=item.bucket, Key=item.key)["Body"], file)
        shutil.copy2(part, target)
        part.replace(kept)
        self._make_room()

    def _kept(self, item: Object) -> Path:
        name = hashlib.sha256(f"{item.bucket}\n{item.key}\n{item.etag}".encode()).hexdigest()
        return self._objects / name

    def _make_room(self) -> None:
        """Remove the objects that were fetched first while there are too many; who wants one fetches it."""
        with self._pruning:
            files = [(path, path.stat()) for path in self._objects.iterdir() if not path.suffix]
            over = sum(about.st_size for _, about in files) - KEPT_BYTES
            for path, about in sorted(files, key=lambda each: each[1].st_mtime):
                if over <= 0:
                    return
                path.unlink()
                over -= about.st_size

    def _shared(self, found: list[Object]) -> Path:
        """The folder of these objects, fetched when it is first asked for."""
        content = "".join(f"{item.name}\n{item.etag}\n" for item in found)
        folder = self._code / hashlib.sha256(content.encode()).hexdigest()
        with self._sharing:
            if not folder.exists():
                part = folder.with_suffix(".part")
                self._fetch_all([(item, part) for item in found])
                part.replace(folder)
        return folder

    def _fetch_all(self, wanted: list[tuple[Object, Path]]) -> None:
        missing = []
        for each in wanted:
            if self._kept(each[0]).exists():
                self._fetch_into(each)  # a copy is made faster than it is given to a thread
            else:
                missing.append(each)
        list(self._pool.map(self._fetch_into, missing))

    def _fetch_into(self, wanted: tuple[Object, Path]) -> None:
        item, folder = wanted
        target = folder / item.name
        if not Path(os.path.normpath(target)).is_relative_to(folder):
            raise JobFailed(f"ClientError: the key {item.key!r} leads out of its folder")
        try:
            self.fetch(item, target)
        except ClientError as error:
            raise JobFailed(
                f"ClientError: Data download failed: {error} ({address(item.bucket, item.key)})"
            ) from None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._s3.close()


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
