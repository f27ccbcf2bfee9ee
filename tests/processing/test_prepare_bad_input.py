"""Prepare on bad datasets: single bad rows are set aside, a bad dataset is rejected whole."""

import gzip
import io
import json
import re
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing.dataset import manifest, split, text_files
from processing.dataset.kinds import KINDS
from processing.dataset.text import text_keys
from processing.digests import sha256
from tests.processing.job_folders import CODEBOOK, DATASET, GROUP, JobFailed, as_jsonl, items

HEADER = b"item_id,title,brand,product_type,weight_kg,material,label\n"


def rejection(job, purpose="training") -> str:
    """The sentence a job ends with: it names the fix, and the next job is given nothing."""
    with pytest.raises(JobFailed) as failed:
        job.prepare(purpose)
    assert " Fix: " in str(failed.value)
    for output in ("train", "test", "items"):
        assert not list(job.output(output).rglob("*"))
    sentence, _, kind = str(failed.value).partition(" See docs/input.md#")
    assert not kind or kind.removesuffix(".") in KINDS
    return sentence


def change_manifest(job, change) -> None:
    path = job.input("dataset") / manifest.NAME
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_a_file_that_unpacks_to_more_than_fits_is_rejected_before_it_is_all_unpacked(new_job, monkeypatch):
    monkeypatch.setattr(text_files, "MOST_BYTES", 3 << 20)
    packed = gzip.compress(HEADER + b"x" * (1 << 26), mtime=0)
    job = new_job()
    # What comes after the limit is broken, but nobody gets there.
    job.dataset({"part-000.csv.gz": (packed[: len(packed) // 2], 1)})
    sentence = "part-000.csv.gz takes more than 3 MiB of memory: its text, unpacked, and its rows."
    assert rejection(job) == f"{sentence} Fix: deliver it in several files."


@pytest.mark.parametrize(("more", "fits"), [(0, True), (-1, False)])
def test_a_text_file_may_be_as_long_as_is_stated(new_job, monkeypatch, more, fits):
    text = as_jsonl(items(1))
    taken = 2 * len(text) + 7 * text_files.CELL_BYTES
    monkeypatch.setattr(text_files, "MOST_BYTES", taken + more)
    job = new_job()
    job.dataset({"part-000.jsonl": (text, 1)})
    assert ("of memory" in rejection(job)) != fits


# --- the manifest


def test_a_dataset_without_manifest_is_rejected(deliver):
    job = deliver(items())
    (job.input("dataset") / "manifest").unlink()
    assert "has no manifest" in rejection(job)


def test_a_manifest_that_is_no_json_is_rejected(deliver):
    job = deliver(items())
    (job.input("dataset") / "manifest").write_text("entries: []")
    assert "The manifest is not JSON" in rejection(job)


def test_a_manifest_that_is_nested_without_end_is_rejected(deliver):
    job = deliver(items())
    (job.input("dataset") / "manifest").write_text("[" * 100_000)
    assert "The manifest is not JSON" in rejection(job)


def test_a_name_longer_than_any_key_is_rejected(deliver):
    job = deliver(items())
    name = "/".join(["x" * 200] * 40) + ".csv"
    change_manifest(job, lambda content: content["entries"][0].update(url=f"{DATASET}{name}"))
    assert "which no file can be called" in rejection(job)


@pytest.mark.parametrize("content", [[], {}, {"entries": {}}, {"entries": ["a.csv"]}])
def test_a_manifest_of_another_form_is_rejected(deliver, content):
    job = deliver(items())
    (job.input("dataset") / "manifest").write_text(json.dumps(content))
    assert "has no list `entries`" in rejection(job)


@pytest.mark.parametrize("meta", [None, {}, {"content_length": 1}, {"record_count": 1}, [], "x"])
def test_an_entry_without_length_or_rows_is_rejected(deliver, meta):
    job = deliver(items())
    change_manifest(job, lambda content: content["entries"][0].update(meta=meta))
    assert "lacks its length or row count. Fix: write it as UNLOAD with MANIFEST VERBOSE" in rejection(job)


def test_a_file_of_another_length_is_rejected(deliver):
    job = deliver(items())
    with (job.input("dataset") / "part-000.jsonl").open("ab") as file:
        file.write(b"\n")
    length = (job.input("dataset") / "part-000.jsonl").stat().st_size
    assert f"part-000.jsonl is {length:,} bytes long, the manifest says {length - 1:,}." in rejection(job)


def test_a_file_of_the_same_length_that_replaces_the_one_listed_is_rejected(deliver):
    job = deliver(items())
    path = job.input("dataset") / "part-000.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Modell 1", b"Modell 2"))
    assert "part-000.jsonl is not what was recorded: its SHA-256 is" in rejection(job)


def test_a_manifest_without_digests_as_unload_writes_it_is_taken(deliver):
    job = deliver(items())

    def without_digests(content):
        for entry in content["entries"]:
            del entry["meta"]["sha256"]

    change_manifest(job, without_digests)
    assert job.prepare()["rows"] == 400


def test_a_file_with_fewer_rows_than_listed_is_rejected(job):
    job.dataset({"part-000.jsonl": (as_jsonl(items()), 401)})
    assert "part-000.jsonl has 400 rows, the manifest says 401." in rejection(job)


def test_a_listed_file_that_is_not_there_is_rejected(deliver):
    job = deliver(items())
    (job.input("dataset") / "part-000.jsonl").unlink()
    assert "part-000.jsonl is in the manifest but was not delivered." in rejection(job)


def test_a_file_that_is_not_listed_is_rejected(deliver):
    job = deliver(items())
    (job.input("dataset") / "part-001.jsonl").write_bytes(as_jsonl(items(1)))
    assert "part-001.jsonl: not in the manifest." in rejection(job)


def test_a_file_listed_twice_is_rejected(deliver):
    job = deliver(items())
    change_manifest(job, lambda content: content["entries"].append(content["entries"][0]))
    assert "The manifest lists part-000.jsonl 2 times." in rejection(job)


@pytest.mark.parametrize(
    "url",
    ["s3://elsewhere/part-000.jsonl", DATASET + "../d2/part-000.jsonl", DATASET + "/etc/passwd", DATASET],
)
def test_a_file_outside_the_dataset_is_rejected(deliver, url):
    job = deliver(items())
    change_manifest(job, lambda content: content["entries"][0].update(url=url))
    assert f"The manifest lists {url}, which is no file below {DATASET}." in rejection(job)


# --- files and columns


def test_a_missing_column_is_named(deliver):
    job = deliver([{name: value for name, value in row.items() if name != "brand"} for row in items()])
    assert (
        "part-000.jsonl has the wrong columns: it lacks 'brand'. Fix: deliver exactly item_id"
        in rejection(job)
    )


def test_an_extra_column_is_named(job):
    job.dataset({"part-000.csv": (HEADER.replace(b"label", b"label,price") + b"1,a,b,c,1,d,1,9\n", 1)})
    assert "part-000.csv has the wrong columns: it has the unknown 'price'." in rejection(job)


def test_labels_are_not_expected_for_inference(deliver):
    assert "has the unknown 'label'" in rejection(deliver(items()), "inference")


def test_a_parquet_file_with_wrong_columns_is_named(job):
    file = io.BytesIO()
    pq.write_table(pa.table({"item_id": ["1"], "titel": ["x"]}), file)
    job.dataset({"part-000.parquet": (file.getvalue(), 1)})
    sentence = rejection(job)
    assert "it lacks 'title', 'brand', 'product_type', 'weight_kg', 'material', 'label'" in sentence
    assert "and has the unknown 'titel'" in sentence


def test_a_column_given_twice_is_named(job):
    job.dataset({"part-000.csv": (HEADER.replace(b"label", b"label,brand") + b"1,a,b,c,1,d,1,b\n", 1)})
    assert "it has twice 'brand'" in rejection(job)


def test_a_field_that_only_a_later_row_has_is_named_with_its_row(deliver):
    rows = items()
    rows[41]["colour"] = "red"
    assert "part-000.jsonl, row 42, has the unknown field 'colour'." in rejection(deliver(rows))


def test_bytes_that_are_not_utf8_are_named_with_file_row_and_byte(job):
    lines = [f'{n},"Kühl\nschrank {n}",b,c,1,d,1\n'.encode() for n in range(5)]
    lines[2] = lines[2].replace("ü".encode(), b"\xfc")
    at = len(HEADER) + len(lines[0]) + len(lines[1]) + lines[2].index(b"\xfc") + 1
    job.dataset({"part-000.csv": (HEADER + b"".join(lines), 5)})
    assert (
        f"part-000.csv, row 3: byte {at} (0xfc) is not UTF-8. Fix: save the file as UTF-8, from"
        in rejection(job)
    )


def test_bytes_that_are_not_utf8_are_found_at_the_very_end_and_in_packed_files(job):
    content = as_jsonl(items(3)) + b"\xe4"
    job.dataset({"part-000.jsonl.gz": (gzip.compress(content), 3)})
    assert f"part-000.jsonl.gz, row 4: byte {len(content)} (0xe4) is not UTF-8." in rejection(job)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_file_cut_inside_its_last_character_is_found_wherever_the_chunks_it_is_checked_in_end(
    job, monkeypatch, more
):
    content = HEADER + "1,Kühlschrank,b,c,1,d,ä".encode()[:-1]
    monkeypatch.setattr(text_files, "CHUNK_BYTES", len(content) + more)
    job.dataset({"part-000.csv": (content, 1)})
    assert f"part-000.csv, row 1: byte {len(content)} (0xc3) is not UTF-8." in rejection(job)


def test_bytes_that_are_not_utf8_are_found_in_parquet(job):
    rows = pa.Table.from_pylist(items(40))
    titles = pa.array([title.encode("latin-1") for title in rows["title"].to_pylist()], pa.binary())
    text = pa.Array.from_buffers(pa.string(), len(titles), titles.buffers())
    file = io.BytesIO()
    pq.write_table(rows.set_column(1, "title", text), file)
    job.dataset({"part-000.parquet": (file.getvalue(), 40)})
    assert "part-000.parquet, row 1: byte 2 (0xfc) of column title, is not UTF-8." in rejection(job)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{]", "row 3, is not JSON"),
        (b"[1, 2]", "row 3, is an array and not an object"),
        (b"7", "row 3, is not an object"),
        (b'{"item_id": 7}', "row 3: item_id is 7, expected text in quotes. Fix: write item_id as text"),
        (b'{"weight_kg": "7 kg"}', 'row 3: weight_kg is "7 kg", expected a number'),
        (b'{"title": true}', "row 3: title is true, expected text in quotes"),
        (b'{"title": ["a"]}', "row 3: title is an object or an array"),
        (b'{"title": "a", "title": "b"}', "row 3, has the field 'title' twice"),
        (b'{"title": "\\ud800"}', "row 3, holds half a surrogate pair"),
    ],
)
def test_a_broken_line_is_named_with_its_row(job, line, problem):
    content = as_jsonl(items(2)) + b"\n" + line + b"\n" + as_jsonl(items(2))
    job.dataset({"part-000.jsonl": (content, 5)})
    assert f"part-000.jsonl, {problem}" in rejection(job)


