"""The review queue: uncertain items go out on a sheet, decisions come back and amend the labels.

What is decided here is decided on the newest published version; the inference workflow (purpose `review`)
publishes the amended one. Clients are boto3's.
"""

import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import codebook, runs
from pipelines.errors import Refused
from processing.codebook import Codebook
from processing.codebook import parse as parse_codebook

RUN = re.compile(
    r"(?P<group>[A-Z]{2}-[a-z0-9]{2,12})-(inference|review)-(?P<period>\d{4}-\d{2})-[0-9a-f]{12}"
)
SHOWN = 20


class ReviewError(Refused):
    """A review that cannot go on; the message says what is wrong, where, and the fix."""


@dataclass(frozen=True)
class Places:
    """The clients and names that a review needs."""

    s3: Any
    dynamodb: Any
    states: Any
    table: str
    work_bucket: str
    machine_arn: str

    @classmethod
    def of(cls, client: Callable[[str], Any], names: Mapping[str, str]) -> "Places":
        """Those of a stack: `client` makes a boto3 client by service, `names` are the stack's outputs."""
        return cls(
            s3=client("s3"),
            dynamodb=client("dynamodb"),
            states=client("stepfunctions"),
            table=names["LedgerTable"],
            work_bucket=names["WorkBucket"],
            machine_arn=names["InferenceMachineArn"],
        )


@dataclass(frozen=True)
class Output:
    """One published version of a month's labels: its address (a folder), its manifest, its rows."""

    address: str
    manifest: dict
    labels: pa.Table

    @property
    def runs(self) -> list[str]:
        """The runs that made it: the one that labelled the items, then those that amended its labels."""
        return [*self.manifest.get("amended_runs", []), self.manifest["run"]]


def published(places: Places, group: str, period: str, run: str | None = None) -> Output:
    """The newest published labels of a month, or those of one run. Raises ReviewError."""
    pages = places.dynamodb.get_paginator("query").paginate(
        TableName=places.table,
        KeyConditionExpression="#group = :group AND begins_with(entry, :month)",
        ExpressionAttributeNames={"#group": "group"},
        ExpressionAttributeValues={":group": {"S": group}, ":month": {"S": f"LABELS#{period}#"}},
        ConsistentRead=True,
    )
    found = [item for page in pages for item in page["Items"] if run in (None, item["run"]["S"])]
    if not found:
        of_run = f" by run {run}" if run else ""
        raise ReviewError(
            f"no labels of {group} {period} are published{of_run}. "
            "Fix: check group, period (like 2026-10) and run; labels are there once a month's run has ended"
        )
    address = found[-1]["labels"]["S"]
    manifest = json.loads(_get(places.s3, f"{address}manifest.json"))
    return Output(address, manifest, pq.read_table(io.BytesIO(_get(places.s3, f"{address}labels.parquet"))))


def current_codebook(places: Places, group: str) -> Codebook:
    """The group's codebook of today: decisions are made by it. Raises codebook.CodebookError."""
    found = codebook.published(group, s3=places.s3, dynamodb=places.dynamodb, table=places.table)
    return parse_codebook(found)


def items(places: Places, output: Output, wanted: Iterable[str]) -> dict[str, dict]:
    """The items with the ids `wanted`, with all their fields, as they went to the model; by id."""
    wanted = set(wanted)
    prefix = f"runs/{output.manifest['group']}/{output.runs[0]}/items/"
    pages = places.s3.get_paginator("list_objects_v2").paginate(Bucket=places.work_bucket, Prefix=prefix)
    found = {}
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        body = places.s3.get_object(Bucket=places.work_bucket, Key=entry["Key"])["Body"]
        for line in body.iter_lines(1 << 20):
            item = json.loads(line)
            if item["item_id"] in wanted:
                found[item["item_id"]] = item
    if missing := wanted - found.keys():
        raise ReviewError(
            f"{len(missing)} items are not below s3://{places.work_bucket}/{prefix} any more. "
            "Fix: restore the objects there, or label the month again"
        )
    return found


def queue(output: Output, book: Codebook) -> list[dict]:
    """The labels that wait for a person, the most valuable first, each with `same_text` and `value`.

    `value` is how many wrong labels a decision is expected to put right: the chance that the model's code is
    wrong (1 where it is no code in force), times the waiting items with the same text. Items whose best codes
    include a critical one come before all others.
    """
    waiting = output.labels.filter(pc.equal(output.labels["status"], "review")).to_pylist()
    in_force = set(book.in_force(output.manifest["period"]))
    critical = {code.code for code in book.codes if code.critical}
    texts = Counter(row["text_key"] for row in waiting)
    for row in waiting:
        wrong = 1 - row["confidence"] if row["code"] in in_force else 1.0
        row["same_text"] = texts[row["text_key"]]
        row["value"] = wrong * row["same_text"]

    def rank(row: dict) -> tuple:
        grave = bool(critical & {row["code"], row["second_code"]})
        return (not grave, -row["value"], row["text_key"], row["item_id"])

    return sorted(waiting, key=rank)


