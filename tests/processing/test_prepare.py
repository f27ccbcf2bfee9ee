"""Prepare on good datasets: every format, the canonical rows, the split, the test set, the items."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing.dataset import jsonlines, manifest, split
from processing.dataset.text import text_keys
from tests.processing.job_folders import CODEBOOK, TEST_SET, as_jsonl, items


def as_csv(rows, bom=False) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8")


def as_parquet(rows) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def splits(job) -> dict[str, pa.Table]:
    return {
        "train": pq.read_table(job.output("train") / "train.parquet"),
        "validation": pq.read_table(job.output("validation") / "validation.parquet"),
        "test": pq.read_table(next(job.output("test").glob("*.parquet"))),
    }


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("part-000.parquet", as_parquet),
        ("part-000.csv", as_csv),
        ("part-000.csv", lambda rows: as_csv(rows, bom=True)),
        ("part-000.csv.gz", lambda rows: gzip.compress(as_csv(rows))),
        ("part-000.jsonl", as_jsonl),
        ("part-000.jsonl", lambda rows: b"\xef\xbb\xbf" + as_jsonl(rows)),
        ("part-000.jsonl.gz", lambda rows: gzip.compress(as_jsonl(rows))),
    ],
)
def test_every_format_gives_the_same_rows(job, name, write):
    rows = items()
    job.dataset({name: (write(rows), len(rows))})
    message = job.prepare()
    parts = splits(job)
    assert message["rows"] == 400
    assert message["rejected"] == 0
    assert {part: table.num_rows for part, table in parts.items()} == {
        part: message[part] for part in ("train", "validation", "test")
    }
    found = pa.concat_tables([table.select(list(rows[0])) for table in parts.values()])
    assert sorted(found.to_pylist(), key=lambda row: row["item_id"]) == rows


def test_rows_of_several_files_in_several_formats_come_together(job):
    rows = items()
    job.dataset({"a.csv": (as_csv(rows[:100]), 100), "b.jsonl": (as_jsonl(rows[100:]), 300)})
    assert job.prepare()["rows"] == 400


def test_a_csv_may_hold_quotes_commas_and_line_breaks_in_a_title(job):
    rows = items(labelled=False)
    rows[7]["title"] = 'Monitor 24", "flach",\nschwarz; neu'
    job.dataset({"part-000.csv": (as_csv(rows), len(rows))})
    assert job.prepare("inference")["items"] == 400
    assert job.items()[7]["title"] == 'Monitor 24", "flach", schwarz; neu'


def test_line_breaks_in_titles_do_no_harm_where_a_file_is_read_in_several_blocks(job, monkeypatch):
    monkeypatch.setattr(jsonlines, "BLOCK_BYTES", 2048)
    rows = items(labelled=False)
    for row in rows:
        row["title"] = "\n".join(row["title"].split())
    job.dataset({"part-000.csv": (as_csv(rows), len(rows))})
    assert job.prepare("inference")["items"] == 400
    assert [item["item_id"] for item in job.items()] == [row["item_id"] for row in rows]


def test_ids_and_labels_stay_text_and_missing_values_stay_missing(job):
    rows = items(labelled=False)[:5]
    for row, item_id in zip(rows, ("007", "1e5", "nan", "True", "0x1F"), strict=True):
        row |= {"item_id": item_id, "brand": "NA", "weight_kg": "NaN", "material": "None"}
    job.dataset({"part-000.csv": (as_csv(rows), 5)})
    job.prepare("inference")
    made = job.items()
    assert [row["item_id"] for row in made] == ["007", "1e5", "nan", "True", "0x1F"]
    assert {(row["brand"], row["weight_kg"], row["material"]) for row in made} == {("NA", None, "None")}


def test_parquet_ids_that_are_integers_become_text_and_nan_becomes_null(job):
    rows = [
        row | {"item_id": number, "weight_kg": float("nan")}
        for number, row in enumerate(items(labelled=False))
    ]
    job.dataset({"part-000.parquet": (as_parquet(rows), len(rows))})
    job.prepare("inference")
    made = job.items()[0]
    assert made["item_id"] == "0"
    assert made["weight_kg"] is None


def test_items_keep_the_exact_numbers(job):
    rows = items(labelled=False)
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    job.prepare("inference")
    assert job.items() == rows


def test_identical_texts_fall_on_one_side_whatever_their_case_and_spaces(deliver):
    rows = items()
    for number in range(0, 400, 2):
        again = rows[number + 1]
        again |= {"title": rows[number]["title"].upper() + " ", "brand": rows[number]["brand"], "label": "2"}
    job = deliver(rows)
    job.prepare()
    sides = {}
    for side, table in splits(job).items():
        for title, brand in zip(table["title"].to_pylist(), table["brand"].to_pylist(), strict=True):
            sides.setdefault((title.strip().lower(), brand), set()).add(side)
    assert len(sides) == 200
    assert all(len(found) == 1 for found in sides.values())


def test_a_row_is_on_the_same_side_in_a_later_and_larger_dataset(new_job):
    sides = []
    for count in (300, 900):
        job = new_job()
        rows = items(count)[::-1]
        job.dataset({"part-000.jsonl": (as_jsonl(rows), count)})
        job.prepare()
        sides.append({i: side for side, table in splits(job).items() for i in table["item_id"].to_pylist()})
    assert all(sides[1][item] == side for item, side in sides[0].items())


def test_the_parts_have_their_shares(deliver):
    message = deliver(items(6000)).prepare()
    assert message["test"] / 6000 == pytest.approx(0.20, abs=0.02)
    assert message["validation"] / 6000 == pytest.approx(0.15, abs=0.02)


def test_the_split_is_what_it_was_in_the_first_version(deliver):
    """Golden values: a change here would put rows that were tested on into training."""
    job = deliver(items())
    job.prepare()
    test = splits(job)["test"]["item_id"].to_pylist()
    assert [int(item_id) for item_id in test[:8]] == [0, 2, 5, 7, 9, 13, 15, 17]


def test_the_lowest_fifth_of_the_keys_tests_and_the_next_15_percent_validate():
    edges = [0, 0.2 * 2**64 - 4096, 0.2 * 2**64 + 4096, 0.35 * 2**64 - 4096, 0.35 * 2**64 + 4096, 2**64 - 1]
    keys = pa.array([f"{int(edge):016x}" for edge in edges])
    assert split.is_test(keys).tolist() == [True, True, False, False, False, False]
    parts = split.parts(keys, pa.array(["1"] * len(edges)))
    assert {side: mask.nonzero()[0].tolist() for side, mask in parts.items()} == {
        "test": [0, 1],
        "validation": [2, 3],
        "train": [4, 5],
    }


def test_every_code_of_validation_is_in_train_too(deliver):
    """Rare codes: 100 of them with two rows each, so that many would be in validation only."""
    job = deliver(items())
    codebook = json.loads((job.input("codebook") / "2026-10.json").read_text())
    codebook["codes"] += [codebook["codes"][0] | {"code": f"r{number}"} for number in range(100)]
    job.codebook(codebook)
    rows = items(600)
    for number in range(200):
        rows[number]["label"] = f"r{number // 2}"
    job = deliver(rows)
    job.prepare()
    codes = {side: set(table["label"].to_pylist()) for side, table in splits(job).items()}
    assert codes["validation"] <= codes["train"]
    report = job.report()
    assert report["codes_only_in_test"] == sorted(codes["test"] - codes["train"])
    assert report["codes_only_in_test"], "this dataset has codes that are only tested"


def test_a_label_that_was_renamed_is_trained_under_its_new_name(deliver):
    rows = items()
    for row in rows:
        row["label"] = row["label"].replace("3a", "3")
    job = deliver(rows)
    assert job.prepare()["rejected"] == 0
    assert set(splits(job)["train"]["label"].to_pylist()) == {"1", "2", "3a"}
    report = job.report()
    assert report["recoded"] == {"code 3 was renamed 3a on 2026-10-01": 133}


def test_the_rows_of_a_code_that_was_split_are_set_aside_and_counted_by_code(job):
    split = {"kind": "split", "from": ["3"], "to": ["3a", "3b"], "date": "2026-10-01"}
    new = CODEBOOK["codes"][3] | {"code": "3b"}
    job.codebook(CODEBOOK | {"codes": [*CODEBOOK["codes"], new], "successions": [split]})
    rows = [row | {"label": row["label"].replace("3a", "3")} for row in items()]
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    assert job.prepare()["rejected"] == 133
    assert job.report()["unclear_codes"] == {"3": 133}
    assert {row["problem"] for row in job.rejected()} == {"label-not-in-force"}


def test_the_test_set_is_a_dataset_that_prepare_takes_again(deliver, new_job):
    first = deliver(items())
    made = first.prepare()
    listed = json.loads((first.output("test") / "manifest").read_text())
    assert [entry["url"] for entry in listed["entries"]] == [TEST_SET + "part-00000.parquet"]
    assert listed["meta"]["record_count"] == made["test"]

    second = new_job()
    for path in first.output("test").iterdir():
        (second.input("dataset") / path.name).write_bytes(path.read_bytes())
    message = second.prepare("test", uri=TEST_SET)
    assert (message["items"], message["rejected"]) == (made["test"], 0)
    truth = pq.read_table(second.output("truth") / "truth.parquet")
    test = splits(first)["test"]
    assert truth["item_id"].to_pylist() == test["item_id"].to_pylist()
    assert truth["label"].to_pylist() == test["label"].to_pylist()
    assert truth["text_key"].to_pylist() == text_keys("DE-weee", test).to_pylist()


def test_without_labels_the_truth_still_tells_the_text_of_every_item_by_its_key(job):
    rows = items(labelled=False)
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    job.prepare("inference")
    truth = pq.read_table(job.output("truth") / "truth.parquet")
    assert truth["item_id"].to_pylist() == [row["item_id"] for row in rows]
    assert truth["label"].null_count == len(rows)
    assert len(set(truth["text_key"].to_pylist())) == len(rows)


def test_items_are_written_in_files_of_limited_size(job, monkeypatch):
    monkeypatch.setattr(jsonlines, "SHARD_ROWS", 150)
    monkeypatch.setattr(jsonlines, "SHARD_BYTES", 10_000)
    rows = items(labelled=False)
    rows[100]["title"] = "x" * 20_000
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    job.prepare("inference")
    files = sorted(job.output("items").iterdir())
    assert [file.name for file in files[:2]] == ["items-00000.jsonl", "items-00001.jsonl"]
    content = [file.read_bytes() for file in files]
    assert sum(len(part) > 10_000 for part in content) == 1, "the one long row has a file of its own"
    assert [json.loads(line) for line in b"".join(content).splitlines()] == rows


def test_the_data_digest_is_of_the_content_not_of_names_or_places(new_job):
    def digest(files, uri):
        job = new_job()
        job.dataset(files, uri)
        return job.prepare("inference", uri=uri)["data_digest"]

    rows = items(labelled=False)
    one, two = (as_jsonl(rows[:200]), 200), (as_jsonl(rows[200:]), 200)
    first = digest({"a.jsonl": one, "b.jsonl": two}, "s3://landing/inference/DE-weee/2026-10/d1/")
    assert digest({"x.jsonl": two, "y.jsonl": one}, "s3://landing/inference/DE-weee/2026-11/d2") == first
    rows[3]["title"] += "!"
    assert digest({"a.jsonl": (as_jsonl(rows[:200]), 200), "b.jsonl": two}, "s3://l/d/") != first


def test_the_rows_digest_is_of_the_rows_whatever_their_order_and_format(new_job):
    def digest(rows, name, content) -> str:
        job = new_job()
        job.codebook()
        job.dataset({name: (content(rows), len(rows))})
        return job.prepare()["rows_digest"]

    rows = items()
    assert digest(rows, "a.jsonl", as_jsonl) == digest(rows[::-1], "b.parquet", as_parquet)
    changed = [{**rows[0], "label": "2"}, *rows[1:]]
    assert digest(rows, "a.jsonl", as_jsonl) != digest(changed, "a.jsonl", as_jsonl)
    assert digest(rows, "a.jsonl", as_jsonl) != digest(rows[1:], "a.jsonl", as_jsonl)


def test_the_message_fits_into_an_exit_message(deliver):
    job = deliver(items())
    job.prepare()
    written = (job.base / "output" / "message").read_bytes()
    assert len(written) <= 1024
    assert written.count(b"\n") == 0


def test_a_manifest_in_the_form_redshift_writes_is_understood(deliver):
    job = deliver(items())
    path = job.input("dataset") / manifest.NAME
    content = json.loads(path.read_text())
    content["schema"]["elements"][0]["type"] = {"base": "character varying", "max_length": 64}
    content["entries"][0]["mandatory"] = True
    path.write_text(json.dumps(content, indent=2))
    assert job.prepare()["rows"] == 400
