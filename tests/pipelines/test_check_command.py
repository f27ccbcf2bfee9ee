"""`labelmill check`: what it says of a dataset, where the dataset lies, and its exit code."""

import json
import os
import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import boto3
import pytest

from pipelines import cli
from pipelines.codebooks.publish import publish
from processing.dataset import manifest
from tests import stack_with_ledger
from tests.complaints import complaints

BOOK = {
    "group": "DE-weee",
    "version": "2026-10",
    "language": "de",
    "source": "synthetic sample",
    "attributes": [],
    "policy": {"min_rows": 20},
    "codes": [
        {"code": code, "description": code, "valid_from": "2018-08-15", "valid_to": None, "critical": False}
        for code in ("1", "2")
    ],
}
HEADER = "item_id;title;brand;product_type"
TRAINING = f"{HEADER};label\n" + "".join(f"{at};thing {at};b;p;{1 + at % 2}\n" for at in range(200))
#: Where a dataset lands, and what it says of itself.
KEY = "training/DE-weee/2026-10/d1/"


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(html.partition("<main>")[2])).split())


@pytest.fixture
def book(tmp_path):
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps(BOOK))
    return str(file)


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "dataset"
    folder.mkdir()
    return folder


@pytest.fixture
def check(book, capsys):
    def run(dataset, *words: str, purpose="training"):
        code = cli.main(["check", str(dataset), "--codebook", book, "--purpose", purpose, *words])
        return code, capsys.readouterr().out

    return run


def as_json(check, dataset, *words: str, purpose="training") -> dict:
    code, out = check(dataset, "--json", *words, purpose=purpose)
    found = json.loads(out)
    assert code == (0 if found["taken"] else 1)
    return found


def test_it_says_what_a_file_is_and_that_it_would_be_taken(check, dataset):
    file = dataset / "items.csv"
    file.write_text(TRAINING.replace("title", "Title") + "x;;b;p;1\n")
    code, out = check(file, "--period", "2026-10")
    assert code == 0
    assert "Read: items.csv: csv, utf-8, separated by ';', quotes doubled" in out
    assert "Rows: 201, usable 200; set aside 1 (0.5%)" in out
    assert "other-names (repaired): 1" in out
    assert "empty-title (row set aside): 1" in out
    assert "- items.csv, row 201: The title is empty." in out
    assert out.endswith("It would be taken.\n")
    assert max(map(len, out.splitlines())) <= 80


def test_for_machines_it_has_texts_by_code_and_whether_they_suffice_to_compare_models(check, dataset):
    (dataset / "a.csv").write_text(TRAINING + "again;thing 0;b;p;1\n")
    found = as_json(check, dataset)
    assert found["columns"]["label"] == {"type": "text", "filled": 201}
    codes = found["codes"]
    assert {code: (each["rows"], each["texts"]) for code, each in codes.items()} == {
        "1": (101, 100),
        "2": (100, 100),
    }
    compared = found["comparison"]
    assert compared["test_texts"] == sum(each["test"] for each in codes.values())
    assert (compared["min_rows"], compared["suffices"]) == (20, True)
    assert "enough to compare them" in compared["sentence"]


def test_few_texts_to_compare_on_are_taken_and_said_to_be_few(check, dataset):
    for rows, suffices, says in (
        (80, True, "exact tests decide alone, as min_rows is 20"),
        (34, False, "too few to compare them, 7 at the very least."),
    ):
        (dataset / "a.csv").write_text("\n".join(TRAINING.splitlines()[: rows + 1]))
        found = as_json(check, dataset)
        assert (found["taken"], found["comparison"]["suffices"]) == (True, suffices)
        assert says in found["comparison"]["sentence"]


def test_every_file_that_would_be_refused_is_named_beside_what_the_others_are(check, dataset):
    (dataset / "a.csv").write_text(f"{HEADER}\n1;a;b;p\n")
    (dataset / "b.csv").write_text("item_id;title\n1;a\n")
    (dataset / "c.xlsx").write_bytes(b"PK\x03\x04")
    found = as_json(check, dataset, purpose="inference")
    assert [each["kind"] for each in found["refused"]] == ["wrong-columns", "unknown-format"]
    assert [each["first"] for each in found["read"]] == ["a.csv"]
    code, out = check(dataset, purpose="inference")
    assert code == 1
    assert "unknown-format: c.xlsx has an unknown format. Fix: deliver" in " ".join(out.split())
    assert out.endswith("It would be refused.\n")


