"""S3 as SageMaker reaches it for its jobs: from inside, so that bytes go from file to file.

By its interface each byte would be copied a dozen times on its way, and hashed in three ways.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from moto.s3 import models as s3_models
from moto.s3.exceptions import MissingKey, S3ClientError

from infra.local.endpoint import ACCOUNT
from infra.local.objects import Found, NotAnswered


class Buckets:
    """moto's S3. `changed` is called after each put; what S3 answers with an error raises NotAnswered."""

    def __init__(self, changed: Callable[[], None]):
        self._changed = changed

    def find(self, bucket: str, prefix: str) -> list[Found]:
        """The objects whose keys begin with `prefix`, in the order of their keys."""
        found = _answer("ListObjectsV2", lambda: _backend().get_bucket(bucket).keys.below(prefix))
        return [
            Found(name, key.etag, key.size)
            for name, key in found.items()
            if not isinstance(key, s3_models.FakeDeleteMarker)
        ]

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        """Write the bytes of an object to a file, which gets the time at which they were put."""
        found = _answer("GetObject", lambda: _backend().get_object(bucket, key))
        if found is None:
            raise _error("GetObject", MissingKey(key))
        found._value_buffer.copy_to(target)

    def put(self, bucket: str, key: str, file: Path, kms_key: str | None) -> None:
        """Make an object of a file, encrypted with `kms_key` if given. Nobody may write to it any more."""
        encryption = {"encryption": "aws:kms", "kms_key_id": kms_key} if kms_key else {}
        _answer("PutObject", lambda: _backend().put_object(bucket, key, file, **encryption))
        self._changed()


def _backend() -> Any:
    return s3_models.s3_backends[ACCOUNT]["aws"]


def _answer(operation: str, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except S3ClientError as error:
        raise _error(operation, error) from None


def _error(operation: str, error: S3ClientError) -> NotAnswered:
    text = f"An error occurred ({error.code}) when calling the {operation} operation: {error.message}"
    return NotAnswered(text)
