"""A month in which nothing was sold: published like any other, without a row."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing import amend, publish
from tests.processing.job_folders import (
    COLUMNS,
    DATASET,
    GROUP,
    NOBODY,
    PERIOD,
    Job,
    as_jsonl,
    decision,
    items,
)

HEADER = ",".join(COLUMNS).encode() + b"\n"
NOTHING = {"rows": 0, "labelled": 0, "review": 0, "none": 0, "rejected": 0}


def _parquet() -> bytes:
    types = {"text": pa.string(), "number": pa.float64()}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    sink = io.BytesIO()
    pq.write_table(schema.empty_table(), sink)
    return sink.getvalue()


FILES = {
    "part-000.csv": HEADER,
    "part-000.csv.gz": gzip.compress(HEADER),
    "part-000.jsonl": b"",
    "part-000.parquet": _parquet(),
}


def _prepared(new_job, rows: list[dict], name: str = "part-000.jsonl", content: bytes | None = None) -> Job:
    """A job for Publish on what Prepare made of the rows."""
    before = new_job()
    before.dataset({name: (as_jsonl(rows) if content is None else content, len(rows))})
    message = before.prepare("inference")
    job = new_job()
    job.delivered = message["rows"]
    job.trained()
    for folder in ("items", "truth"):
        assert list(before.output(folder).iterdir()), "a job's input may not be empty"
        for path in before.output(folder).iterdir():
            (job.input(folder) / path.name).write_bytes(path.read_bytes())
    if made := before.items():
        said = {
            "code": "1",
            "confidence": 0.9,
            "second_code": "2",
            "second_confidence": 0.05,
            "review": False,
        }
        answers = as_jsonl([{"item_id": item["item_id"], "SageMakerOutput": said} for item in made])
        (job.input("predictions") / "items-00000.jsonl.out").write_bytes(answers)
    return job


def _publish(job: Job, period: str = PERIOD) -> dict:
    """The message of Publish."""
    return job.run(
        publish.main,
        group=GROUP,
        period=period,
        purpose="inference",
        run="r1",
        dataset_uri=DATASET,
        model="DE-weee-2026-09-1a2b3c4d",
        earlier_digest=job.labels_digest("earlier"),
        replaced_digest=job.labels_digest("replaced"),
        compared_digest="",
        destination="s3://labelled/labels/DE-weee/2026-10/r1/",
        rows=str(job.delivered),
        policy='{"precision": 0}',
    )


def _next_to(job: Job, folder: str, other: Job) -> Job:
    """`job` with what `other` published as its input `folder`."""
    for output in ("files", "manifest"):
        for path in other.output(output).iterdir():
            (job.input(folder) / path.name).write_bytes(path.read_bytes())
    return job


def _amended(job: Job, labels: Job) -> dict:
    """The message of Amend in the folder `job`, with one decision on the labels."""
    _next_to(job, "labels", labels)
    (job.input("decisions") / "decisions.jsonl").write_bytes(as_jsonl([decision(3, "2")]))
    address = "s3://labelled/labels/DE-weee/2026-10/r1/"
    return job.run(
        amend.main,
        group=GROUP,
        period=PERIOD,
        run="r2",
        amends=address,
        labels_digest=job.labels_digest("labels"),
        policy="{}",
        destination="s3://x/r2/",
    )


def _summary(job: Job) -> dict:
    return json.loads((job.output("files") / "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_files_without_rows_become_labels_without_rows(new_job, name):
    job = _prepared(new_job, [], name, FILES[name])
    message = _publish(job)
    assert message | NOTHING == message
    assert (message["alarms"], message["attention"]) == (0, "Nothing.")
    labels = pq.read_table(job.output("files") / "labels.parquet")
    assert (labels.num_rows, labels.schema.names[:2]) == (0, ["item_id", "code"])
    [header] = (job.output("files") / "labels.csv").read_text(encoding="utf-8-sig").splitlines()
    assert header.split(",") == [f'"{name}"' for name in labels.schema.names]
    manifest = json.loads((job.output("manifest") / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["rows"], manifest["period"], manifest["group"]) == (0, PERIOD, GROUP)
    assert _summary(job)["counts"] == NOTHING | {"decided": 0}


def test_an_empty_month_after_one_with_items_needs_attention(new_job):
    before = _prepared(new_job, items(40, labelled=False))
    _publish(before, period="2026-09")
    job = _next_to(_prepared(new_job, []), "earlier", before)
    message = _publish(job)
    assert (message["alarms"], message["attention"]) == (1, "The month is empty; 2026-09 had 40 rows.")


@pytest.mark.parametrize(
    ("rows", "attention"), [(0, "Nothing."), (40, "40 rows arrived; in 2026-09 it was 0.")]
)
def test_an_empty_month_is_compared_with_as_any_other(new_job, rows, attention):
    before = _prepared(new_job, [])
    _publish(before, period="2026-09")
    job = _next_to(_prepared(new_job, items(rows, labelled=False)), "earlier", before)
    assert _publish(job)["attention"] == attention


def test_decisions_on_a_month_that_is_delivered_again_without_items_go_with_their_items(new_job):
    labelled = _prepared(new_job, items(40, labelled=False))
    _publish(labelled)
    amended = new_job()
    _amended(amended, labelled)
    job = _next_to(_prepared(new_job, []), "replaced", amended)
    assert _publish(job)["rows"] == 0
    assert _summary(job)["decisions"] == NOBODY


def test_a_sheet_on_a_month_that_is_empty_by_now_is_not_kept_and_told(new_job):
    empty = _prepared(new_job, [])
    _publish(empty)
    job = new_job()
    message = _amended(job, empty)
    assert message | NOTHING == message
    assert _summary(job)["decisions"] == NOBODY | {"not_kept": 1}
    assert "1 decision on this month could not be kept" in message["attention"]