def test_rows_that_do_not_suffice_together_are_shown_all_the_same(check, dataset):
    (dataset / "a.csv").write_text(f"{HEADER};label\n1;a;b;p;1\n2;c;b;p;9\n")
    found = as_json(check, dataset)
    assert [each["kind"] for each in found["refused"]] == ["one-label"]
    assert (found["taken"], found["rows"], found["usable"]) == (False, 2, 1)
    assert found["findings"]["unknown-label"]["first"][0]["row"] == 2


def test_a_large_share_of_rows_set_aside_is_said_last_and_that_a_person_must_approve(
    check, dataset, tmp_path
):
    (dataset / "a.csv").write_text(TRAINING + "".join(f"x{at};more {at};b;p;1.0\n" for at in range(300)))
    page = tmp_path / "check.html"
    code, out = check(dataset, "--html", str(page))
    said = (
        "Set aside: 300 of 500 training rows (60.0%), over the policy's 5.0%, so a person must approve. "
        "Unknown label 300; the first: a.csv, row 201: The label '1.0' is not in codebook 2026-10."
    )
    assert (code, " ".join(out.split())[-len(said) - 19 :]) == (0, f"{said} It would be taken.")
    assert said in text_of(page.read_text())
    set_aside = as_json(check, dataset)["set_aside"]
    assert (set_aside["rows"], set_aside["approval"], set_aside["sentence"]) == (300, True, said)
    assert set_aside["codes"] == {"1": {"rows": 300, "labels": ["1.0"]}}


def test_a_share_of_rows_that_the_policy_allows_needs_nobody(check, dataset):
    (dataset / "a.csv").write_text(TRAINING + "x;more;b;p;9\n")
    set_aside = as_json(check, dataset)["set_aside"]
    assert (set_aside["approval"], "approve" in set_aside["sentence"]) == (False, False)


def test_what_other_systems_leave_is_passed_over(check, dataset):
    (dataset / "a.csv").write_text(TRAINING)
    (dataset / "_SUCCESS").touch()
    assert as_json(check, dataset)["findings"]["left-over"]["count"] == 1


def test_a_folder_is_held_against_its_manifest(check, dataset):
    (dataset / "a.csv").write_text(TRAINING)
    manifest.write(dataset, f"s3://landing/{KEY}", {"a.csv": 200}, {})
    assert as_json(check, dataset)["taken"]
    (dataset / "b.csv").write_text(TRAINING)
    assert [each["kind"] for each in as_json(check, dataset)["refused"]] == ["not-listed"]


@pytest.mark.parametrize("uri", [f"s3://landing/x/../{KEY}", f"s3://landing//{KEY}", "file:///data/"])
def test_a_manifest_at_an_address_that_no_dataset_can_have_is_refused(check, dataset, uri):
    (dataset / "a.csv").write_text(TRAINING)
    manifest.write(dataset, uri, {"a.csv": 200}, {})
    assert [each["kind"] for each in as_json(check, dataset)["refused"]] == ["listed-elsewhere"]


def test_a_folder_without_a_data_file_is_refused(check, dataset):
    assert [each["kind"] for each in as_json(check, dataset)["refused"]] == ["not-delivered"]


def test_a_page_says_the_same(check, dataset, tmp_path):
    (dataset / "a.csv").write_text(TRAINING.replace("thing 3;", "<b>3</b>;") + "x;;b;p;1\n")
    page = tmp_path / "check.html"
    found = as_json(check, dataset, "--html", str(page))
    text = text_of(page.read_text())
    assert "TAKEN It would be taken for training with codebook 2026-10." in text
    assert found["comparison"]["sentence"] in text
    assert "empty-title The title is empty. row set aside 1 a.csv, row 201" in text
    (dataset / "a.csv").write_text("item_id;<script>\n")
    check(dataset, "--html", str(page))
    assert "REFUSED It would be refused" in text_of(page.read_text())
    assert "&lt;script&gt;" in page.read_text()


