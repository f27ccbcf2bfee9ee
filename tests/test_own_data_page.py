"""docs/own-data.md: every command on it is run, in its order, on the sample that ships."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from pipelines import cli
from pipelines.own_data import settings

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
