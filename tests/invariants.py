"""What must hold of a ledger and its buckets whenever nothing is under way, whatever happened before.

Functions over what is stored (`of_stack` reads it); each gives a sentence for each thing that is wrong. The
simulation asks them after every history, the tests of whole flows at their end.
"""

import hashlib
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow.parquet as pq

from pipelines import names
from pipelines.failures import listing
from pipelines.failures.failure import Stack
from pipelines.ledger import keys
from pipelines.ledger.reading import MAKES_WINNER
from processing.codes import codebook

Item = Mapping[str, Any]


@dataclass(frozen=True)
class Stored:
    """All that an account holds.

    Attributes:
        ledger: the items, without types.
        work: the work bucket's objects by key.
        labelled: those of the bucket of labels.
        landing: those of the landing bucket, its manifests at least.
        failures: what is listed as not done: names of runs, models and datasets' folders.
    """

    ledger: list[dict[str, Any]]
    work: Mapping[str, bytes]
    labelled: Mapping[str, bytes]
    landing: Mapping[str, bytes]
    failures: Collection[str] = field(default_factory=frozenset)

    def items(self, form: str) -> Iterator[Item]:
        """The items of one form of pipelines/ledger/keys.py, with the fields that their key holds."""
        for item in self.ledger:
            found, fields = keys.parse(item["entry"])
            if found == form:
                yield {**fields, **item}

    @cached_property
    def months(self) -> dict[tuple[str, str], Item]:
        """The items MONTH# by group and month."""
        return {(item["group"], item["period"]): item for item in self.items(keys.MONTH)}

    @cached_property
    def versions(self) -> dict[tuple[str, str], list[Item]]:
        """The items LABELS# by group and month, in the order in which they were recorded."""
        found = defaultdict(list)
        for item in self.items(keys.LABELS):
            found[item["group"], item["period"]].append(item)
        return {at: sorted(items, key=lambda item: item["recorded_at"]) for at, items in found.items()}

    def labels(self, item: Item) -> list[dict[str, Any]]:
        """The rows of the labels that an item names."""
        _, folder = names.split_address(item["labels"])
        return pq.read_table(io.BytesIO(self.labelled[f"{folder}labels.parquet"])).to_pylist()


def of_stack(client: Callable[[str], Any], outputs: Mapping[str, str]) -> Stored:
    """What a deployed stack holds; `client` makes boto3 clients, `outputs` are the stack's."""
    with listing.opened(Stack(outputs, client), datetime.now(UTC)) as found:
        failures = {failure.name for failure in found}
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=outputs["LedgerTable"])
    ledger = [
        {name: next(iter(value.values())) for name, value in item.items()}
        for page in pages
        for item in page["Items"]
    ]
    buckets = {
        name: _objects(client("s3"), outputs[f"{name}Bucket"]) for name in ("Work", "Labelled", "Landing")
    }
    return Stored(ledger, buckets["Work"], buckets["Labelled"], buckets["Landing"], failures)


def _objects(s3: Any, bucket: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names_of = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in names_of}


def broken(stored: Stored) -> list[str]:
    """Everything that does not hold, in sentences."""
    return [sentence for invariant in ALL for sentence in invariant(stored)]


def month_is_newest_delivery(stored: Stored) -> Iterator[str]:
    """The month's labels are of the newest delivery, and the last that were recorded of it."""
    for at, versions in stored.versions.items():
        month = stored.months.get(at)
        if month is None:
            yield f"{at}: labels are recorded, but no month"
            continue
        newest = max(item["delivered"] for item in versions)
        if month["delivered"] != newest:
            yield f"{at}: the month is of {month['delivered']}, the newest delivery is {newest}"
        last = [item for item in versions if "superseded_by" not in item][-1]
        if last["run"] != month["run"]:
            yield f"{at}: the month is of {month['run']}, the last that was recorded of {last['run']}"
        for item in versions:
            if "superseded_by" in item and item["delivered"] >= newest:
                yield f"{at}: {item['run']} is superseded, but no delivery is newer"
    for at in stored.months.keys() - stored.versions.keys():
        yield f"{at}: a month without labels in its history"


