"""The rows of a training as Prepare leaves them in the work bucket, and the model that learned them."""

import hashlib
import io
import json
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ledger.reading import GroupLedger
from processing.dataset import data_files, split
from tests.training.synthetic_group import items

GROUP, MODEL = "DE-weee", "DE-weee-2026-10-1a2b3c4d"
RUN = f"{GROUP}-training-2026-10-0f3a9c21d4e5"
FOLDER = f"runs/{GROUP}/{RUN}/"
POLICY = '{"precision": 0.98}'
ITEM = {
    **{"run": RUN, "data_digest": "da" * 32, "code_digest": "c0" * 32, "image": "image@sha256:1"},
    "codebook_version": "2026-10",
}


@dataclass
class Kept:
    """What is in the ledger, and what was learned."""

    ledger: GroupLedger
    learned: pa.Table
    digest: str


def keep(s3, bucket: str, rows: pa.Table | None = None) -> Kept:
    """Put the files of a training into the bucket; the ledger has the model and the claim of its run."""
    rows = items(120, seed=3) if rows is None else rows
    masks = split.parts(rows["text_key"], rows["label"])
    parts = {name: rows.filter(pa.array(mask)) for name, mask in masks.items()}
    # As Prepare writes them: without keys, with the newest of the rows that are learned.
    tested = pa.concat_tables([parts["test"], parts["train"].slice(0, 3)]).drop(["text_key"])
    tested = tested.append_column("since", pa.nulls(len(tested), pa.string()))
    digest = data_files.rows_digest(rows)
    files = {
        "train/train.parquet": parts["train"],
        "validation/validation.parquet": parts["validation"],
        "test/part-00000.parquet": tested,
    }
    for name, table in files.items():
        sink = io.BytesIO()
        pq.write_table(table, sink)
        s3.put_object(Bucket=bucket, Key=FOLDER + name, Body=sink.getvalue())
    report = {"rows_digest": digest, "data_digest": ITEM["data_digest"]}
    s3.put_object(Bucket=bucket, Key=f"{FOLDER}report/report.json", Body=json.dumps(report))
    learned = pa.concat_tables([parts["train"], parts["validation"]])
    text = f"{ITEM['code_digest']} {ITEM['image']} {digest} {ITEM['codebook_version']} {POLICY}"
    ledger = GroupLedger(
        GROUP,
        registered={"policy": POLICY},
        models={MODEL: ITEM},
        claims={hashlib.sha256(text.encode()).hexdigest(): {"run": RUN}},
    )
    return Kept(ledger, learned, digest)
