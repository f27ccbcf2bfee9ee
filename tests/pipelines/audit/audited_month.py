"""A stack in this process with two months of labels, one amended, and all that they rest on."""

import base64
import hashlib
import io
import json
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from inference import jsonlines
from inference.predict import Labeller
from processing.dataset.text import text_keys
from processing.labels import label_table
from tests import stack_with_ledger
from tests.pipelines.evidence import kept_rows
from tests.pipelines.evidence.kept_rows import GROUP, MODEL
from tests.pipelines.report import evidences
from training import model as models

PERIOD, EARLIER = "2026-10", "2026-09"
RUN, BEFORE = (f"{GROUP}-inference-{period}-0f3a9c21d4e5" for period in (PERIOD, EARLIER))
AMENDED = f"{GROUP}-review-{PERIOD}-0f3a9c21d4e5"
COMPARISON = f"{GROUP}-comparison-2026-10-0f3a9c21d4e5"
BUCKET = "labelled"
LABELLED, REVIEWED, CORRECTED, NONE, REJECTED = "sure-1", "007", "=1+1", "none-1", "bad-1"
TITLES = {
    LABELLED: "Wasserkocher rot 1800 W",
    REVIEWED: "Laptopständer <script>alert(1)</script>",
    CORRECTED: "Bohrmaschine blau 700 W",
    NONE: "Geschenkgutschein",
}
#: When a sheet was handed in, and when its decisions were in the labels.
FIRST, SECOND, LATER = (datetime(2026, 11, day, 10, tzinfo=UTC) for day in (2, 3, 20))