def sheet(places: Places, output: Output, book: Codebook) -> Iterator[dict]:
    """The rows of the sheet, as pipelines.review_sheet writes them."""
    waiting = queue(output, book)
    known = items(places, output, (row["item_id"] for row in waiting))
    for row in waiting:
        item = known[row["item_id"]]
        yield {
            "run": output.manifest["run"],
            **{name: item[name] for name in ("item_id", "title", "brand", "product_type")},
            "suggested_code": row["code"],
            "suggested_description": row["description"],
            **{name: row[name] for name in ("confidence", "second_code", "same_text", "reason")},
            "code": None,
        }


def group_and_period(rows: list[tuple[int, Mapping[str, str]]], file: str) -> tuple[str, str]:
    """The model group and month that a filled sheet is of. Raises ReviewError."""
    named = {row["run"]: number for number, row in reversed(rows)}
    if not named:
        raise ReviewError(f"{file} has no rows. Fix: import the sheet that was exported and filled in")
    if len(named) > 1:
        second = max(named.values())
        raise ReviewError(
            f"{file}, row {second}: another run than in the rows before. Fix: import each sheet by itself"
        )
    (run,) = named
    match = RUN.fullmatch(run)
    if not match:
        raise ReviewError(f"{file}, row 2: {run!r} is no run. Fix: leave the column `run` as it was exported")
    return match["group"], match["period"]


def decisions(
    rows: list[tuple[int, Mapping[str, str]]], output: Output, book: Codebook, file: str
) -> list[dict[str, str]]:
    """The decisions on a filled sheet, each `item_id`, `label`, `suggested`; a row without code is none.

    Raises ReviewError naming file, row and fix of all that cannot be taken: then nothing is.
    """
    run = rows[0][1]["run"]
    if run not in output.runs:
        raise ReviewError(
            f"{file}, row 2: this sheet is of run {run}, the newest labels are of {output.manifest['run']}. "
            "Fix: export a sheet of those"
        )
    labels = {row["item_id"]: row for row in output.labels.to_pylist()}
    in_force = book.in_force(output.manifest["period"])
    taken, problems = {}, []
    for number, row in rows:
        if not row["code"]:
            continue
        problem = _problem(row, labels.get(row["item_id"]), in_force, taken)
        if problem:
            problems.append(f"{file}, row {number}: {problem}")
        else:
            suggested = labels[row["item_id"]]["code"]
            taken[row["item_id"]] = {
                "item_id": row["item_id"],
                "label": row["code"],
                "suggested": suggested,
            }
    if problems:
        more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise ReviewError("\n".join(problems[:SHOWN] + more))
    if not taken:
        raise ReviewError(f"{file}: the column `code` is empty in every row. Fix: fill in the codes")
    return list(taken.values())


def send(
    places: Places, output: Output, decided: list[dict[str, str]], by: str, now: datetime
) -> tuple[str, bool]:
    """Record the decisions and start the run that amends the labels.

    Returns the run's name and whether it is new: the same decisions on the same labels are one run.
    """
    made = sorted((row["item_id"], row["label"]) for row in decided)
    digest = hashlib.sha256(json.dumps([made, by]).encode()).hexdigest()
    run = runs.review(output.manifest, output.address, digest, places.work_bucket)
    known = items(places, output, (row["item_id"] for row in decided))
    who = {"decided_by": by, "decided_at": now.isoformat(timespec="seconds")}
    lines = [json.dumps({**known[row["item_id"]], **row, **who}, ensure_ascii=False) for row in decided]
    bucket, _, prefix = run["decisions"].removeprefix("s3://").partition("/")
    body = ("\n".join(lines) + "\n").encode()
    try:
        places.s3.put_object(Bucket=bucket, Key=f"{prefix}decisions.jsonl", Body=body, IfNoneMatch="*")
    except places.s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
    try:
        places.states.start_execution(
            stateMachineArn=places.machine_arn, name=run["run"], input=json.dumps(run)
        )
    except places.states.exceptions.ExecutionAlreadyExists:
        return run["run"], False
    return run["run"], True


def _problem(row: Mapping[str, str], label: dict | None, in_force: list[str], taken: dict) -> str | None:
    """What is wrong with one filled row, and the fix."""
    if label is None:
        return (
            f"the item {row['item_id']!r} is not in the labels. Fix: leave the column `item_id` as exported"
        )
    if label["status"] != "review":
        by = f", by {label['decided_by']}" if label["decided_by"] else ""
        return f"the item {row['item_id']!r} is decided already{by}. Fix: empty its `code`, or export again"
    if row["code"] not in in_force:
        return f"{row['code']!r} is no code in force. Fix: use one of {', '.join(in_force)}"
    if row["item_id"] in taken:
        return f"the item {row['item_id']!r} is there twice. Fix: keep one of its rows"
    return None


def _get(s3, address: str) -> bytes:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