def test_a_csv_row_with_too_many_fields_is_named(job):
    job.dataset({"part-000.csv": (HEADER + b'1,"a\nb",b,c,1,d,1\n2,a,b,c,1,5,d,1\n', 2)})
    assert "part-000.csv, row 2, has 8 fields, the header has 7. Fix: quote fields" in rejection(job)


def test_a_quote_that_is_never_closed_does_not_swallow_rows(job):
    job.dataset({"part-000.csv": (HEADER + b'1,"a,b,c,1,d,1\n2,a,b,c,1,d,1\n', 2)})
    assert "part-000.csv" in rejection(job)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("part-000.csv", HEADER[:-1] + b"x" * 200_000 + b"\n", " has the wrong columns: it lacks 'label'"),
        (
            "part-000.csv",
            HEADER + b"1," + b"x" * (33 << 20) + b",b,c,1,d,1\n",
            ", row 1, is longer than 16 MiB.",
        ),
        (
            "part-000.jsonl",
            as_jsonl(items(1)).replace(b'"title": "', b'"title": "' + b"x" * (33 << 20)),
            ", row 1, is longer than 16 MiB.",
        ),
        (
            "part-000.jsonl",
            b'{"title": ' + b"[" * 200_000,
            ", row 1, is nested too deeply. Fix: write one flat",
        ),
    ],
    ids=["a column's name", "a row of CSV", "a row of JSON Lines", "nesting"],
)
def test_what_is_far_too_long_or_deep_is_named_and_no_defect(job, name, content, problem):
    job.dataset({name: (content, 1)})
    assert f"{name}{problem}" in rejection(job)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("part-000.csv.gz", gzip.compress(HEADER, mtime=0)[:-9], "cannot be unpacked"),
        ("part-000.jsonl.gz", b"{}", "cannot be unpacked"),
        ("part-000.parquet", b"PAR1", "cannot be read as Parquet"),
        ("part-000.txt", b"x", "has an unknown format"),
        ("0000_part_00", b"1|a", "has an unknown format. Fix: deliver .parquet, .csv"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(job, name, content, problem):
    job.dataset({name: (content, 1)})
    assert f"{name} {problem}" in rejection(job)


def test_a_parquet_column_of_another_type_is_named(job):
    file = io.BytesIO()
    rows = [row | {"item_id": float(number)} for number, row in enumerate(items())]
    pq.write_table(pa.Table.from_pylist(rows), file)
    job.dataset({"part-000.parquet": (file.getvalue(), 400)})
    assert "part-000.parquet: column item_id is double, expected text. Fix: cast item_id" in rejection(job)


@pytest.mark.parametrize("value", [True, datetime(2026, 10, 1, tzinfo=UTC), b"1.5"], ids=type)
def test_a_parquet_column_that_is_no_number_is_not_taken_for_one(job, value):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row | {"weight_kg": value} for row in items()]), file)
    job.dataset({"part-000.parquet": (file.getvalue(), 400)})
    assert re.search(r"column weight_kg is \w.*, expected number. Fix: cast weight_kg", rejection(job))


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_a_parquet_text_that_is_no_number_is_missing_and_counted(job, kind):
    rows = items(3, labelled=False)
    texts = pa.array(["1.50", "7 kg", None]).cast(kind)
    table = pa.Table.from_pylist(rows)
    file = io.BytesIO()
    pq.write_table(table.set_column(table.column_names.index("weight_kg"), "weight_kg", texts), file)
    job.dataset({"part-000.parquet": (file.getvalue(), 3)})
    assert job.prepare("inference")["rejected"] == 0
    assert job.report()["findings"]["unreadable-number"] == {
        "outcome": "value missing",
        "count": 1,
        "first": [{"file": "part-000.parquet", "row": 2, "value": "weight_kg: 7 kg"}],
    }
    assert [item["weight_kg"] for item in job.items()] == [1.5, None, None]


