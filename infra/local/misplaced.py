"""Manifests in the landing bucket under keys from which no run starts.

On AWS nothing happens then, or a message is in a dead-letter queue after its retries; on this machine a
person sees it at once: where the stack is followed, and in `labelmill local status`.
"""

import re
from collections.abc import Iterator
from typing import Any

from pipelines import runs

#: What people and tools call a manifest.
_MANIFEST = re.compile(r"[._-]*manifest([._-].*)?", re.IGNORECASE)
_PURPOSES = ("training", "inference")


def problem(bucket: str, key: str) -> str | None:
    """What is wrong with a manifest's key, and the fix; None for a right one, and for other files."""
    if not _MANIFEST.fullmatch(key.rpartition("/")[2]):
        return None
    purpose = key.partition("/")[0]
    try:
        runs.landed(purpose if purpose in _PURPOSES else _PURPOSES[0], bucket, key, "", "")
    except runs.BadKey as error:
        return str(error)
    return None


def problems(s3: Any, bucket: str) -> Iterator[str]:
    """Those of all objects in a bucket; `s3` is a boto3 client."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            if said := problem(bucket, item["Key"]):
                yield said
