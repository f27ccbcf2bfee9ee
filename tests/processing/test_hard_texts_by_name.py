"""A group's hard texts: no model learns from them, and every new one is tried on them by name."""

import json

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from pipelines.evidence import training_rows
from pipelines.ledger.reading import GroupLedger
from processing.codes import codebook
from processing.dataset import hard_texts, split
from processing.dataset.text import text_keys
from tests.pipelines.evidence.kept_rows import FOLDER, ITEM, MODEL
from tests.processing.compared_models import (
    CHALLENGER,
    WINNER,
    evidence,
    publish,
    rows_of_a_test,
    run_compare,
)
from tests.processing.job_folders import CODEBOOK, GROUP, as_jsonl, from_jsonl, items
from training.shared_rows import translate

LISTED = [
    {"title": "Spielzeugkühlschrank", "brand": "Muster", "code": "1"},
    {"title": "Aquarienleuchte", "code": "3"},
    {"title": "Altes Ding", "code": "9"},
]
BOOK = CODEBOOK | {"hard_texts": LISTED}


def keys_of(rows: list[dict]) -> list[str]:
    texts = [{name: row.get(name, "") for name in ("title", "brand", "product_type")} for row in rows]
    return text_keys(GROUP, pa.Table.from_pylist(texts)).to_pylist()


def test_no_row_with_a_hard_text_is_learned_whatever_its_code_is(job):
    rows = items()
    is_test = split.is_test(pa.array(keys_of(rows)))
    number = next(n for n, test in enumerate(is_test) if not test)
    text = {name: rows[number][name] for name in ("title", "brand", "product_type")}
    job.codebook(CODEBOOK | {"hard_texts": [text | {"code": "2"}]})
    same = rows[number] | {"item_id": "another", "label": "2", "title": rows[number]["title"].upper()}
    job.dataset({"part-000.jsonl": (as_jsonl([*rows, same]), len(rows) + 1)})
    job.prepare()
    parts = (pq.read_table(job.output(name) / f"{name}.parquet") for name in ("train", "validation"))
    learned = [row["item_id"] for part in parts for row in part.to_pylist()]
    assert len(learned) == (~is_test).sum() - 1
    assert not {"another", rows[number]["item_id"]} & set(learned)
    assert job.report()["hard_texts"] == {"listed": 1, "rows_held": 2}


def test_the_list_goes_with_the_test_set_under_the_codes_of_the_period(new_job):
    job = new_job()
    job.codebook(BOOK)
    job.dataset({"part-000.jsonl": (as_jsonl(items()), 400)})
    message = job.prepare()
    tested = pq.read_table(job.output("test") / "part-00000.parquet").to_pylist()
    # Code 9 is long gone and has no successor: nothing would be right.
    listed = [row for row in tested if row["item_id"].startswith(hard_texts.ID)]
    assert [(row["title"], row["label"]) for row in listed] == [
        ("Spielzeugkühlschrank", "1"),
        ("Aquarienleuchte", "3a"),
    ]
    assert len(tested) == message["test"] + 2
    again = new_job()
    again.codebook(BOOK)
    for path in job.output("test").iterdir():
        (again.input("dataset") / path.name).write_bytes(path.read_bytes())
    again.prepare("test", uri="s3://work-bucket/runs/DE-weee/r1/test/")
    assert from_jsonl(again.output("rejected") / "rejected.jsonl") == []
    assert sum(item["item_id"].startswith(hard_texts.ID) for item in again.items()) == 2


