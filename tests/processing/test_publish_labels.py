"""Publish: every row that went in comes out once, or nothing is published."""

import csv
import hashlib
import io
import itertools
import json
import random
import re
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing import publish
from processing.labels import label_table
from processing.labels.csv_guard import plain
from tests.processing.job_folders import (
    CODEBOOK,
    DATASET,
    GROUP,
    PERIOD,
    JobFailed,
    as_jsonl,
    decision,
    items,
)

TEXT_KEY = "143e415e095392f9"  # of the first of job_folders.items
DESTINATION = "s3://labelled/labels/DE-weee/2026-10/r1/"


def prediction(item_id: str | None, code: str = "1", confidence: float = 0.9) -> dict:
    answer = {
        "code": code,
        "confidence": confidence,
        "second_code": "2",
        "second_confidence": 0.05,
        "review": confidence < 0.5,
    }
    return {"item_id": item_id, "SageMakerOutput": answer}


def run_publish(job, purpose="inference", **more) -> dict:
    arguments = {
        "group": GROUP,
        "period": PERIOD,
        "purpose": purpose,
        "run": "r1",
        "dataset_uri": DATASET,
        "model": "DE-weee-2026-09-1a2b3c4d",
        "earlier_digest": job.labels_digest("earlier"),
        "replaced_digest": job.labels_digest("replaced"),
        "compared_digest": "",
        "destination": DESTINATION,
        "rows": str(job.delivered),
        "policy": '{"precision": 0}',
    }
    return job.run(publish.main, **arguments | more)


@pytest.fixture
def prepared(new_job):
    """A job folder for Publish with what Prepare made of some rows; predictions are the test's."""

    def make(rows, predictions=None, purpose="inference"):
        before = new_job()
        before.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        before.prepare(purpose)
        job = new_job()
        job.delivered = len(rows)
        job.trained()
        for name in ("items", "truth"):
            for path in before.output(name).iterdir():
                (job.input(name) / path.name).write_bytes(path.read_bytes())
        if predictions is None:
            predictions = [prediction(item["item_id"]) for item in before.items()]
        (job.input("predictions") / "items-00000.jsonl.out").write_bytes(as_jsonl(predictions))
        return job

    return make


def counts(message: dict) -> dict:
    return {name: message[name] for name in ("rows", "labelled", "review", "rejected")}


