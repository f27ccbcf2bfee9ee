"""A model's artefact, as a training job left it in S3: its data, fetched for a person to look at."""

from __future__ import annotations

import base64
import hashlib
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipelines.ledger.reading import LedgerError
from pipelines.names import split_address
from processing.errors import NOT_AS_RECORDED

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def fetch(s3: S3Client, address: str, digest: str, names: tuple[str, ...], folder: Path) -> None:
    """Put those of the files `names` that the artefact at `address` has into `folder`.

    `s3` is a boto3 S3 client; `digest` is the artefact's SHA-256 in Base64, as its model's item has it. The
    code in the artefact is neither unpacked nor run. Raises LedgerError where the artefact is not there any
    more, or is not the one that was recorded.
    """
    bucket, key = split_address(address)
    with tempfile.TemporaryFile() as packed:
        try:
            s3.download_fileobj(bucket, key, packed)
        except ClientError as error:
            if error.response["Error"]["Code"] != "404":
                raise
            raise LedgerError(
                f"{address} does not exist. Fix: restore the object's last version, or use another model."
            ) from None
        packed.seek(0)
        found = base64.b64encode(hashlib.file_digest(packed, "sha256").digest()).decode()
        if found != digest:
            raise LedgerError(
                f"{address} {NOT_AS_RECORDED}: its SHA-256 (Base64) is {found}, recorded was {digest}. "
                "Fix: restore that version of the object, or use another model."
            )
        packed.seek(0)
        with tarfile.open(fileobj=packed, mode="r:gz") as archive:
            for member in archive:
                name = str(PurePosixPath(member.name))
                file = archive.extractfile(member) if member.isfile() and name in names else None
                if file:
                    (folder / name).write_bytes(file.read())
