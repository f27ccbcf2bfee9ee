"""How a job ends: its message, its failure, its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from processing import container
from processing.dataset import kinds
from processing.errors import BadData
from processing.spill import Spill


def output(tmp_path, name: str) -> str:
    return (tmp_path / "output" / name).read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def base(tmp_path, monkeypatch):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))


def test_success_is_one_line_of_json_and_no_failure(tmp_path):
    container.run(lambda arguments: {"rows": 3, "given": arguments[0]}, ["a"])
    assert output(tmp_path, "message") == '{"rows": 3, "given": "a"}'
    assert not (tmp_path / "output" / "failure").exists()


def test_a_long_reason_gives_way_so_that_the_message_stays_whole_json_under_1_kb(tmp_path):
    container.run(lambda arguments: {"verdict": "KEEP", "reason": 'ü"' * 900, "rows": 7})
    message = json.loads(output(tmp_path, "message"))
    assert len(output(tmp_path, "message").encode()) <= 1024
    assert (message["verdict"], message["rows"]) == ("KEEP", 7)
    assert message["reason"].endswith("…")


def test_two_long_texts_give_way_both_and_a_short_one_stays_whole(tmp_path):
    """A comparison's reason that names long texts, beside its summary: the run failed for a cut message."""
    digest = "0" * 64
    container.run(lambda arguments: {"reason": "r" * 20_000, "digest": digest, "summary": "s\n" * 450})
    written = output(tmp_path, "message")
    message = json.loads(written)
    assert len(written.encode()) <= 1024
    assert message["digest"] == digest
    assert len(message["reason"]) > 90 and len(message["summary"]) > 400


def test_a_refusal_of_delivered_data_leads_to_its_kind_in_the_docs(tmp_path):
    def job(arguments):
        raise kinds.NO_ROWS.refusal("The dataset has no rows.")

    with pytest.raises(SystemExit):
        container.run(job)
    sentence = "The dataset has no rows. Fix: check the query that made it. See docs/input.md#no-rows."
    assert output(tmp_path, "message") == output(tmp_path, "failure") == sentence


def test_a_known_failure_is_one_sentence_under_1_kb_and_exit_code_1(tmp_path):
    def job(arguments):
        raise BadData("part-000.csv, row 3:\nbroken " + "ü" * 2000, "mend it.")

    with pytest.raises(SystemExit) as end:
        container.run(job)
    assert end.value.code == 1
    sentence = output(tmp_path, "failure")
    assert sentence == output(tmp_path, "message")
    assert sentence.startswith("part-000.csv, row 3: broken ü")
    assert sentence.endswith("ü… Fix: mend it.")
    assert len(sentence.encode()) <= 600


def test_a_known_failure_is_logged_as_one_line_of_json_with_run_and_group(capsys):
    def job(arguments):
        raise BadData("part-000.csv: no rows", "check the query.")

    with pytest.raises(SystemExit):
        container.run(job, ["--group", "DE-weee", "--rows", "3", "--run", "DE-weee-training-2026-10-0"])
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["errorType"]) == ("ERROR", "BadData")
    assert "part-000.csv: no rows" in line["message"]
    assert (line["run"], line["group"]) == ("DE-weee-training-2026-10-0", "DE-weee")


def test_a_defect_of_ours_keeps_its_traceback_and_leaves_a_hint(tmp_path):
    with pytest.raises(KeyError):
        container.run(lambda arguments: {}["x"])
    assert output(tmp_path, "failure") == "Unexpected KeyError: 'x'. The job's log has the rest."


def test_the_scripts_run_as_modules_the_way_sagemaker_starts_them(tmp_path):
    arguments = [
        "--group",
        "DE-weee",
        "--period",
        "2026-10",
        "--purpose",
        "inference",
        "--run",
        "r1",
        "--dataset-uri",
        "s3://landing/x/",
        "--codebook-digest",
        "a" * 64,
    ]
    environment = os.environ | {"SAGEMAKER_BASE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "processing.prepare", *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Expected one codebook, found 0." in output(tmp_path, "failure")
    assert "Traceback" not in done.stderr


def test_what_memory_is_too_small_for_lies_on_the_jobs_volume_until_it_is_done(tmp_path):
    with container.scratch_folder() as folder:
        assert (tmp_path / "processing") in Path(folder).parents
    assert not Path(folder).exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_full_volume_is_called_that_with_its_fix(tmp_path):
    def job(arguments):
        spill = Spill(Path("/dev/full"))
        spill.write(pa.table({"item_id": ["1"]}))
        spill.close()

    with pytest.raises(OSError, match="No space left"):
        container.run(job)
    sentence = output(tmp_path, "failure")
    assert sentence.startswith("The job's volume is full")
    assert "Fix: raise volume_size_in_gb" in sentence