def month_is_shown(stored: Stored) -> Iterator[str]:
    """Athena reads the month's labels."""
    for (group, period), month in stored.months.items():
        _, folder = names.split_address(month["labels"])
        shown = stored.labelled.get(names.CURRENT.format(group=group, period=period))
        if shown != stored.labelled.get(f"{folder}labels.parquet"):
            yield f"{group} {period}: Athena does not read the labels of {month['run']}"


def outputs_are_whole(stored: Stored) -> Iterator[str]:
    """What a manifest lists is there, digest by digest, and what the ledger names has a manifest."""
    for bucket, objects in (("work", stored.work), ("labelled", stored.labelled)):
        for key, body in objects.items():
            folder, _, name = key.rpartition("/")
            if name == "manifest.json" and not folder.startswith("runs/"):
                for file in json.loads(body)["files"]:
                    there = objects.get(f"{folder}/{file['name']}")
                    if there is None or hashlib.sha256(there).hexdigest() != file["sha256"]:
                        yield f"{bucket}: {folder}/{file['name']} is not what its manifest lists"
    recorded = [(stored.labelled, item["labels"]) for item in stored.items(keys.LABELS)]
    recorded += [(stored.work, item["predictions"]) for item in stored.items(keys.PREDICTIONS)]
    for objects, address in recorded:
        if f"{names.split_address(address)[1]}manifest.json" not in objects:
            yield f"{address} is recorded, but not published"


def items_are_there_once(stored: Stored) -> Iterator[str]:
    """Every row of a dataset is in its labels once."""
    for versions in stored.versions.values():
        for item in versions:
            rows = stored.labels(item)
            _, folder = names.split_address(item["labels"])
            manifest = json.loads(stored.labelled[f"{folder}manifest.json"])
            if len(rows) != manifest["rows"]:
                yield f"{item['run']}: {len(rows)} rows, its manifest says {manifest['rows']}"
            _, dataset = names.split_address(manifest["dataset"])
            if delivered := stored.landing.get(f"{dataset}manifest"):
                entries = json.loads(delivered)["entries"]
                counted = sum(entry["meta"]["record_count"] for entry in entries)
                if counted != len(rows):
                    yield f"{item['run']}: {len(rows)} rows of the {counted} that were delivered"
            often = Counter(row["item_id"] for row in rows if row["status"] != "rejected")
            for name, count in often.items():
                if count > 1:
                    yield f"{item['run']}: the item {name} is there {count} times"


def one_winner_made_by_decisions(stored: Stored) -> Iterator[str]:
    """The winner is the model of the last decision that makes one; each replaced the one before it."""
    winners = {item["group"]: item for item in stored.items(keys.WINNER)}
    made = defaultdict(list)
    for item in stored.items(keys.DECISION):
        if item["verdict"] in MAKES_WINNER:
            made[item["group"]].append(item)
    for group in winners.keys() | made.keys():
        chain = sorted(made[group], key=lambda item: item["time"])
        before = ""
        for item in chain:
            if item["replaces"] != before:
                yield f"{item['entry']} replaces {item['replaces'] or 'nobody'}, the winner was {before}"
            before = item["model"]
        winner = winners.get(group, {"model": "", "decision": ""})
        last = chain[-1] if chain else {"model": "", "entry": ""}
        if (winner["model"], winner["decision"]) != (last["model"], last["entry"]):
            yield f"{group}: the winner is {winner['model']}, the last decision made {last['model']}"