# --- what the report says of the files


def test_the_report_says_what_each_file_was_taken_for_and_what_was_found(job):
    header = HEADER.replace(b",label", b"")
    rows = b"1,a,b,c,1.5,d\n2,e,f,g,,h\n"
    other = (header.replace(b"title", b"Title") + header.replace(b"title", b"Title") + rows).replace(
        b",", b";"
    )
    job.dataset(
        {
            "a.csv": (header + rows, 2),
            "b.csv": (header + rows.replace(b"1,a", b"3,a").replace(b"2,e", b"4,e"), 2),
            "c.csv": (other.replace(b"1;a", b"5;a").replace(b"2;e", b"6;e"), 2),
        }
    )
    (job.input("dataset") / "_SUCCESS").touch()
    assert job.prepare("inference")["items"] == 6
    report = job.report()
    plain = {"format": "csv", "encoding": "utf-8", "separator": ",", "quoting": "doubled"}
    names = header.decode().strip().split(",")
    assert report["read"] == [
        {"files": 2, "first": "a.csv", **plain, "header": names},
        {"files": 1, "first": "c.csv", **plain, "separator": ";", "header": [names[0], "Title", *names[2:]]},
    ]
    assert report["findings"] == {
        "left-over": found("noted", file="_SUCCESS"),
        "other-names": found("repaired", file="c.csv", value="Title"),
        "repeated-header": found("repaired", file="c.csv", row=1),
    }