def read_csv(job) -> list[dict]:
    text = (job.output("files") / "labels.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def refusal(job, **more) -> str:
    with pytest.raises(JobFailed) as failed:
        run_publish(job, **more)
    assert not list((job.base / "processing" / "output").rglob("*"))
    return str(failed.value)


def with_keys(job, change) -> None:
    """Change what Prepare knows of each item."""
    path = job.input("truth") / "truth.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def test_labels_are_joined_by_id_whatever_the_order_and_the_files_of_the_predictions(prepared):
    rows = items(300, labelled=False)
    predictions = [prediction(row["item_id"], "12"[n % 2], n / 300) for n, row in enumerate(rows)]
    shuffled = predictions.copy()
    random.Random(1).shuffle(shuffled)
    job = prepared(rows, shuffled[:200])
    (job.input("predictions") / "items-00001.jsonl.out").write_bytes(as_jsonl(shuffled[200:]))
    assert counts(run_publish(job)) == {"rows": 300, "labelled": 150, "review": 150, "rejected": 0}
    found = job.published()
    assert [row["item_id"] for row in found] == [row["item_id"] for row in rows]
    assert [row["code"] for row in found] == [each["SageMakerOutput"]["code"] for each in predictions]
    assert [row["confidence"] for row in found] == [
        each["SageMakerOutput"]["confidence"] for each in predictions
    ]


def test_every_published_row_says_where_its_label_is_from(prepared):
    job = prepared(items(3, labelled=False))
    before = datetime.now(UTC).replace(microsecond=0)
    run_publish(job)
    row = job.published()[0]
    assert before <= row.pop("labelled_at") <= datetime.now(UTC)
    assert re.fullmatch("[0-9a-f]{16}", row.pop("family"))
    assert row == {
        "item_id": "000000",
        "code": "1",
        "description": "Wärmeüberträger",
        "confidence": 0.9,
        "second_code": "2",
        "short_list": None,
        "status": "labelled",
        "reason": None,
        "model": "DE-weee-2026-09-1a2b3c4d",
        "codebook_version": "2026-10",
        "dataset": DATASET,
        "run": "r1",
        **dict.fromkeys(("answer", "decided_by", "decided_at", "decided_on", "why", "suggested")),
        "text_key": TEXT_KEY,
        "model_group": GROUP,
        "period": PERIOD,
    }


def test_rejected_rows_are_published_with_their_reason_and_place(prepared):
    rows = items(5, labelled=False)
    rows[1]["title"] = ""
    job = prepared(rows)
    message = run_publish(job)
    assert counts(message) == {"rows": 5, "labelled": 4, "review": 0, "rejected": 1}
    (row,) = (row for row in job.published() if row["status"] == "rejected")
    assert (row["item_id"], row["code"], row["confidence"]) == ("000001", None, None)
    assert row["reason"] == "The title is empty. (part-000.jsonl, row 2)"
    assert message["found"] == "row set aside: empty-title 1"
    kept = json.loads((job.output("files") / "summary.json").read_text())["findings"]["empty-title"]
    place = {"file": "part-000.jsonl", "row": 2, "value": "The title is empty."}
    assert kept == {"outcome": "row set aside", "count": 1, "first": [place]}
    assert row["model"] == "DE-weee-2026-09-1a2b3c4d"


def test_unsure_labels_go_to_review_with_the_reason(prepared):
    rows = items(2, labelled=False)
    job = prepared(rows, [prediction("000000", confidence=0.4), prediction("000001")])
    run_publish(job)
    assert [(row["status"], row["reason"]) for row in job.published()] == [
        ("review", label_table.UNSURE),
        ("labelled", None),
    ]


def test_codes_that_are_not_in_force_become_their_successor_or_go_to_review(prepared):
    rows = items(3, labelled=False)
    predictions = [prediction("000000", "3"), prediction("000001", "9"), prediction("000002", "X")]
    job = prepared(rows, predictions)
    assert run_publish(job)["review"] == 2
    found = [(row["code"], row["description"], row["status"], row["reason"]) for row in job.published()]
    assert found[0] == ("3a", "Leuchtmittel", "labelled", "code 3 was renamed 3a on 2026-10-01")
    assert found[1] == ("9", "Altes", "review", "code 9: no code in force in 2026-10 replaces it")
    assert found[2] == ("X", None, "review", "code X: no code in force in 2026-10 replaces it")


def test_a_test_set_is_published_with_truth_text_key_and_title(prepared):
    rows = items(90)
    job = prepared(rows, purpose="test")
    run_publish(job, "test")
    found = job.published()
    assert [row["truth"] for row in found] == [row["label"] for row in rows]
    assert all(len(row["text_key"]) == 16 for row in found)
    assert [row["title"] for row in found] == [row["title"] for row in rows]


def test_a_test_set_is_labelled_by_the_model_alone_whatever_people_decided(prepared):
    job = prepared(items(90), purpose="test")
    folder = job.input("reviewed") / "DE-weee-review-2026-09-0f3a9c21d4e5"
    folder.mkdir()
    (folder / "decisions.jsonl").write_bytes(as_jsonl([decision(1, "2")]))
    run_publish(job, "test", policy='{"same_text": "decide"}')
    assert [row["code"] for row in job.published()] == ["1"] * 90
    assert {row["answer"] for row in job.published()} == {None}


def test_the_manifest_lists_counts_and_the_sha256_of_every_file(prepared):
    rows = items(5, labelled=False)
    rows[1]["title"] = ""
    job = prepared(rows)
    found = counts(run_publish(job))
    manifest = json.loads((job.output("manifest") / "manifest.json").read_text(encoding="utf-8"))
    assert {name: manifest[name] for name in found} == found
    assert manifest["reasons"] == {"empty-title": 1}
    assert manifest["model"] == "DE-weee-2026-09-1a2b3c4d"
    assert list(manifest["columns"]) == list(job.published()[0])
    rows_of = {file["name"]: file.get("rows") for file in manifest["files"]}
    assert rows_of == {"labels.csv": 5, "labels.parquet": 5, "summary.json": None}
    for file in manifest["files"]:
        content = (job.output("files") / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["bytes"] == len(content)
        assert file["url"] == DESTINATION + file["name"]


# --- what is not whole is not published


def test_an_item_without_prediction_stops_the_publication(prepared):
    job = prepared(items(3, labelled=False), [prediction("000000"), prediction("000002")])
    assert "1 of 3 items have no prediction, for example item_id '000001'; nothing is published." in refusal(
        job
    )


def test_a_prediction_without_item_stops_the_publication(prepared):
    job = prepared(items(1, labelled=False), [prediction("000000"), prediction("x")])
    assert "1 of 2 predictions belong to no item, for example item_id 'x'" in refusal(job)


@pytest.mark.parametrize("again", ["000000", None])
def test_repeated_or_missing_ids_stop_the_publication(prepared, again):
    job = prepared(items(2, labelled=False), [prediction("000000"), prediction("000001"), prediction(again)])
    assert "The 3 predictions have missing or repeated ids." in refusal(job)


@pytest.mark.parametrize(
    "wrong",
    [{"code": None}, {"confidence": None}, {"confidence": 1.5}, {"confidence": -0.1}, {"review": None}],
)
def test_a_prediction_that_is_not_usable_stops_the_publication(prepared, wrong):
    unusable = prediction("000001")
    unusable["SageMakerOutput"] |= wrong
    job = prepared(items(2, labelled=False), [prediction("000000"), unusable])
    assert "1 of 2 predictions lack a code, a confidence in [0, 1] or the review mark" in refusal(job)


def test_a_record_that_the_model_did_not_answer_stops_the_publication(prepared):
    job = prepared(
        items(2, labelled=False), [prediction("000000"), {"item_id": "000001", "SageMakerOutput": None}]
    )
    assert "1 of 2 predictions lack a code" in refusal(job)


def test_predictions_that_are_cut_off_stop_the_publication(prepared):
    job = prepared(items(2, labelled=False))
    path = job.input("predictions") / "items-00000.jsonl.out"
    path.write_bytes(path.read_bytes()[:-20])
    assert "items-00000.jsonl.out cannot be read" in refusal(job)


def test_a_lost_shard_of_items_stops_the_publication_though_its_predictions_are_lost_with_it(prepared):
    job = prepared(items(4, labelled=False))
    job.delivered = 6
    assert "6 rows were delivered, 4 became items and 0 were set aside" in refusal(job)


def test_no_predictions_at_all_stop_the_publication(prepared):
    assert "2 of 2 items have no prediction" in refusal(prepared(items(2, labelled=False), []))


def test_a_test_set_without_its_truth_stops_the_publication(prepared):
    job = prepared(items(2, labelled=False))
    assert "2 of 2 test items have no label; nothing is published." in refusal(job, purpose="test")


def test_text_keys_are_joined_by_id_whatever_their_order(prepared):
    rows = items(5, labelled=False)
    in_order = prepared(rows)
    run_publish(in_order)
    job = prepared(rows)
    with_keys(job, lambda keys: keys.take([3, 0, 4, 1, 2]))
    run_publish(job)
    found = [row["text_key"] for row in job.published()]
    assert found == [row["text_key"] for row in in_order.published()]
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda keys: keys.slice(1), "1 of 3 items have no text key"),
        (lambda keys: pa.concat_tables([keys, keys.slice(2)]), "There are 4 text keys for 3 items"),
    ],
    ids=["too few", "too many"],
)
def test_text_keys_of_other_items_stop_the_publication(prepared, change, sentence):
    job = prepared(items(3, labelled=False))
    with_keys(job, change)
    assert f"{sentence}; nothing is published." in refusal(job)