def test_it_says_which_columns_have_decimal_commas(check, book, dataset, tmp_path):
    attributes = [{"name": name, "type": "number"} for name in ("weight_kg", "power_w")]
    Path(book).write_text(json.dumps(BOOK | {"attributes": attributes}))
    (dataset / "a.csv").write_text(f"{HEADER};weight_kg;power_w\n1;a;b;p;1,5;60\n")
    page = tmp_path / "check.html"
    out = check(dataset, "--html", str(page), purpose="inference")[1]
    assert "quotes doubled, decimal commas in weight_kg " in " ".join(out.split())
    assert "decimal commas in: weight_kg csv utf-8 semicolon doubled" in text_of(page.read_text())


def test_a_file_without_a_byte_has_no_header_to_show(check, dataset):
    (dataset / "a.csv").touch()
    out = check(dataset / "a.csv", purpose="inference")[1]
    assert "Read: a.csv: csv\n\n" in out
    assert "Header" not in out


def test_a_page_that_cannot_be_written_is_one_sentence_after_all_else(book, dataset, tmp_path, capsys):
    (dataset / "a.csv").write_text(TRAINING)
    page = tmp_path / "nowhere" / "check.html"
    words = ["check", str(dataset), "--codebook", book, "--purpose", "training"]
    assert cli.main([*words, "--html", str(page)]) == 1
    said = capsys.readouterr()
    assert said.out.endswith("It would be taken.\n")
    assert said.err == (
        f"{page}: No such file or directory. Fix: check the path, and that you may read or write there\n"
    )


def test_what_is_delivered_cannot_write_on_the_terminal(check, dataset):
    (dataset / "a.csv").write_text(f"{HEADER}\n1;a;b;p\n".replace("brand", "\x1b[31mbrand"))
    assert "\x1b" not in check(dataset, purpose="inference")[1]


def test_an_address_says_group_purpose_and_period(emulated_aws, capsys, dataset):
    names = stack_with_ledger.create()
    s3 = boto3.client("s3")
    publish(
        BOOK,
        s3=s3,
        dynamodb=boto3.client("dynamodb"),
        work_bucket=names["WorkBucket"],
        table=names["LedgerTable"],
        now=datetime(2026, 10, 1, tzinfo=UTC),
    )
    bucket = names["WorkBucket"]
    (dataset / "part").mkdir()
    (dataset / "part" / "a.csv").write_text(TRAINING)
    manifest.write(dataset, f"s3://{bucket}/{KEY}", {"part/a.csv": 200}, {})
    for name in ("part/a.csv", "manifest"):
        s3.upload_file(str(dataset / name), bucket, KEY + name)
    s3.put_object(Bucket=bucket, Key=KEY.rstrip("/") + "0/other.csv", Body=b"of another delivery")
    assert cli.main(["check", f"s3://{bucket}/{KEY}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["group"], found["purpose"], found["period"]) == ("DE-weee", "training", "2026-10")
    assert (found["usable"], found["comparison"]["min_rows"]) == (200, 20)
    one = ["check", f"s3://{bucket}/{KEY}part/a.csv", "--codebook", "DE-weee", "--purpose", "training"]
    assert cli.main(one) == 0
    assert cli.main(["check", f"s3://{bucket}/training/DE-weee/2026-10/d9/"]) == 1
    assert "There is nothing at s3://" in capsys.readouterr().err


def test_what_is_no_file_or_is_not_there_is_named(dataset, book, capsys):
    os.mkfifo(dataset / "pipe.csv")  # reading it would wait for ever
    for name in ("a.csv", "pipe.csv"):
        words = ["check", str(dataset / name), "--codebook", book, "--purpose", "training"]
        assert cli.main(words) == 1
        assert f"{name} is no file or folder. Fix:" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["s3://", "s3:///a.csv", "s3://bucket", "s3://bucket//"])
def test_an_address_without_bucket_or_key_is_one_sentence(book, capsys, address):
    assert cli.main(["check", address, "--codebook", book, "--purpose", "training"]) == 1
    assert complaints(capsys.readouterr().err) == (
        f"{address} names nothing in a bucket. Fix: give an address like s3://bucket/key\n"
    )


def test_a_command_line_that_does_not_say_what_the_dataset_is_is_a_usage_error(dataset, capsys):
    assert cli.main(["check", str(dataset)]) == 2
    assert "add --codebook GROUP and --purpose" in capsys.readouterr().err