def found(outcome: str, **place) -> dict:
    return {"outcome": outcome, "count": 1, "first": [{"file": "", "row": None, "value": ""} | place]}


# --- the dataset as a whole


@pytest.mark.parametrize("purpose", ["training", "inference"])
def test_a_manifest_without_files_is_rejected(job, purpose):
    job.dataset({})
    assert "The manifest lists no file." in rejection(job, purpose)


@pytest.mark.parametrize(("name", "content"), [("part-000.csv", HEADER), ("part-000.jsonl", b"")])
@pytest.mark.parametrize("purpose", ["training", "test"])
def test_a_dataset_without_rows_is_rejected_where_a_model_is_to_learn_or_to_be_tested(
    job, name, content, purpose
):
    job.dataset({name: (content, 0)})
    assert "The dataset has no rows." in rejection(job, purpose)


def test_an_empty_month_must_have_the_columns_too(job):
    job.dataset({"part-000.csv": (HEADER, 0)})
    assert "has the unknown 'label'" in rejection(job, "inference")


def test_a_single_class_is_rejected(deliver):
    sentence = rejection(deliver([row | {"label": "2"} for row in items()]))
    assert "Every usable row has the same label, '2': there is nothing to learn." in sentence


@pytest.mark.parametrize("count", [2, 29])
def test_too_few_rows_are_rejected(deliver, count):
    sentence = rejection(deliver(items(count)))
    assert f"{count} usable rows are too few to split" in sentence
    assert "deliver more labelled rows" in sentence


