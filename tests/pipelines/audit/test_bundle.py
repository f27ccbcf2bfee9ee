"""`labelmill audit GROUP PERIOD --bundle`: a month as one ZIP that `sha256sum` checks."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.pipelines.audit.audited_month import AMENDED, BUCKET, COMPARISON, PERIOD, RUN
from tests.pipelines.evidence.kept_rows import GROUP, MODEL

SHEET = f"decisions/{GROUP}-review-{PERIOD}-"


@pytest.fixture
def packed(run):
    code, out, err = run(GROUP, PERIOD, "--bundle", "month.zip")
    assert (code, out, err) == (0, "month.zip\n", "")
    return Path("month.zip")


def test_it_holds_labels_evidence_codebook_decisions_and_where_they_are_from(packed):
    with zipfile.ZipFile(packed) as archive:
        assert set(archive.namelist()) == {
            *(f"labels/{RUN}/{name}" for name in ("manifest.json", "labels.parquet", "labels.csv")),
            *(f"labels/{RUN}/{name}" for name in ("summary.json", "changes.csv")),
            *(f"labels/{AMENDED}/{name}" for name in ("manifest.json", "labels.parquet", "labels.csv")),
            *(f"labels/{AMENDED}/{name}" for name in ("summary.json", "overtaken.parquet")),
            "evidence/comparison.json",
            f"evidence/{COMPARISON}.html",
            "codebooks/2026-10.json",
            *(f"{SHEET}{number:012x}/decisions.jsonl" for number in range(1, 4)),
            *("dataset/manifest", "dataset/report.json", "ledger.json", "lineage.json"),
            *("README.txt", "SHA256SUMS"),
        }
        assert archive.read("dataset/manifest") == b'{"entries": []}'
        lineage = json.loads(archive.read("lineage.json"))
        ledger = json.loads(archive.read("ledger.json"))
        readme = archive.read("README.txt").decode()
    assert (lineage["run"], lineage["missing"]) == (AMENDED, [])
    assert {file["file"] for file in lineage["files"]} >= {"codebooks/2026-10.json", "dataset/manifest"}
    entries = [item["entry"].partition("#")[0] for item in ledger]
    assert entries == ["APPROVAL", "DECISION", "LABELS", "LABELS", "MODEL", "PREDICTIONS", "TRAINING"]
    assert "secret" not in json.dumps(ledger)
    assert f"{lineage['model']['artefact_digest']}  {lineage['model']['artefact']}" in readme


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="there is no sha256sum on this machine")
def test_unpacked_it_is_checked_by_sha256sum_alone(packed, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "unpacked")
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(check, cwd=tmp_path / "unpacked", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    checked = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    files = {path for path in (tmp_path / "unpacked").rglob("*") if path.is_file()}
    names = {path.relative_to(tmp_path / "unpacked").as_posix() for path in files}
    assert checked == names - {"SHA256SUMS"}
    (tmp_path / "unpacked" / "ledger.json").write_text("[]")
    assert subprocess.run(check, cwd=tmp_path / "unpacked", capture_output=True).returncode == 1


def test_two_bundles_of_the_same_labels_are_equal_whatever_has_come_since(stack, run, packed):
    stack.record("MONTH#2026-10", run="another")
    stack.record("WINNER", model="another")
    stack.record(f"DECISION#2027-01-02T08:00:00.000Z#{GROUP}-x", model=MODEL, verdict="REJECT", reason="r")
    stack.put(
        f"reviewed/{GROUP}/{GROUP}-review-2027-01-0f3a9c21d4e5/decisions.jsonl",
        json.dumps({"decided_at": "2027-01-02T08:00:00.000+00:00"}).encode(),
    )
    code, _, err = run(GROUP, PERIOD, "--run", AMENDED, "--bundle", "again.zip")
    assert code == 0 and err.startswith("Note: the labels that are the month's now are those of another")
    assert Path("again.zip").read_bytes() == packed.read_bytes()


def test_after_a_rollback_it_has_the_page_of_the_comparison_that_the_model_won(stack, run):
    stack.roll_back()
    assert run(GROUP, PERIOD, "--bundle", "month.zip") == (0, "month.zip\n", "")
    with zipfile.ZipFile("month.zip") as archive:
        assert f"evidence/{COMPARISON}.html" in archive.namelist()


@pytest.mark.parametrize("option", [("--json",), ("--out", "page.html")])
def test_with_an_option_of_a_single_item_it_is_refused(run, option):
    code, out, err = run(GROUP, PERIOD, "--bundle", "month.zip", *option)
    assert (code, out) == (2, "") and "Fix: leave it away" in err
    assert list(Path().iterdir()) == []


def test_what_is_no_longer_kept_is_named_in_it_and_on_the_terminal(stack, run):
    stack.delete(f"s3://{stack.work}/codebooks/{GROUP}/2026-10.json")
    stack.delete(f"s3://{BUCKET}/labels/{GROUP}/{PERIOD}/{RUN}/labels.csv")
    code, _, err = run(GROUP, PERIOD, "--bundle", "month.zip")
    said = [f"codebook 2026-10: s3://{stack.work}/codebooks/{GROUP}/2026-10.json is not kept any more."]
    said += [f"labels.csv of {RUN}: s3://{BUCKET}/labels/{GROUP}/{PERIOD}/{RUN}/labels.csv is not kept"]
    assert code == 1 and all(sentence in err for sentence in said)
    with zipfile.ZipFile("month.zip") as archive:
        readme = archive.read("README.txt").decode()
        assert all(sentence in readme for sentence in said)
        assert "codebooks/2026-10.json" not in archive.namelist()


def test_where_it_cannot_be_written_or_something_was_replaced_nothing_is_left(stack, run):
    for out, said in (("nowhere/month.zip", "No such file or directory"), (".", "."), ("..", "..")):
        code, _, err = run(GROUP, PERIOD, "--bundle", out)
        assert code == 1 and said in err and "Fix: " in err
    stack.put(f"labels/{GROUP}/{PERIOD}/{RUN}/labels.csv", b"other", BUCKET)
    code, _, err = run(GROUP, PERIOD, "--bundle", "month.zip")
    assert code == 1 and "labels.csv is not what was recorded" in err
    assert list(Path().iterdir()) == []
