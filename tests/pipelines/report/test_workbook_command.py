"""`labelmill report workbook`, against a stack in this process."""

import argparse
import hashlib
import json

import boto3
import pytest
from openpyxl import load_workbook

from pipelines import names
from pipelines.commands import report
from processing.dataset import jsonlines
from processing.labels import label_table
from tests import stack_with_ledger
from tests.complaints import complaints
from tests.pipelines.report.labelled_items import GROUP, MANIFEST, PERIOD, RUN, table, texts

LATER = RUN.replace("inference", "review")
BUCKET = "labelled"


@pytest.fixture
def s3(emulated_aws, tmp_path):
    """A stack in which a month was labelled and then amended."""
    stack = stack_with_ledger.create()
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    def record(entry: str, **values: str) -> None:
        item = {"group": GROUP, "entry": entry, **values}
        dynamodb.put_item(
            TableName=stack["LedgerTable"], Item={name: {"S": value} for name, value in item.items()}
        )

    record("GROUP", codebook_version="2026-10")
    for name, ids in (("0", ["a", "=1"]), ("1", ["b"])):
        path = tmp_path / "items.jsonl"
        jsonlines.write(texts(ids).append_column("weight_kg", [[1.5] * len(ids)]), path)
        key = names.RUN_FOLDER.format(group=GROUP, run=RUN) + f"items/items-0000{name}.jsonl"
        s3.put_object(Bucket=stack["WorkBucket"], Key=key, Body=path.read_bytes())
    for day, (run, more) in enumerate(((RUN, {}), (LATER, {"amended_runs": [RUN]}))):
        path = tmp_path / "labels.parquet"
        label_table.write_parquet(table(["a", "b", "=1"], rejected=day), path)
        prefix = f"labels/{GROUP}/{PERIOD}/{run}/"
        files = [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
        manifest = json.dumps(MANIFEST | more | {"run": run, "files": files}).encode()
        s3.put_object(Bucket=BUCKET, Key=prefix + path.name, Body=path.read_bytes())
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}manifest.json", Body=manifest)
        entry = {"labels": f"s3://{BUCKET}/{prefix}", "run": run}
        entry["digest"] = hashlib.sha256(manifest).hexdigest()
        record(f"LABELS#{PERIOD}#{run}", recorded_at=f"2026-10-0{day + 1}T04:05:06.789Z", **entry)
        record(f"MONTH#{PERIOD}", **entry)
    return s3


@pytest.fixture
def labelmill(s3, capsys, monkeypatch, tmp_path):
    """Run `labelmill report workbook ...` in a folder of its own: exit code, result, complaint."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(*words) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        report.add_parser(parser.add_subparsers())
        args = parser.parse_args(["report", "workbook", *map(str, words)])
        code = args.run(args)
        printed = capsys.readouterr()
        return code, printed.out.strip(), complaints(printed.err).strip()

    return run


def ids(path) -> list[str]:
    _, *rows = load_workbook(path)["labels"].iter_rows(values_only=True)
    return [(row[0], row[1]) for row in rows]


def test_the_newest_labels_are_written_here_with_their_items_texts(labelmill, tmp_path):
    code, printed, _ = labelmill(GROUP, PERIOD)
    assert (code, printed) == (0, f"labels-{GROUP}-{PERIOD}.xlsx")
    assert [path.name for path in (tmp_path / "here").iterdir()] == [printed]
    assert ids(tmp_path / "here" / printed) == [
        *(("a", "a title"), ("b", "b title"), ("=1", "=1 title")),
        ("a", None),
    ]


def test_an_older_version_is_named_by_its_run_and_the_file_by_who_asks(labelmill, tmp_path):
    code, printed, _ = labelmill(GROUP, PERIOD, "--run", RUN, "--out", tmp_path / "first.xlsx")
    assert (code, printed) == (0, str(tmp_path / "first.xlsx"))
    assert len(ids(tmp_path / "first.xlsx")) == 3


@pytest.mark.parametrize("file", ["labels.parquet", "manifest.json"])
def test_labels_that_are_not_what_was_recorded_make_no_workbook(labelmill, s3, file, tmp_path):
    key = f"labels/{GROUP}/{PERIOD}/{LATER}/{file}"
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=body + b" ")
    code, _, said = labelmill(GROUP, PERIOD)
    assert code == 1
    assert f"s3://{BUCKET}/{key} is not what was recorded: its SHA-256 is" in said
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((GROUP, "2026-08"), f"No labels of {GROUP} 2026-08 are published. Fix: check group, period and run"),
        (
            (GROUP, PERIOD, "--run", "r9"),
            f"No labels of {GROUP} {PERIOD} are published by run r9. Fix: check",
        ),
        (("FR-glass", PERIOD), "Model group FR-glass is not known. Fix: name one of"),
        ((GROUP, PERIOD, "--out", "gone/a.xlsx"), "gone/a.xlsx: No such file or directory. Fix: close it"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_sentence_with_the_fix(labelmill, words, sentence):
    code, _, said = labelmill(*words)
    assert code == 1
    assert sentence in said