def test_rows_held_out_as_hard_texts_are_counted_where_the_others_are_too_few(deliver):
    rows = items(29)
    job = deliver(rows)
    texts = {(row["title"], row["brand"], row["product_type"]): row["label"] for row in rows[:3]}
    job.codebook(
        CODEBOOK
        | {
            "hard_texts": [
                {"title": title, "brand": brand or "", "product_type": kind or "", "code": code}
                for (title, brand, kind), code in texts.items()
            ]
        }
    )
    sentence = rejection(job)
    counts = list(map(int, re.findall(r"(\d+) (?:train|validation|test|held out as hard texts)\b", sentence)))
    assert "held out as hard texts" in sentence and sum(counts) == 29


def test_rows_of_one_text_a_code_are_rejected_for_that_and_not_for_their_number(deliver):
    made = [
        row | {"item_id": str(i), "title": f"Artikel {i}", "label": f"c{i}"}
        for i, row in enumerate(items(78))
    ]
    codes = [CODEBOOK["codes"][0] | {"code": row["label"]} for row in made]
    job = deliver(made)
    job.codebook(CODEBOOK | {"codes": codes})
    sentence = rejection(job)
    assert "Of 78 codes in 78 usable rows 78 have rows of one text only, as 'c0', 'c1', 'c10':" in sentence
    assert "deliver rows with several different texts for each code" in sentence


def test_many_rows_of_one_text_are_too_few_to_split(deliver):
    same = {"title": "Monitor", "brand": "", "product_type": ""}
    assert "have rows of one text only" in rejection(deliver([row | same for row in items()]))


@pytest.mark.parametrize("part", ["test", "validation"])
def test_rows_of_which_none_would_be_in_a_part_are_too_few_to_split(deliver, part):
    rows = items()
    outside = ~split.parts(
        text_keys(GROUP, pa.Table.from_pylist(rows)), pa.array([row["label"] for row in rows])
    )[part]
    rows = [row for row, kept in zip(rows, outside, strict=True) if kept]
    sentence = rejection(deliver(rows))
    assert f"{len(rows)} usable rows are too few to split" in sentence and f" 0 {part}" in sentence


def test_a_dataset_of_which_no_row_can_be_used_is_rejected_with_an_example_of_each_problem(deliver):
    rows = [row | {"label": "77"} for row in items()]
    rows[7]["title"] = " "
    sentence = rejection(deliver(rows))
    assert f"{DATASET} has 400 rows and none is usable. 399 like part-000.jsonl, row 1: The label" in sentence
    assert "1 like part-000.jsonl, row 8: The title is empty. Fix: correct the label" in sentence


def test_new_items_none_of_which_can_be_used_stop_the_run_before_any_model_is_asked(deliver):
    rows = items(3, labelled=False)
    for row in rows:
        row["title"] = ""
    sentence = rejection(deliver(rows), "inference")
    assert "has 3 rows and none is usable" in sentence
    assert "3 like part-000.jsonl, row 1: The title is empty. Fix: fill in the title" in sentence


def test_an_unknown_group_is_rejected(job):
    (job.input("codebook") / "2026-10.json").unlink()
    assert "Expected one codebook, found 0. Fix: publish one" in rejection(job)


