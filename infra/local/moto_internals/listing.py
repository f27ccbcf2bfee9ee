"""A listing of S3 looks at the keys that begin with its prefix.

moto looks at all keys of the bucket, which are more with each job.
"""

import bisect
import copy
import itertools
import threading
from typing import Any

from moto.s3 import models, utils


class SortedKeys(utils._VersionedKeyStore):
    """moto's versions by key, which it keeps in order besides."""

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []
        self._ordering = threading.Lock()

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, value)
        self._add(key)

    def setlist(self, key: str, list_: Any) -> None:
        super().setlist(key, list_)
        self._add(key)

    def pop(self, key: str) -> None:  # type: ignore[override]  # as moto has it
        super().pop(key)
        with self._ordering:
            place = bisect.bisect_left(self._names, key)
            if self._names[place : place + 1] == [key]:
                del self._names[place]

    def below(self, prefix: str) -> dict[str, Any]:
        """The newest version by key, in their order, of all that begin with `prefix`."""
        with self._ordering:
            first = bisect.bisect_left(self._names, prefix)
            later = itertools.islice(self._names, first, None)
            names = list(itertools.takewhile(lambda name: name.startswith(prefix), later))
        return {name: newest for name in names if (newest := self.get(name)) is not None}

    def _add(self, key: str) -> None:
        with self._ordering:
            place = bisect.bisect_left(self._names, key)
            if self._names[place : place + 1] != [key]:
                self._names.insert(place, key)


def install_listing() -> None:
    """Let buckets that are made from now on keep their keys in order, and listings use that."""
    s3: Any = models
    backend = s3.S3Backend
    original = backend.list_objects

    def list_objects(self: Any, bucket: Any, prefix: str | None, *others: Any, **named: Any) -> Any:
        narrowed = copy.copy(bucket)
        narrowed.keys = bucket.keys.below(prefix or "")
        return original(self, narrowed, prefix, *others, **named)

    backend.list_objects = list_objects
    s3._VersionedKeyStore = SortedKeys
