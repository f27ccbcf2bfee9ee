"""docs/own-data.md: every command on it is run, in its order, on the sample that ships."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import boto3
import pytest

from infra.local.endpoint import Connection
from pipelines import cli
from pipelines.own_data import settings

LABELMILL = Path(sys.executable).with_name("labelmill")
ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.partition(" #")[0])[1:]
    for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that has what the page's commands are run beside."""
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_the_page_runs_without_a_stack_goes_through_on_the_sample(folder):
    for words in COMMANDS:
        if words[0] in ("try", "init") and "--help" not in words:
            assert cli.main(words) == 0, words
    assert {"labelmill.toml", "trial.html", "synthetic-items-trial.html"} <= {
        path.name for path in folder.iterdir()
    }


def test_the_settings_on_the_page_are_those_that_init_writes(folder):
    [words] = [words for words in COMMANDS if words[0] == "init"]
    assert cli.main(words) == 0
    [shown] = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (folder / "shown.toml").write_text(shown, encoding="utf-8")
    written, on_page = settings.read(Path("labelmill.toml")), settings.read(Path("shown.toml"))
    assert (written.roles, written.attributes, written.split_by) == (
        on_page.roles,
        on_page.attributes,
        on_page.split_by,
    )
    assert on_page.groups.items() <= written.groups.items()
    assert tomllib.loads(shown)["file"] == {}


@pytest.fixture
def nowhere(monkeypatch):
    """AWS's settings as they are where nobody has set any; what a command sets is gone afterwards."""
    for name in ("AWS_PROFILE", *Connection("", "").settings):
        monkeypatch.setenv(name, "none")
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def test_from_a_file_to_a_verdict_and_labels_it_takes_two_commands_as_the_page_has_them(
    folder, nowhere, capsys
):
    """With the local stack's real jobs: init, then deliver; and what the page does afterwards."""
    [begin] = [words for words in COMMANDS if words[0] == "init"]
    against_stack = [words for words in COMMANDS if words[0] == "local"]
    assert [words[1:4] for words in against_stack] == [
        ["run", "deliver", "training"],
        ["run", "deliver", "inference"],
        ["run", "report", "workbook"],
        ["run", "report", "labels"],
        ["down"],
    ]
    first, *others, down = against_stack
    try:
        assert cli.main(begin) == 0
        # What starts the stack is a process of its own: the stack is to outlive it.
        done = subprocess.run([LABELMILL, *first], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        for words in others:
            assert cli.main(words) == 0, capsys.readouterr()
        assert cli.main(["local", "run", "order", "DE-weee", "2026-10"]) == 1
        assert cli.main(down) == 0
    finally:
        cli.main(["local", "down"])
    said, complaints = capsys.readouterr()
    assert "labelmill has no warehouse to order from. Fix: deliver a file" in complaints
    assert "DE-weee: FIRST: The group has no winner yet" in done.stdout
    assert "DE-weee: 0 items labelled, 700 to review, 0 rejected." in said
    assert (folder / "labels-DE-weee-2026-10.xlsx").exists()
    assert (folder / "DE-weee-labels-2026-10.html").exists()
