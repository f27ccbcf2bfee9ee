"""Texts and ids at their worst, through Prepare and Publish: every row comes out once."""

import csv
import io
import json
import re
import shutil

import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing import publish
from processing.dataset import doubly_encoded
from processing.labels import csv_guard
from tests.processing.job_folders import DATASET, GROUP, PERIOD, as_jsonl

PIECES = [
    '"',
    "'",
    "\\",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\x1b",
    "\x85",
    "\u2028",
    "\ufeff",
    ",",
    ";",
    "{",
    "}",
    "  ",
]
PIECES += [
    "😀",
    "👩\u200d👧",
    "\u202e\u05d0\u05d1",
    "مرحبا",
    "ﬁ",
    "ß",
    "İ",
    "e\u0301",
    "日本",
    "\U0010ffff",
    "<b>",
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=6).map("".join)
HARD_IDS = [
    "=1+1",
    "007",
    "1e5",
    "+49",
    "-1",
    "@x",
    "'",
    '"',
    "nan",
    "",
    " ",
    "a\nb",
    "\0",
    "TRUE",
    "\u202e1",
    "ü" * 300,
]
BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
ids = st.sampled_from(HARD_IDS) | texts
rows = st.lists(
    st.fixed_dictionaries(
        {
            "item_id": ids,
            "title": texts,
            "brand": texts | st.none(),
            "product_type": texts,
            "weight_kg": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "material": texts | st.none(),
        }
    ),
    max_size=12,
)
GOOD = {
    "item_id": "good",
    "title": "1 MB " * 200_000,
    "brand": None,
    "product_type": "",
    "weight_kg": 1,
    "material": "",
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
def test_every_row_comes_out_once_whatever_it_holds(new_job, rows):
    rows = [row for row in rows if row["item_id"] != "good"] + [GOOD]
    before = new_job()
    shutil.rmtree(before.base)
    before.codebook()
    before.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    prepared = before.prepare("inference")
    items, rejected = before.items(), before.rejected()
    assert prepared["rows"] == len(rows) == len(items) + len(rejected)
    for item in items:
        row = next(row for row in rows if row["item_id"] == item["item_id"])
        assert item["weight_kg"] == row["weight_kg"]
        # Now and then a text is found that looks encoded twice.
        assert item["title"] == BREAKS.sub(" ", doubly_encoded.repaired(row["title"]))
    assert all(row["item_id"] == rows[row["row"] - 1]["item_id"] for row in rejected)

    job = new_job()
    job.trained()
    for name in ("items", "truth"):
        shutil.copytree(before.output(name), job.input(name), dirs_exist_ok=True)
    answer = {"code": "1", "confidence": 0.9, "second_code": "2", "second_confidence": 0.1, "review": False}
    predictions = [{"item_id": item["item_id"], "SageMakerOutput": answer} for item in reversed(items)]
    (job.input("predictions") / "items-00000.jsonl.out").write_bytes(as_jsonl(predictions))
    counts = job.run(
        publish.main,
        group=GROUP,
        period=PERIOD,
        purpose="inference",
        run="r1",
        dataset_uri=DATASET,
        model="m",
        earlier_digest=job.labels_digest("earlier"),
        replaced_digest=job.labels_digest("replaced"),
        compared_digest="",
        destination="s3://labelled/x/",
        rows=str(len(rows)),
        policy='{"precision": 0}',
    )
    counts = {name: counts[name] for name in ("rows", "labelled", "review", "rejected")}
    assert counts == {"rows": len(rows), "labelled": len(items), "review": 0, "rejected": len(rejected)}
    table = pq.read_table(job.output("files") / "labels.parquet")
    assert table["item_id"].to_pylist() == [row["item_id"] for row in items + rejected]
    assert sorted(table["item_id"].to_pylist()) == sorted(row["item_id"] for row in rows)

    text = (job.output("files") / "labels.csv").read_bytes().decode("utf-8-sig")
    shown = [row["item_id"] for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert [csv_guard.plain(item_id) for item_id in shown] == table["item_id"].to_pylist()
    assert all(item_id[:1] not in tuple("=+-@") for item_id in shown if item_id)
    assert json.loads((job.output("manifest") / "manifest.json").read_text(encoding="utf-8"))["rows"] == len(
        rows
    )
