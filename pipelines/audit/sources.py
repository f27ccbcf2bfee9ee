"""Objects read from S3: each with its SHA-256, what vouches for it, and, where it is gone, a sentence.

Clients are boto3's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from pipelines import names
from pipelines.errors import Refused, not_as_recorded
from processing.errors import NOT_AS_RECORDED

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CHUNK_BYTES = 1 << 20
#: Of a file, so much at most is kept in memory.
IN_MEMORY_BYTES = 64 << 20
NOWHERE = "nothing: its digest is recorded nowhere"
LEDGER = "the ledger"


class AuditError(Refused):
    """It cannot be answered for; the message says what is wrong, where, and the fix."""


@dataclass(frozen=True)
class Source:
    """One object that was read.

    Attributes:
        what: in words.
        address: `s3://bucket/key`.
        sha256: of its content, hex.
        by: where that digest is recorded, or what else vouches for it, in words; NOWHERE where nothing does.
        version: of the object, where it was read by its version; else empty.
    """

    what: str
    address: str
    sha256: str
    by: str
    version: str = ""


def parsed(text: bytes, address: str) -> Any:
    """The JSON that lies at `address`, or in a line of it. Raises AuditError where it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise AuditError(
            f"{address} {NOT_AS_RECORDED}: it is no JSON ({error}). "
            "Fix: restore an earlier version of the object"
        ) from error


class Sources:
    """What has been read so far, and what was not there."""

    def __init__(self, s3: S3Client):
        self.s3 = s3
        self.read: dict[str, Source] = {}
        self.missing: list[str] = []

    def get(
        self, what: str, address: str, recorded: str = "", by: str = NOWHERE, version: str = ""
    ) -> bytes | None:
        """What an object holds; None, and a sentence in `missing`, where it is not there any more.

        Args:
            what: the object, in words.
            address: where it is.
            recorded: its SHA-256 (hex), if one is.
            by: where that is recorded, in words, or what else vouches for it.
            version: of the object; without one the newest is read.

        Raises:
            AuditError: it is not what was recorded.
        """
        with self.open(what, address, recorded, by, version) as file:
            return file.read() if file else None

    @contextmanager
    def open(
        self, what: str, address: str, recorded: str = "", by: str = NOWHERE, version: str = ""
    ) -> Iterator[IO[bytes] | None]:
        """The same as a file, which is on the disk where it is large."""
        from botocore.exceptions import ClientError

        bucket, key = names.split_address(address)
        of_version: Any = {"VersionId": version} if version else {}
        try:
            body = self.s3.get_object(Bucket=bucket, Key=key, **of_version)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchVersion", "404"):
                raise
            of = f" (version {version})" if version else ""
            self.missing.append(f"{what}: {address}{of} is not kept any more.")
            yield None
            return
        digest = hashlib.sha256()
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
            for chunk in body.iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
                file.write(chunk)
            found = digest.hexdigest()
            if recorded and found != recorded:
                raise AuditError(not_as_recorded(address, found, f"{recorded} ({by})"))
            self.note(Source(what, address, found, by, version))
            file.seek(0)
            yield file

    def note(self, source: Source) -> None:
        """Keep what was read; of an object read twice, the better word for it."""
        if self.read.get(source.address, source).by in (NOWHERE, source.by):
            self.read[source.address] = source

    def forget(self, address: str) -> None:
        """Take out what was only looked through."""
        self.read.pop(address, None)

    def below(self, address: str) -> list[str]:
        """The addresses of all objects in a folder, by name."""
        bucket, prefix = names.split_address(address)
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(
            names.address(bucket, each["Key"]) for page in pages for each in page.get("Contents", [])
        )
