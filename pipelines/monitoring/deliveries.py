"""Datasets in the landing bucket, and what became of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines import names, runs
from pipelines.failures.failed_runs import Executions
from pipelines.failures.failure import Stack

PURPOSES = ("training", "inference")


@dataclass(frozen=True)
class Delivery:
    """A dataset that is complete: its manifest is there. Or a manifest under a wrong key.

    Attributes:
        purpose: training or inference.
        group: the model group; empty under a wrong key, and so are `period` and `delivery`.
        period: the month.
        delivery: its name.
        landed: when its manifest did.
        files: data files beside the manifest.
        size: their bytes.
        run: the run that it started, or the last that made it again; empty where none is known.
        status: that run's, as Step Functions calls it; empty where there is none.
        problem: what is wrong with the manifest's key, and the fix; empty for a right one.
    """

    purpose: str
    group: str
    period: str
    delivery: str
    landed: datetime
    files: int
    size: int
    run: str
    status: str
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs; times in ISO 8601."""
        return {**vars(self), "landed": self.landed.isoformat(timespec="seconds")}


def deliveries(stack: Stack, known: Executions, group: str = "", period: str = "") -> list[Delivery]:
    """What has landed, the newest last: of `group` and `period` where given, and all under wrong keys."""
    found = [
        delivery
        for purpose in PURPOSES
        for delivery in _of_purpose(stack, known, purpose)
        if delivery.problem or (group in ("", delivery.group) and period in ("", delivery.period))
    ]
    return sorted(found, key=lambda delivery: (delivery.landed, delivery.group, delivery.purpose))


def _of_purpose(stack: Stack, known: Executions, purpose: str) -> Iterator[Delivery]:
    bucket = stack.outputs["LandingBucket"]
    pages = (
        stack.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{purpose}/")
    )
    folders: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for page in pages:
        for item in page.get("Versions", ()):
            if item["IsLatest"]:
                folders[item["Key"].rpartition("/")[0]].append(item)
    for items in folders.values():
        for item in items:
            if item["Key"].endswith("/manifest"):
                data = [other for other in items if other is not item]
                yield _delivery(known, purpose, bucket, item, data)


def _delivery(
    known: Executions,
    purpose: str,
    bucket: str,
    item: Mapping[str, Any],
    data: list[Mapping[str, Any]],
) -> Delivery:
    key = item["Key"]
    # As the notification has it (handlers/landing.py): without versions in the bucket, the content's tag.
    version = item["VersionId"] if item["VersionId"] != "null" else item["ETag"].strip('"')
    named = names.parse_dataset(key.removesuffix("manifest"))
    run, problem = "", ""
    try:
        run = runs.landed(purpose, bucket, key, version, time="-")["run"]
    except runs.BadKey as error:
        named, problem = None, str(error)
    run = known.last_of(run) if run in known.by_name else ""
    return Delivery(
        purpose=purpose,
        group=named.group if named else "",
        period=named.period if named else "",
        delivery=named.delivery if named else "",
        landed=item["LastModified"],
        files=len(data),
        size=sum(other["Size"] for other in data),
        run=run,
        status=known.status(run),
        problem=problem,
    )
