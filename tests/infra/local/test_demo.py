"""`labelmill demo` where a run or a statement fails: the real stack, after a story of one dataset."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest

from infra.local import two_months
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from pipelines import cli

GROUP = "DE-weee"


def a_dataset_without_brands(stack, until_ended, say):
    publish(stack, generate.codebook(GROUP, "1"))
    rows = pa.Table.from_pylist(generate.items(GROUP, 0, 50, labelled=True))
    deliver(stack, f"training/{GROUP}/2026-10/d1/", rows.drop_columns(["brand"]))
    until_ended({GROUP: "comparison"})
    pytest.fail("the story went on after a run that failed")


def an_order_that_the_warehouse_cannot_run(stack, until_ended, say):
    publish(stack, generate.codebook(GROUP, "1"))
    folder = stack.folder / "warehouse" / "labelled_items"
    folder.mkdir(parents=True)
    (folder / "broken.parquet").write_bytes(b"no parquet")
    order = {"purpose": "training", "period": "2026-10", "delivery": "d1", "groups": [GROUP]}
    stack.client("sqs").send_message(QueueUrl=stack.names["UnloadQueueUrl"], MessageBody=json.dumps(order))
    until_ended({GROUP: "comparison"})
    pytest.fail("the story went on without a dataset")


def test_the_demo_ends_at_the_first_failed_statement_with_the_warehouses_words(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(two_months, "two_months", an_order_that_the_warehouse_cannot_run)
    assert cli.main(["demo", "--dir", str(tmp_path / "demo")]) == 1
    err = capsys.readouterr().err
    assert f"labelmill/training/{GROUP}/2026-10/d1 has ended as FAILED, so that no run follows: " in err
    assert "broken.parquet" in err


def test_the_demo_ends_at_the_first_failed_run_with_its_sentence_and_its_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(two_months, "two_months", a_dataset_without_brands)
    assert cli.main(["demo", "--dir", str(tmp_path / "demo")]) == 1
    err = capsys.readouterr().err
    assert re.search(rf"labelmill-training: the run {GROUP}-training-2026-10-\w+ has ended as FAILED: ", err)
    assert "brand" in err
    log = Path(re.search(r"Its log: (.*)", err)[1])
    assert log.parts[-3] == "jobs"
    assert "brand" in log.read_text()