@mock_aws
def test_the_rows_that_a_model_learned_are_found_again_though_some_were_held_out(job):
    rows = items()
    is_test = split.is_test(pa.array(keys_of(rows)))
    texts = [
        {name: row[name] for name in ("title", "brand", "product_type")} | {"code": "2"}
        for test in (True, False)
        for row in [next(row for row, tested in zip(rows, is_test, strict=True) if tested == test)]
    ]
    job.codebook(CODEBOOK | {"hard_texts": texts})
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    message = job.prepare()
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="work-bucket")
    for name in ("train/train.parquet", "validation/validation.parquet", "test/part-00000.parquet"):
        folder, _, file = name.partition("/")
        body = (job.output(folder) / file).read_bytes()
        s3.put_object(Bucket="work-bucket", Key=f"{FOLDER}{name}", Body=body)
    s3.put_object(Bucket="work-bucket", Key=f"{FOLDER}report/report.json", Body=json.dumps(job.report()))
    ledger = GroupLedger(GROUP, models={MODEL: ITEM | {"data_digest": message["data_digest"]}})
    found = training_rows.read(s3, "work-bucket", ledger, MODEL)
    assert found.digest == message["rows_digest"]
    assert found.table.num_rows == (~is_test).sum() - 1


@pytest.fixture
def pair(job):
    """Publish what both models say of a test set and of the first two hard texts, each wrong on some rows."""
    job.codebook(BOOK)

    def write(challenger_wrong: range, winner_wrong: range):
        rows = rows_of_a_test()
        rows["item_id"] += [f"{hard_texts.ID}1", f"{hard_texts.ID}2"]
        rows["text_key"] += keys_of(LISTED)[:2]
        rows["truth"] += ["1", "3a"]
        publish(job, "challenger", CHALLENGER, rows, challenger_wrong)
        publish(job, "winner", WINNER, rows, winner_wrong)
        return job

    return write


def test_both_models_are_tried_on_each_text_by_name(pair):
    job = pair(range(900, 901), range(901, 902))
    message = run_compare(job)
    found = evidence(job)
    assert [
        (text["title"], text["code"], text["challenger"], text["winner"]) for text in found["hard_texts"]
    ] == [
        ("Spielzeugkühlschrank", "1", "2", "1"),
        ("Aquarienleuchte", "3a", "3a", "1"),
        ("Altes Ding", "9", None, None),
    ]
    assert found["hard_texts"][0]["brand"] == "Muster"
    assert message["reason"].endswith(" Now wrong of the 3 hard texts: “Spielzeugkühlschrank” (1, now 2).")
    assert "Of 3 hard texts right: challenger 1, winner 1." in message["summary"].splitlines()


def test_the_list_is_no_sample_and_counts_for_no_score(pair):
    job = pair(range(900, 902), range(0))
    message = run_compare(job)
    assert (message["rows"], message["score"], message["winner_score"]) == (900, 1.0, 1.0)
    assert sum(month["rows"] for month in evidence(job)["challenger"]["tested"]) <= 900
    assert evidence(job)["challenger"]["confused"] == []


def test_without_a_list_nothing_is_said(job):
    publish(job, "challenger", CHALLENGER, rows_of_a_test())
    message = run_compare(job, winner="")
    assert evidence(job)["hard_texts"] == []
    assert "hard text" not in json.dumps(message)


def test_many_newly_wrong_texts_are_counted_and_the_first_named():
    text = {"title": "T", "code": "1", "challenger": "2", "winner": "1"}
    assert hard_texts.newly_wrong([text] * 5).endswith("(1, now 2) and 2 more.")
    assert len(hard_texts.newly_wrong([text | {"title": "T" * 20_000}])) < 200
    assert hard_texts.newly_wrong([text | {"winner": "2"}, text | {"winner": None}]) == ""


def test_texts_shared_by_other_groups_are_not_learned_either(job):
    codes = [{**code, "references": {"unu": [code["code"]]}} for code in CODEBOOK["codes"]]
    table = pa.table(
        {
            **{"title": ["Aquarienleuchte", "Salzlampe"], "brand": ["", ""], "product_type": ["", ""]},
            "keys": [["1"], ["1"]],
        }
    )
    key = {"1": {"1"}}
    without, with_list = (
        translate(table, codebook.parse(BOOK | {"codes": codes, "hard_texts": listed}), key)
        for listed in ([], LISTED)
    )
    kept = set(without["title"].to_pylist())
    assert set(with_list["title"].to_pylist()) == kept - {"Aquarienleuchte"}
    assert "Aquarienleuchte" in kept
