"""The upload of a dataset, the manifest last: only the manifest starts a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import names, runs
from pipelines.own_data import dataset
from processing.dataset import manifest
from processing.digests import sha256

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Sent:
    """A dataset that was sent: what it is, where it lies, and the name of the run that takes it."""

    group: str
    purpose: str
    period: str
    dataset: str
    run: str


def key_of(data: Path, purpose: str, group: str, period: str, now: datetime) -> str:
    """The folder of a delivery in the landing bucket: named by the time and by what the data file holds."""
    delivery = f"{now:%Y%m%dT%H%M%SZ}-{sha256(data)[:8]}"
    return names.DATASET.format(purpose=purpose, group=group, period=period, delivery=delivery)


def send(folder: Path, key: str, s3: S3Client, bucket: str) -> Sent:
    """Upload what dataset.write has written into `folder`, below the key of `key_of`."""
    named = names.parse_dataset(key)
    assert named is not None  # key_of makes no other
    s3.upload_file(str(folder / dataset.FILE), bucket, key + dataset.FILE)
    last = f"{key}{manifest.NAME}"
    put = s3.put_object(Bucket=bucket, Key=last, Body=(folder / manifest.NAME).read_bytes())
    run = runs.landed(named.purpose, bucket, last, put.get("VersionId", ""), "")["run"]
    return Sent(named.group, named.purpose, named.period, names.address(bucket, key), run)
