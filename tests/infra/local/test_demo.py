"""`labelmill demo` where a run fails: the real stack and a real failed job, after a story of one dataset."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from infra.local import two_months
from infra.samples import generate
from infra.samples.deliver import deliver, publish
from pipelines import cli

GROUP = "DE-weee"


def a_dataset_without_brands(stack, follower, say):
    publish(stack, generate.codebook(GROUP, "1"))
    rows = pa.Table.from_pylist(generate.items(GROUP, 0, 50, labelled=True))
    deliver(stack, f"training/{GROUP}/2026-10/d1/", rows.drop_columns(["brand"]))
    follower.until_ended({GROUP: "comparison"})
    pytest.fail("the story went on after a run that failed")


def test_the_demo_ends_at_the_first_failed_run_with_its_sentence_and_its_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(two_months, "two_months", a_dataset_without_brands)
    assert cli.main(["demo", "--dir", str(tmp_path / "demo")]) == 1
    err = capsys.readouterr().err
    assert re.search(rf"labelmill-training: the run {GROUP}-training-2026-10-\w+ has ended as FAILED: ", err)
    assert "brand" in err
    log = Path(re.search(r"Its log: (.*)", err)[1])
    assert log.parts[-3] == "jobs"
    assert "brand" in log.read_text()
