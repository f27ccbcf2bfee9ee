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
    for (group, _), versions in stored.versions.items():
        reviewed = _reviewed(stored, group)
        before: list[Item] = []
        for version in (item for item in versions if "superseded_by" not in item):
            rows = stored.labels(version)
            known = [_as_line(row) for row in before if _is_decided(row)]
            yield from decisions_last(stored, version, known, reviewed)
            before = rows


def decisions_last(
    stored: Stored, version: Item, known: Collection[Item], later: Collection[Item]
) -> Iterator[str]:
    """Labels have what people had decided before, on the same item with the same text, in whichever month.

    Args:
        stored: all that is stored.
        version: an item LABELS#.
        known: the decisions that the labels must have; of two the later counts.
        later: decisions that they may have in their place.
    """
    latest = _latest(known)
    perhaps = _latest([*known, *later])
    in_force = _in_force(stored, version)
    for row in stored.labels(version):
        at = row["item_id"], row["text_key"]
        decision = latest.get(at)
        if row["status"] == "rejected" or decision is None or perhaps[at] != decision:
            continue
        if decision["answer"] == "withdrawn":
            lost = _is_decided(row) and row["answer"] != "withdrawn"
        elif decision["answer"] == "code" and decision["label"] not in in_force:
            lost = row["status"] != "review"
        else:
            lost = _line(_as_line(row)) != _line(decision) or row["code"] != decision["label"]
        if lost:
            yield f"{version['run']}: {decision['decided_by']}'s decision on {row['item_id']} is lost"


def decisions_are_kept_where_published(stored: Stored) -> Iterator[str]:
    """What labels hold is what training reads: no decision is invented."""
    for group in {group for group, _ in stored.versions}:
        reviewed = _reviewed(stored, group)
        kept = {_line(line) for line in reviewed}
        texts = {(line["text_key"], line["label"], *_line(line)[2:]) for line in reviewed}
        for (of, _), versions in stored.versions.items():
            for row in (row for version in versions if of == group for row in stored.labels(version)):
                line = _as_line(row)
                by_text = row["text_key"], line["label"], *_line(line)[2:]
                if row["answer"] == "same_text" and by_text not in texts:
                    yield f"{group}: nobody has decided on the text of {row['item_id']}, but labels say so"
                if row["answer"] not in (None, "same_text") and _line(line) not in kept:
                    said = f"{row['decided_by']}'s answer {row['answer']} on {row['item_id']}"
                    yield f"{group}: {said} is in labels, but training does not read it"


def _reviewed(stored: Stored, group: str) -> list[Item]:
    """The decisions that training reads."""
    return [
        json.loads(line)
        for key, body in stored.work.items()
        if key.startswith(f"reviewed/{group}/") and key.endswith(".jsonl")
        for line in body.decode().splitlines()
    ]


def _latest(lines: Collection[Item]) -> dict[tuple[str, str], Item]:
    """The latest decision on each item and text; a skip decides nothing."""
    found = sorted(lines, key=lambda line: line["decided_at"])
    return {(line["item_id"], line["text_key"]): line for line in found if line["answer"] != "skip"}


def _line(row: Item) -> tuple[Any, ...]:
    return row["item_id"], row["answer"], row["decided_by"], row["decided_at"]


def _as_line(row: Item) -> Item:
    """What a label says of a person's decision, as a line of decisions.jsonl says it."""
    at, decides = row["decided_at"], row["answer"] in ("code", "same_text")
    return {
        **{name: row[name] for name in ("item_id", "text_key", "answer", "decided_by")},
        "label": row["code"] if decides else None,
        "decided_at": at and at.isoformat(timespec="milliseconds"),
    }


def _is_decided(row: Item) -> bool:
    return row["answer"] in ("code", "none", "withdrawn")


def _in_force(stored: Stored, version: Item) -> set[str]:
    """The codes in force in the month by the codebook that the labels were made with."""
    _, folder = names.split_address(version["labels"])
    manifest = json.loads(stored.labelled[f"{folder}manifest.json"])
    key = names.CODEBOOK.format(group=version["group"], version=manifest["codebook_version"])
    return set(codebook.parse(json.loads(stored.work[key])).in_force(version["period"]))


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