def test_another_codebook_than_the_runs_stops_the_publication(prepared):
    job = prepared(items(2, labelled=False))
    recorded = job.codebook_digest
    job.codebook(CODEBOOK | {"source": "another"})
    assert "The codebook 2026-10.json is not what was recorded" in refusal(job, codebook_digest=recorded)


# --- the same rows as CSV


def test_the_csv_has_the_plain_values_of_the_parquet_and_an_apostrophe_only_before_a_formula(prepared):
    rows = items(8, labelled=False)
    for row, item_id in zip(rows, ("=1+1", "007", "1e5", "'x", 'a"b', "a,b", "'-1", "a;=1"), strict=True):
        row["item_id"] = item_id
    job = prepared(rows)
    run_publish(job)
    assert (job.output("files") / "labels.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    for shown, row in zip(read_csv(job), job.published(), strict=True):
        assert list(shown) == list(row)
        assert shown["item_id"] == {"=1+1": "'=1+1", "'-1": "''-1", "a;=1": "a;'=1"}.get(
            row["item_id"], row["item_id"]
        )
        assert plain(shown["item_id"]) == row["item_id"]
        assert shown["code"] == "1"
        assert float(shown["confidence"]) == row["confidence"]
        assert datetime.fromisoformat(shown["labelled_at"]) == row["labelled_at"]


def test_duckdb_reads_both_files_alike(prepared):
    rows = items(50, labelled=False)
    rows[3]["title"] = ""
    job = prepared(rows)
    run_publish(job)
    found = [
        duckdb.sql(
            f"select status, count(*) from '{job.output('files') / name}' group by 1 order by 1"
        ).fetchall()
        for name in ("labels.parquet", "labels.csv")
    ]
    assert found[0] == found[1] == [("labelled", 49), ("rejected", 1)]


def test_a_label_for_review_has_the_short_list_of_the_model_and_no_other_has(prepared):
    rows = items(4, labelled=False)
    lists = [
        {"short_list": ["1", "2", "3"], "short_list_size": 3},
        {"short_list": ["1", "2", "3a", "9"], "short_list_size": 6},
        {"short_list": ["1", "2"], "short_list_size": 2},
        {},
    ]
    predictions = [
        prediction(row["item_id"], confidence=0.9 if n == 2 else 0.4) for n, row in enumerate(rows)
    ]
    for answer, listed in zip(predictions, lists, strict=True):
        answer["SageMakerOutput"] |= listed
    job = prepared(rows, predictions)
    run_publish(job)
    # 3 is called 3a now, and 9 has long ended.
    assert [row["short_list"] for row in read_csv(job)] == ["1 | 2 | 3a", "1 | 2 | 3a | and 2 more", "", ""]


# --- a month in several files


def in_files(job, sizes) -> None:
    """The items of a job, and one file of predictions for each of items, in files of so many rows."""
    for name in ("items", "predictions"):
        (path,) = job.input(name).iterdir()
        lines = path.read_bytes().splitlines(keepends=True)
        path.unlink()
        for number, end in enumerate(itertools.accumulate(sizes)):
            content = b"".join(lines[end - sizes[number] : end])
            (job.input(name) / f"items-{number:05d}.jsonl{'.out' * (name == 'predictions')}").write_bytes(
                content
            )


def test_a_month_in_several_files_has_the_labels_that_it_has_in_one(prepared):
    rows = items(60, labelled=False)
    rows[7]["title"] = ""
    one = prepared(rows)
    run_publish(one)
    several = prepared(rows)
    in_files(several, (20, 1, 38))
    run_publish(several)
    when = {"labelled_at": None}
    assert [row | when for row in one.published()] == [row | when for row in several.published()]
    assert len(read_csv(several)) == 60


def test_an_id_that_is_there_twice_in_different_files_stops_the_publication(prepared):
    job = prepared(items(4, labelled=False))
    in_files(job, (2, 2))
    for name, end in (("items", "jsonl"), ("predictions", "jsonl.out")):
        path = job.input(name) / f"items-00001.{end}"
        path.write_bytes(path.read_bytes().replace(b"000003", b"000001"))
    assert "The 4 items have missing or repeated ids." in refusal(job)


def test_predictions_that_went_to_another_file_are_found_there(prepared):
    rows = items(4, labelled=False)
    job = prepared(rows, [prediction(row["item_id"], "12"[n % 2]) for n, row in enumerate(rows)])
    in_files(job, (2, 2))
    first, second = sorted(job.input("predictions").iterdir())
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    run_publish(job)
    assert [row["code"] for row in job.published()] == ["1", "2", "1", "2"]


def test_nothing_that_waited_on_disk_is_left(prepared):
    job = prepared(items(4, labelled=False))
    run_publish(job)
    assert {path.name for path in (job.base / "processing").iterdir()} == {"input", "output"}