class Stack:
    """The stack's clients and names, and what a test does with them.

    `models_folder` holds a trained model, `evidence` is of a comparison that it won.
    """

    def __init__(self, models_folder: Path, evidence: dict):
        self.names = stack_with_ledger.create()
        self.work, self.landing = self.names["WorkBucket"], self.names["LandingBucket"]
        self.s3, self.dynamodb = boto3.client("s3"), boto3.client("dynamodb")
        place = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
        self.s3.put_bucket_versioning(Bucket=self.landing, VersioningConfiguration={"Status": "Enabled"})
        self.labeller = Labeller(models.load(models_folder))
        self._sheets = 0
        self.dataset = f"s3://{self.landing}/inference/{GROUP}/{PERIOD}/d1/"
        self.record("GROUP", codebook_version="2026-10", policy="{}")
        self.book = json.dumps(evidences.CODEBOOK).encode()
        self.put(f"codebooks/{GROUP}/2026-10.json", self.book)
        self._train(models_folder, evidence)
        self._deliver()
        self._earlier()
        labels = self._labels()
        self.publish(PERIOD, RUN, labels, "2026-11-01T05:00:00+00:00", earlier=BEFORE)
        self._amend(labels)

    def put(self, key: str, body: bytes, bucket: str = "") -> str:
        """Write an object; its SHA-256."""
        self.s3.put_object(Bucket=bucket or self.work, Key=key, Body=body)
        return hashlib.sha256(body).hexdigest()

    def body(self, address: str) -> bytes:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def delete(self, address: str) -> None:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        self.s3.delete_object(Bucket=bucket, Key=key)

    def sheets(self) -> list[str]:
        """The addresses of all sheets with decisions."""
        listed = self.s3.list_objects_v2(Bucket=self.work, Prefix=f"reviewed/{GROUP}/")["Contents"]
        return [f"s3://{self.work}/{each['Key']}" for each in listed if each["Key"].endswith(".jsonl")]

    def record(self, entry: str, **attributes: str | float) -> None:
        item = {"group": GROUP, "entry": entry, **attributes}
        typed = {
            name: {"S": value} if isinstance(value, str) else {"N": str(value)}
            for name, value in item.items()
        }
        self.dynamodb.put_item(TableName=self.names["LedgerTable"], Item=typed)

    def publish(
        self, period: str, run: str, rows: list[dict], at: str, earlier: str = "", **manifest: object
    ) -> None:
        """Publish labels as the workflow does: files, manifest, the ledger's items."""
        constants = {"model_group": GROUP, "period": period, "model": MODEL, "run": run}
        constants |= {"labelled_at": datetime.fromisoformat(at), "codebook_version": "2026-10"}
        columns = pa.Table.from_pylist(rows, pa.schema(_types(rows)))
        table = label_table.assemble([columns], constants | {"dataset": self.dataset}, test_set=False)
        sink = io.BytesIO()
        pq.write_table(table, sink)
        before = {"period": EARLIER, "run": earlier} if earlier else None
        files = {
            "labels.parquet": sink.getvalue(),
            "labels.csv": b"item_id,code\n",
            "summary.json": json.dumps({"earlier": before}).encode(),
        }
        if earlier and not manifest:
            files["changes.csv"] = f"item_id,earlier_code,code,cause\n{REVIEWED},1,2,model\n".encode()
        if manifest:
            files["overtaken.parquet"] = _overtaken()
        folder = f"labels/{GROUP}/{period}/{run}/"
        for name, body in files.items():
            self.put(folder + name, body, BUCKET)
        listed = [
            {"name": name, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
            for name, body in files.items()
        ]
        about = {"group": GROUP, "period": period, "run": run, "model": MODEL, "dataset": self.dataset}
        about |= {"labelled_at": at, "codebook_version": "2026-10", "rows": len(rows), "files": listed}
        about |= {"codebook_digest": hashlib.sha256(self.book).hexdigest()}
        body = json.dumps(about | manifest).encode()
        digest = self.put(f"{folder}manifest.json", body, BUCKET)
        labels = {"labels": f"s3://{BUCKET}/{folder}", "digest": digest, "run": run, "model": MODEL}
        delivered = f"2026-11-01T04:00:00.123Z#{self.manifest_version}"
        self.record(f"MONTH#{period}", **labels)
        self.record(f"LABELS#{period}#{run}", recorded_at=at, delivered=delivered, **labels)

    def decide(self, item_id: str, label: str | None, by: str, at: datetime) -> None:
        """Keep a sheet with one decision, as the workflow does once it is in labels."""
        line = {"item_id": item_id, "text_key": self._keys[item_id], "answer": "code" if label else "none"}
        line |= {"label": label, "suggested": "3", "decided_by": by, "decided_at": at.isoformat()}
        self._sheets += 1
        sheet = f"{GROUP}-review-{PERIOD}-{self._sheets:012x}"
        self.put(f"reviewed/{GROUP}/{sheet}/decisions.jsonl", json.dumps(line | {"why": "seen"}).encode())

    def _train(self, models_folder: Path, evidence: dict) -> None:
        kept = kept_rows.keep(self.s3, self.work)
        [(digest, claim)] = kept.ledger.claims.items()
        self.record(f"TRAINING#{digest}", **claim)
        data = evidences.lineage(evidence)["challenger"]["data"]
        data |= {"rows_digest": kept.digest, "data_digest": kept_rows.ITEM["data_digest"]}
        self.put(f"{kept_rows.FOLDER}report/report.json", json.dumps(data).encode())
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.add(models_folder, arcname=".")
        digest = self.put(f"models/{GROUP}/{MODEL}/model.tar.gz", packed.getvalue())
        self.record(
            f"MODEL#{MODEL}",
            **kept_rows.ITEM,
            period="2026-10",
            artefact=f"s3://{self.work}/models/{GROUP}/{MODEL}/model.tar.gz",
            artefact_digest=base64.b64encode(bytes.fromhex(digest)).decode(),
            objective=0.9,
            shared_rows=0,
            test_set=kept_rows.RUN,
            trained_at="2026-10-01T08:00:00.000Z",
        )
        run = evidence["run"]
        key = f"runs/{GROUP}/{run}/evidence/comparison.json"
        digest = self.put(key, json.dumps(evidence).encode())
        self.record(f"APPROVAL#{run}", token="secret", model=MODEL, evidence_digest=digest)
        self.record(
            f"PREDICTIONS#{kept_rows.RUN}#{MODEL}",
            **{"predictions": "s3://x/", "made_at": "2026-10-02T04:00:00.000Z"},
        )
        decided = {"model": MODEL, "replaces": "", "decided_by": "comparison", "policy": kept_rows.POLICY}
        self._evidence = {"evidence": f"s3://{self.work}/{key}", "evidence_digest": digest}
        self.record(
            f"DECISION#2026-10-02T08:00:00.000Z#{run}",
            **decided,
            verdict=evidence["verdict"],
            reason=evidence["reason"],
            **self._evidence,
            score=evidence["score"],
        )
        # What came later is no part of it.
        self.record(
            f"DECISION#2026-12-02T08:00:00.000Z#{GROUP}-rollback-20261202",
            verdict="ROLLBACK",
            **decided,
            reason="later",
        )

    def roll_back(self) -> None:
        """A person's decision from before the month, as `models rollback` records it on known evidence."""
        self.record(
            f"DECISION#2026-10-09T08:00:00.000Z#{GROUP}-rollback-20261009T080000000Z",
            **{
                "verdict": "ROLLBACK",
                "reason": "r",
                "decided_by": "A. Muster",
                "model": MODEL,
                "replaces": "",
            },
            **self._evidence,
        )

    def _deliver(self) -> None:
        key = f"inference/{GROUP}/{PERIOD}/d1/manifest"
        put = self.s3.put_object(Bucket=self.landing, Key=key, Body=b'{"entries": []}')
        self.manifest_version = put["VersionId"]
        # Delivered again, later: the version that was labelled is the first.
        self.s3.put_object(Bucket=self.landing, Key=key, Body=b'{"entries": ["later"]}')
        folder = f"runs/{GROUP}/{RUN}/"
        fields = {"brand": "Nordwind", "product_type": "", "weight_kg": 1.5, "material": None}
        self.items = [{"item_id": item_id, "title": title, **fields} for item_id, title in TITLES.items()]
        lines = [json.dumps(item, ensure_ascii=False).encode() for item in self.items]
        self.put(f"{folder}items/items-00000.jsonl", b"\n".join(lines[:2]))
        self.put(f"{folder}items/items-00001.jsonl", b"\n".join(lines[2:]))
        rejected = {"file": "part-000.csv", "row": 5, "item_id": REJECTED, "problem": "no-title"}
        rejected |= {"reason": "The title is empty.", "fix": "Give it one."}
        self.put(f"{folder}rejected/rejected.jsonl", json.dumps(rejected).encode())
        report = {
            "rows": 5,
            "data_digest": "dd" * 32,
            "files": [{"name": "part-000.csv", "sha256": "ab" * 32}],
        }
        self.put(f"{folder}report/report.json", json.dumps(report).encode())

    def _labels(self) -> list[dict]:
        """The model's labels of the items, and the rejected row."""
        schema = jsonlines.schema(self.labeller.model.attributes)
        columns = {name: [item.get(name) for item in self.items] for name in schema.names}
        table = pa.table(columns, schema)
        made = self.labeller.label(table)
        keys = text_keys(GROUP, table).to_pylist()
        rows = []
        for number, item in enumerate(self.items):
            first, second = (self.labeller.model.codes[place] for place in made.codes[number, :2])
            review = item["item_id"] != LABELLED
            rows.append(
                {
                    **{"item_id": item["item_id"], "code": first, "second_code": second},
                    "description": evidences.CODES[first],
                    "confidence": round(float(made.confidence[number, 0]), 4),
                    "status": "review" if review else "labelled",
                    "reason": "The model is not sure enough." if review else None,
                    "text_key": keys[number],
                }
            )
        reason = "The title is empty. (part-000.csv, row 5)"
        return [*rows, {"item_id": REJECTED, "status": "rejected", "reason": reason}]

    def _earlier(self) -> None:
        """Of the month before: one item had another code."""
        rows = [
            {"item_id": LABELLED, "code": "1", "status": "labelled", "confidence": 0.9},
            {"item_id": REVIEWED, "code": "1", "status": "labelled", "confidence": 0.8},
        ]
        self.publish(EARLIER, BEFORE, rows, "2026-10-03T05:00:00+00:00")

    def _amend(self, labels: list[dict]) -> None:
        """Two people decide on one item, one after the other, and one finds that no code fits another."""
        by_id = {row["item_id"]: row for row in labels}
        for item_id, answer, label in ((CORRECTED, "code", "2"), (NONE, "none", None)):
            row = by_id[item_id]
            description = evidences.CODES.get(label or "")
            decided = {"answer": answer, "decided_by": "A. Muster", "decided_at": SECOND, "why": "seen"}
            row |= decided | {"suggested": row["code"], "code": label, "description": description}
            row |= {"confidence": None, "status": "labelled" if label else "none"}
            row |= {"reason": "decided by A. Muster"}
        said = [
            (CORRECTED, "3", "B. Muster", FIRST),
            (CORRECTED, "2", "A. Muster", SECOND),
            (NONE, None, "A. Muster", SECOND),
            (LABELLED, "1", "C. Muster", LATER),
        ]
        self._keys = {row["item_id"]: row.get("text_key") for row in labels}
        for item_id, label, by, at in said:
            self.decide(item_id, label, by, at)
        self.put(f"reviewed/{GROUP}/about.txt", b"a note")
        more = {"amended_runs": [RUN], "amends": f"s3://{BUCKET}/labels/{GROUP}/{PERIOD}/{RUN}/"}
        self.publish(PERIOD, AMENDED, labels, "2026-11-04T05:00:00+00:00", earlier=BEFORE, **more)


def _overtaken() -> bytes:
    """A decision on the month that no version holds: the item had another text."""
    said = {"item_id": CORRECTED, "label": "4", "text_key": "0" * 16, "answer": "code"}
    said |= {"decided_by": "E. Muster", "decided_at": FIRST - timedelta(days=1), "why": None}
    schema = pa.schema([(name, label_table.TYPES.get(name, pa.string())) for name in said])
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([said], schema), sink)
    return sink.getvalue()


def _types(rows: list[dict]) -> list[tuple[str, pa.DataType]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return [(name, label_table.TYPES.get(name, pa.string())) for name in names]