def pinned_winner_is_replaced_by_people_only(stored: Stored) -> Iterator[str]:
    """While a rollback pins its model no comparison makes another one the winner, approved or not."""
    pinned_until = dict.fromkeys({item["group"] for item in stored.items(keys.DECISION)}, "")
    for item in sorted(stored.items(keys.DECISION), key=lambda item: item["time"]):
        if item["verdict"] == "RELEASE" or item["verdict"] in MAKES_WINNER:
            named = names.parse_run(item["run"])
            by_comparison = named is not None and named.purpose == "comparison"
            if by_comparison and item["time"] < pinned_until[item["group"]]:
                yield f"{item['entry']} replaces a winner pinned until {pinned_until[item['group']]}"
            pinned_until[item["group"]] = item.get("pinned_until", "")
    for item in stored.items(keys.WINNER):
        if item.get("pinned_until", "") != pinned_until[item["group"]]:
            yield f"{item['group']}: the winner's pin is not that of the last decision"


def models_are_decided_or_failures(stored: Stored) -> Iterator[str]:
    """Nobody waits for a model that nothing decides upon."""
    decided = {item["model"] for item in stored.items(keys.DECISION)}
    asked = {item["model"] for item in stored.items(keys.APPROVAL)}
    for item in stored.items(keys.MODEL):
        if item["model"] not in decided | asked | set(stored.failures):
            yield f"{item['model']} is neither decided upon nor a failure"


def decisions_pass_from_version_to_version(stored: Stored) -> Iterator[str]:
    """What a person decided on an item stays in the labels while its text and the code are there."""
    for (group, period), versions in stored.versions.items():
        in_force = _in_force(stored, group, period)
        before: dict[str, dict[str, Any]] = {}
        for version in (item for item in versions if "superseded_by" not in item):
            rows = {row["item_id"]: row for row in stored.labels(version) if row["status"] != "rejected"}
            for name, old in before.items():
                new = rows.get(name)
                if new is None or not _is_decided(old) or old["text_key"] != new["text_key"]:
                    continue
                later = new["decided_at"] is not None and new["decided_at"] > old["decided_at"]
                if (
                    not later
                    and _said(new) != _said(old)
                    and (old["answer"] != "code" or old["code"] in in_force)
                ):
                    yield f"{version['run']}: {old['decided_by']}'s decision on {name} is lost"
            before = rows


def decisions_are_kept_where_published(stored: Stored) -> Iterator[str]:
    """What training reads is what labels hold or held, and the other way round."""
    kept: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for key, body in stored.work.items():
        if key.startswith("reviewed/") and key.endswith(".jsonl"):
            group = key.split("/")[1]
            kept[group] |= {_line(json.loads(line)) for line in body.decode().splitlines()}
    held: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
    for (group, _), versions in stored.versions.items():
        for version in versions:
            for row in stored.labels(version):
                if row["answer"]:
                    time = row["decided_at"].isoformat(timespec="milliseconds")
                    held[group].add((row["item_id"], row["answer"], row["decided_by"], time))
    for group in kept.keys() | held.keys():
        for item, answer, by, _ in held[group] - kept[group]:
            yield f"{group}: {by}'s answer {answer} on {item} is in labels, but training does not read it"


def _line(row: Item) -> tuple[Any, ...]:
    return row["item_id"], row["answer"], row["decided_by"], row["decided_at"]


def _is_decided(row: Item) -> bool:
    return row["answer"] in ("code", "none", "withdrawn")


def _said(row: Item) -> tuple[Any, ...]:
    code = row["code"] if row["answer"] == "code" else None
    return row["answer"], code, row["decided_by"], row["decided_at"]


def _in_force(stored: Stored, group: str, period: str) -> set[str]:
    [registered] = [item for item in stored.items(keys.GROUP) if item["group"] == group]
    _, key = names.split_address(registered["codebook_uri"])
    return set(codebook.parse(json.loads(stored.work[key])).in_force(period))


ALL = (
    month_is_newest_delivery,
    month_is_shown,
    outputs_are_whole,
    items_are_there_once,
    one_winner_made_by_decisions,
    pinned_winner_is_replaced_by_people_only,
    models_are_decided_or_failures,
    decisions_pass_from_version_to_version,
    decisions_are_kept_where_published,
)
