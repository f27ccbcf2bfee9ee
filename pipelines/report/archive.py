"""What the pages are made of, read from the ledger and the work bucket."""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from pipelines.errors import Refused
from pipelines.ledger import expiry, waits

RUN = r"([A-Z]{2}-[a-z0-9]{2,12})-comparison-([0-9]{4}-[0-9]{2})-[0-9a-f]{12}"
READERS = 8


class ReportError(Refused):
    """A page cannot be made; the message says why and what to do."""


class Archive:
    """A stack's ledger and work bucket, read through boto3 clients."""

    def __init__(self, *, s3: Any, dynamodb: Any, table: str, work_bucket: str):
        self._s3, self._dynamodb = s3, dynamodb
        self._table, self._bucket = table, work_bucket

    def comparison(self, run: str) -> tuple[dict, dict]:
        """Evidence and lineage of one comparison, as `comparison_page` takes them. Raises ReportError."""
        named = re.fullmatch(RUN, run)
        if not named:
            raise ReportError(
                f"{run!r} is no comparison's run. Fix: name one like DE-weee-comparison-2026-10-0f3a9c21d4e5"
            )
        return self._evidence_and_lineage(run, self._ledger(named[1]))

    def period(self, period: str) -> tuple[list[tuple[dict, dict]], list[str], dict[str, str]]:
        """A period's comparisons that were decided or wait for a person, all groups, each group's winner now.

        As `period_page` takes them. Raises ReportError.
        """
        if not re.fullmatch("[0-9]{4}-(0[1-9]|1[0-2])", period):
            raise ReportError(f"{period!r} is no period. Fix: write it like 2026-10")
        ledger = self._ledger()
        decided = {entry.rpartition("#")[2] for _, entry in ledger if entry.startswith("DECISION#")}
        asked = {entry.rpartition("#")[2] for _, entry in ledger if entry.startswith("APPROVAL#")}
        runs = decided | {run for run in asked if _waits_until(run, ledger)}
        of_period = [run for run in sorted(runs) if (named := re.fullmatch(RUN, run)) and named[2] == period]
        with ThreadPoolExecutor(READERS) as readers:
            comparisons = list(readers.map(lambda run: self._evidence_and_lineage(run, ledger), of_period))
        groups = sorted(group for group, entry in ledger if entry == "GROUP")
        winners = {group: item["model"] for (group, entry), item in ledger.items() if entry == "WINNER"}
        return comparisons, groups, winners

    def _evidence_and_lineage(self, run: str, ledger: dict) -> tuple[dict, dict]:
        group = re.fullmatch(RUN, run)[1]
        key = f"runs/{group}/{run}/evidence/comparison.json"
        content = self._read(key)
        evidence = json.loads(content)
        decision, digest = _decision(run, ledger), hashlib.sha256(content).hexdigest()
        if decision and decision.get("evidence_digest", digest) != digest:
            raise ReportError(
                f"s3://{self._bucket}/{key} is not the evidence on which the decision was made: the ledger "
                "has another SHA-256. Fix: bring back the version of the object that has it"
            )
        models = {role: (evidence[role] or {}).get("model") for role in ("challenger", "winner")}
        test_set = ledger.get((group, f"MODEL#{models['challenger']}"), {}).get("test_set", "")
        lineage = {
            "decision": decision,
            "waits_until": None if decision else _waits_until(run, ledger),
            "evidence": f"s3://{self._bucket}/{key}",
            "evidence_digest": digest,
            "codebook": json.loads(self._read(f"codebooks/{group}/{evidence['codebook_version']}.json")),
            **{role: self._model(group, model, test_set, ledger) for role, model in models.items()},
        }
        return evidence, lineage

    def _model(self, group: str, model: str | None, test_set: str, ledger: dict) -> dict | None:
        """Of one model its ledger item, its labels of the test set, and Prepare's report on its data."""
        if model is None:
            return None
        try:
            item = ledger[group, f"MODEL#{model}"]
        except KeyError:
            raise ReportError(
                f"The ledger does not know the model {model}. Fix: name its stack with --stack"
            ) from None
        return {
            "model": item | {"name": model},
            "predictions": ledger.get((group, f"PREDICTIONS#{test_set}#{model}")),
            "data": json.loads(self._read(f"runs/{group}/{item['run']}/report/report.json")),
        }

    def _ledger(self, group: str | None = None) -> dict[tuple[str, str], dict[str, str]]:
        """The ledger's items, all or one group's, by group and entry; every value as text."""
        arguments: dict[str, Any] = {"TableName": self._table, "ConsistentRead": True}
        operation = "scan"
        if group:
            operation = "query"
            arguments |= {
                "KeyConditionExpression": "#group = :group",
                "ExpressionAttributeNames": {"#group": "group"},
                "ExpressionAttributeValues": {":group": {"S": group}},
            }
        items = [
            {name: next(iter(value.values())) for name, value in item.items()}
            for page in self._dynamodb.get_paginator(operation).paginate(**arguments)
            for item in page["Items"]
        ]
        return {(item["group"], item["entry"]): item for item in items}

    def _read(self, key: str) -> bytes:
        try:
            return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            raise ReportError(
                f"s3://{self._bucket}/{key} is not there. Fix: wait until the run has ended, "
                "or name the right run and, with --stack, the right stack"
            ) from None


def _decision(run: str, ledger: dict) -> dict | None:
    """The ledger's item of the decision that `run` came to, with `decided_at`; None before there is one."""
    for (_, entry), item in ledger.items():
        kind, _, rest = entry.partition("#")
        time, _, of = rest.partition("#")
        if kind == "DECISION" and of == run:
            return item | {"decided_at": time}
    return None


def _waits_until(run: str, ledger: dict) -> str | None:
    """Until when a person can still approve or reject what `run` came to; None where nobody is asked."""
    group = re.fullmatch(RUN, run)[1]
    asked = ledger.get((group, f"APPROVAL#{run}"))
    winner = ledger.get((group, "WINNER"), {}).get("model", "")
    if asked is None or not waits(asked, winner, datetime.now(UTC)):
        return None
    return expiry(asked).isoformat()
