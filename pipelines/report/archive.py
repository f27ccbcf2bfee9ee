"""What pages and workbooks are made of, read from the ledger and the buckets."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import names
from pipelines.errors import Refused, check
from pipelines.ledger import reading
from pipelines.ledger.reading import GroupLedger, expiry, waits
from pipelines.report import overview
from pipelines.report.label_workbook import TEXTS, Labels
from pipelines.review.published import Output
from pipelines.review.queue import expected_right, queue
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import jsonlines
from processing.dataset.training_report import BORROWED
from processing.labels import csv_guard
from processing.labels.label_table import complete
from processing.labels.published import LATER
from processing.policy import Policy

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

READERS = 8


class ReportError(Refused):
    """A page cannot be made; the message says why and what to do."""


class Archive:
    """A stack's ledger and buckets, read through boto3 clients."""

    def __init__(self, *, s3: S3Client, dynamodb: DynamoDBClient, table: str, work_bucket: str):
        self._s3, self._dynamodb = s3, dynamodb
        self._table, self._bucket = table, work_bucket

    def labels(self, group: str, period: str) -> dict[str, Any]:
        """The newest labels of a month, as `labels_page` takes them.

        Raises:
            ReportError: what the page needs is not there.
            LedgerError: for a model group that is not known.
        """
        return self._month(period, self.ledger(group))

    def ledger(self, group: str) -> GroupLedger:
        """A group's ledger. Raises LedgerError for a group that is not known."""
        return reading.read(self._dynamodb, self._table, group)

    def labelled_items(self, group: str, period: str, run: str | None, folder: Path) -> Labels:
        """A month's labels, or those of one `run`, with their items' texts; their file goes into `folder`.

        Raises:
            ReportError: what the workbook needs is not there, or is not what was recorded.
            LedgerError: for a model group that is not known.
        """
        known = self.ledger(group)
        made = {item["run"]: item["labels"] for item in known.labels if item["period"] == period}
        newest = known.months.get(period, {}).get("labels")
        address = made.get(run) if run else newest
        if address is None:
            raise ReportError(
                f"No labels of {group} {period} are published{f' by run {run}' if run else ''}. "
                "Fix: check group, period and run; labels exist once a month's run has ended"
            )
        manifest = self.manifest(address, known)
        path = folder / "labels.parquet"
        path.write_bytes(self._file(manifest, address, path.name))
        first = [*manifest.get("amended_runs", []), manifest["run"]][0]
        return Labels(address, manifest, path, self._texts(group, first))

    def _texts(self, group: str, run: str) -> pa.Table:
        """The texts of the items that a run has labelled."""
        prefix = names.ITEMS.format(group=group, run=run)
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        schema = pa.schema([(name, pa.string()) for name in ("item_id", *TEXTS)])
        return pa.concat_tables(
            [
                schema.empty_table(),
                *(
                    jsonlines.read(self._read(entry["Key"]), schema, other_fields="ignore")
                    for page in pages
                    for entry in page.get("Contents", [])
                ),
            ]
        )

    def comparison(self, run: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Evidence and lineage of one comparison, as `comparison_page` takes them.

        Raises:
            ReportError: what the page needs is not there.
            LedgerError: for a model group that is not known.
        """
        named = names.parse_run(run)
        if not named or named.purpose != "comparison":
            raise ReportError(
                f"{run!r} is not a comparison's run. "
                "Fix: name one like DE-weee-comparison-2026-10-0f3a9c21d4e5"
            )
        return self._evidence_and_lineage(run, self.ledger(named.group))

    def period(
        self, period: str
    ) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], list[str], dict[str, str], list[dict[str, Any]]]:
        """A period's comparisons that were decided or wait for a person, groups in use, winners, and labels.

        As `period_page` takes them. Raises ReportError.
        """
        ledgers = reading.read_all(self._dynamodb, self._table)
        of_period = {
            run: each
            for each in ledgers
            for run in (
                *(decision["run"] for decision in each.decisions),
                *(run for run in each.approvals if _waits_until(run, each)),
            )
            if (named := names.parse_run(run)) and named[1:] == ("comparison", period)
        }
        with ThreadPoolExecutor(READERS) as readers:
            comparisons = list(
                readers.map(lambda found: self._evidence_and_lineage(*found), sorted(of_period.items()))
            )
            labelled = [each for each in ledgers if period in each.months]
            labels = list(readers.map(lambda each: self._month(period, each), labelled))
        if not comparisons and not labels:
            raise ReportError(
                f"Nothing of {period} is decided, waits or is labelled. Fix: name another month; "
                f"labelmill month {period} says what is missing"
            )
        groups = [each.group for each in ledgers if each.registered and not each.is_retired]
        winners = {each.group: _winner(each) for each in ledgers if each.winner}
        return comparisons, groups, winners, labels

    def index(self) -> list[overview.Group]:
        """All groups in all months, as `index_page` takes them.

        One scan of the ledger; of each group its codebook, and one summary for every twelve months, as each
        knows those before it. Raises ReportError.
        """
        ledgers = [each for each in reading.read_all(self._dynamodb, self._table) if each.registered]
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(self._overview, ledgers))

    def _overview(self, known: GroupLedger) -> overview.Group:
        newest, figures = self._figures(known)
        waiting = [run for run in known.approvals if _waits_until(run, known)]
        decided = {decision["run"] for decision in known.decisions}
        book = self.codebook(known.group, known.registered["codebook_version"])
        return overview.Group(
            name=known.group,
            is_retired=known.is_retired,
            is_synthetic="synthetic" in book["source"],
            verdicts=overview.verdicts(known, [run for run in waiting if run not in decided]),
            figures=figures,
            attention=overview.attention(newest) if newest else [],
        )

    def _figures(self, known: GroupLedger) -> tuple[dict[str, Any] | None, dict[str, overview.Figures]]:
        """The summary of a group's newest labels, and the figures of all its months.

        A month is taken from a later one's summary unless labels of it were recorded after that one.
        """
        recorded = {item["labels"]: item["recorded_at"] for item in known.labels}
        newest, figures = None, dict[str, overview.Figures]()
        for period in sorted(known.months, reverse=True):
            if period in figures:
                continue
            address = known.months[period]["labels"]
            summary = self._summary(address, self.manifest(address, known))
            newest = newest or summary
            for month, found in overview.figures(summary).items():
                is_known = month == period or found.drift is not None or month == min(known.months)
                labels = known.months.get(month, {}).get("labels")
                if is_known and labels and recorded[labels] <= recorded[address]:
                    figures.setdefault(month, found)
        return newest, figures

    def _month(self, period: str, known: GroupLedger) -> dict[str, Any]:
        """The newest labels of a month and where they come from, as `labels_page` takes them."""
        if period not in known.months:
            raise ReportError(
                f"No labels of {known.group} {period} are published. "
                "Fix: check group and period; labels exist once a month's run has ended"
            )
        address = known.months[period]["labels"]
        manifest = self.manifest(address, known)
        book = self.codebook(known.group, manifest["codebook_version"])
        return {
            "address": address,
            "manifest": manifest,
            "summary": self._summary(address, manifest),
            "changes": self._changes(manifest, address, known),
            "codebook": book,
            "curve": self._curve(manifest, address, codebook.parse(book), known),
            "others": [
                item for item in known.labels if item["period"] == period and item["labels"] != address
            ],
        }

    def _curve(
        self, manifest: dict[str, Any], address: str, book: Codebook, known: GroupLedger
    ) -> list[tuple[int, float]]:
        """What is expected to be right after so many rows of the month's review sheet (queue.py)."""
        table = pq.read_table(io.BytesIO(self._file(manifest, address, "labels.parquet")))
        output = Output(address, manifest, complete(table, LATER))
        policy = Policy.parse(known.registered.get("policy", "{}"))
        errors = [row["errors"] for row in queue(output, book, policy=policy)]
        return expected_right(output.labels, errors) if errors else []

    def _changes(self, manifest: dict[str, Any], address: str, known: GroupLedger) -> dict[str, Any] | None:
        """The rows of `changes.csv`; None in a first month. It stands next to labels not amended yet."""
        while "amends" in manifest:
            address = manifest["amends"]
            manifest = self.manifest(address, known)
        if not any(file["name"] == "changes.csv" for file in manifest["files"]):
            return None
        text = self._file(manifest, address, "changes.csv").decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        is_older = manifest.get("csv") != csv_guard.RULE
        plain = (lambda text: text.removeprefix("'")) if is_older else csv_guard.plain
        items = [{name: plain(value) for name, value in row.items()} for row in rows]
        return {"file": f"{address}changes.csv", "items": items}

    def _summary(self, address: str, manifest: dict[str, Any]) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self._file(manifest, address, "summary.json"))
        return summary

    def manifest(self, address: str, known: GroupLedger) -> dict[str, Any]:
        """The manifest of published labels, which must be the one recorded. Raises ReportError."""
        content = self.object(f"{address}manifest.json")
        recorded = next(item["digest"] for item in known.labels if item["labels"] == address)
        check(content, recorded, f"{address}manifest.json", ReportError)
        manifest: dict[str, Any] = json.loads(content)
        return manifest

    def _file(self, manifest: dict[str, Any], address: str, name: str) -> bytes:
        """A file of an output, which must be the one that its manifest lists."""
        content = self.object(address + name)
        listed = {file["name"]: file["sha256"] for file in manifest["files"]}
        check(content, listed.get(name, "none"), f"{address}{name}", ReportError)
        return content

    def _evidence_and_lineage(self, run: str, known: GroupLedger) -> tuple[dict[str, Any], dict[str, Any]]:
        group = known.group
        key = names.EVIDENCE.format(group=group, run=run)
        address, content = names.address(self._bucket, key), self._read(key)
        evidence = json.loads(content)
        digest = hashlib.sha256(content).hexdigest()
        decision = next((each for each in known.decisions if each["run"] == run), None)
        # A person is about to decide by it, or has.
        for recorded in filter(None, (decision, known.approvals.get(run))):
            check(content, recorded["evidence_digest"], address, ReportError)
        models = {role: (evidence[role] or {}).get("model") for role in ("challenger", "winner")}
        test_set = known.models.get(models["challenger"] or "", {}).get("test_set", "")
        lineage = {
            "decision": decision and decision | {"decided_at": decision["time"]},
            "waits_until": None if decision else _waits_until(run, known),
            "evidence": address,
            "evidence_digest": digest,
            "codebook": self.codebook(group, evidence["codebook_version"]),
            **{role: model and self.model(model, test_set, known) for role, model in models.items()},
        }
        return evidence, lineage

    def model(self, model: str, test_set: str, known: GroupLedger) -> dict[str, Any]:
        """Of one model its ledger item, its labels of the test set, and the report on its data.

        Raises ReportError.
        """
        if model not in known.models:
            raise ReportError(f"The ledger has no model {model}. Fix: name its stack with --stack")
        item = known.models[model]
        report = names.REPORT.format(group=known.group, run=item["run"])
        return {
            "model": item | {"name": model},
            "predictions": known.predictions.get((test_set, model)),
            "data": json.loads(self._read(f"{report}report.json"))
            | {"borrowed": self._borrowed(report) if item.get("shared_rows") else []},
        }

    def _borrowed(self, report: str) -> list[str]:
        """The codes that a model learned from other groups alone; none of one from before they were noted."""
        try:
            codes: list[str] = json.loads(self._read(f"{report}{BORROWED}"))
        except ReportError:
            return []
        return codes

    def codebook(self, group: str, version: str) -> dict[str, Any]:
        """A published codebook. Raises ReportError."""
        book: dict[str, Any] = json.loads(self._read(names.CODEBOOK.format(group=group, version=version)))
        return book

    def _read(self, key: str) -> bytes:
        return self.object(names.address(self._bucket, key))

    def object(self, address: str) -> bytes:
        """What is at an S3 address. Raises ReportError."""
        bucket, key = names.split_address(address)
        try:
            return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            raise ReportError(
                f"{address} does not exist. Fix: wait until the run has ended, "
                "or name the right run and, with --stack, the right stack"
            ) from None


def _winner(known: GroupLedger) -> str:
    """The winner now and, where comparisons may not replace it, why."""
    pin = reading.pin(known.winner, datetime.now(UTC))
    return f"{known.winner['model']}, {pin}" if pin else known.winner["model"]


def _waits_until(run: str, known: GroupLedger) -> str | None:
    """Until when a person can approve or reject what `run` came to; None where no approval is wanted."""
    asked = known.approvals.get(run)
    if asked is None or not waits(asked, known.winner.get("model", ""), datetime.now(UTC)):
        return None
    return expiry(asked).isoformat()