def test_a_codebook_that_was_overwritten_under_its_version_is_rejected(deliver):
    job = deliver(items())
    path = job.input("codebook") / "2026-10.json"
    path.write_text(path.read_text().replace("Lampen", "Lampem"))
    sentence = rejection(job)
    assert f"The codebook 2026-10.json is not what was recorded: its SHA-256 is {sha256(path)}," in sentence
    assert f"recorded was {job.codebook_digest}. Fix: restore that object's first version" in sentence


@pytest.mark.parametrize("content", ["[", "[]", "{}", '{"codes": [{}]}'])
def test_a_broken_codebook_is_rejected(job, content):
    path = job.input("codebook") / "2026-10.json"
    path.write_text(content)
    job.codebook_digest = sha256(path)
    assert "2026-10.json is not a codebook" in rejection(job)


# --- single rows


@pytest.mark.parametrize(
    ("change", "problem", "reason"),
    [
        ({"title": ""}, "empty-title", "The title is empty."),
        ({"title": " \t\u00a0"}, "empty-title", "The title is empty."),
        ({"title": None}, "empty-title", "The title is empty."),
        ({"item_id": " "}, "empty-id", "The item_id is empty."),
        (
            {"item_id": "a\nb"},
            "unusable-id",
            "The item_id contains a control character, such as a line break or a tab.",
        ),
        ({"label": None}, "empty-label", "The label is empty."),
        ({"label": "77"}, "unknown-label", "The label '77' is not in codebook 2026-10."),
        (
            {"label": "9"},
            "label-not-in-force",
            "The label is not in force in 2026-10: code 9: no code in force",
        ),
        ({"title": "x" * 1_100_000}, "too-long", "The row's texts are longer than 1048576 bytes."),
    ],
)
def test_a_bad_row_is_set_aside_with_file_row_reason_and_fix(deliver, change, problem, reason):
    rows = items()
    rows[12] |= change
    job = deliver(rows)
    message = job.prepare()
    assert (message["rows"], message["rejected"]) == (400, 1)
    assert message["train"] + message["validation"] + message["test"] == 399
    (rejected,) = job.rejected()
    assert (rejected["file"], rejected["row"], rejected["problem"]) == ("part-000.jsonl", 13, problem)
    assert rejected["item_id"] == rows[12]["item_id"]
    assert rejected["reason"].startswith(reason)
    assert rejected["fix"].endswith(".")
    assert job.report()["set_aside"]["problems"] == {problem: 1}


@pytest.mark.parametrize("value", ["7 kg", "1,5,", "inf", "1e999", "--1", "0x10"])
def test_a_number_that_is_none_costs_the_value_and_not_the_row(job, value):
    lines = [f'{n},Kühlschrank {n},b,c,"{value if n == 3 else n}",d\n'.encode() for n in range(5)]
    job.dataset({"part-000.csv": (HEADER.replace(b",label", b"") + b"".join(lines), 5)})
    assert job.prepare("inference")["rejected"] == 0
    found = job.report()["findings"]["unreadable-number"]
    assert (found["count"], found["first"][0]["row"]) == (1, 4)
    assert found["first"][0]["value"] == f"weight_kg: {value}"
    assert [item["weight_kg"] for item in job.items()] == [0, 1, 2, None, 4]


def test_the_first_of_equal_rows_stays_and_rows_that_contradict_each_other_all_go(deliver):
    rows = items()
    rows[10] = dict(rows[3])
    rows[20] |= {"item_id": rows[4]["item_id"]}
    job = deliver(rows)
    assert job.prepare()["rejected"] == 3
    assert [(row["row"], row["problem"]) for row in job.rejected()] == [
        (5, "duplicate-id"),
        (11, "repeated-row"),
        (21, "duplicate-id"),
    ]


def test_duplicate_ids_are_found_across_files(job):
    rows = items()
    rows[399] |= {"item_id": rows[0]["item_id"]}
    job.dataset({"a.jsonl": (as_jsonl(rows[:200]), 200), "b.jsonl": (as_jsonl(rows[200:]), 200)})
    job.prepare()
    assert [(row["file"], row["row"]) for row in job.rejected()] == [("a.jsonl", 1), ("b.jsonl", 200)]
