"""The command line as a whole; each command is tested where it lives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines import cli

LABELMILL = Path(sys.executable).with_name("labelmill")


def labelmill(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run([LABELMILL, *words], capture_output=True, text=True)


def test_help_names_every_command():
    done = labelmill("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in cli.COMMANDS)


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in cli.COMMANDS)], ids=" ".join)
def test_help_loads_nothing_heavy(words):
    """What makes the command line answer in well under 200 ms (benchmarks/cli_start.py measures it)."""
    heavy = {"boto3", "botocore", "numpy", "pandas", "pyarrow", "sklearn", "moto", "rich", "jinja2"}
    code = (
        f"import sys; from pipelines import cli\ntry: cli.main({words})\n"
        "except SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & heavy


def test_an_unknown_command_is_a_usage_error():
    assert labelmill("nonsense").returncode == 2


def test_a_reader_that_has_had_enough_gets_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)
    book = Path(cli.__file__).with_name("codebooks") / "files" / "DE-weee.json"
    done = subprocess.run(
        [LABELMILL, "codebook", "check", book], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_without_a_region_a_person_is_told_what_to_set(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [LABELMILL, "models", "list"],
        env=kept | {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "You must specify a region. Fix: set AWS_PROFILE" in done.stderr


def test_a_command_for_the_local_stack_must_be_named_before_one_is_started(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["local", "run"]) == 2
    assert capsys.readouterr().err.endswith("Fix: labelmill local run models list\n")
    assert list(tmp_path.iterdir()) == []
