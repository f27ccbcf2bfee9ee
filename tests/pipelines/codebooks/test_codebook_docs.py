"""docs/codebooks.md fails here when it stops telling the truth."""

import json
import re
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.codebooks.read import parse, read
from pipelines.commands.codebook import EPILOG
from processing.codes import successions
from processing.codes.successions import CodeMap
from processing.policy import Policy

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "codebooks.md").read_text(encoding="utf-8")


@pytest.fixture
def example() -> dict:
    [block] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    return parse(block, "docs/codebooks.md")


def table(header: str) -> list[list[str]]:
    lines = TEXT[TEXT.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_change_of_codes_happens_as_it_is_told(example):
    november = tuple(entry["code"] for entry in example["codes"] if entry["valid_to"] is None)
    code_map = CodeMap(successions.parse(example["successions"]), november, "2026-11")
    for code, becomes, why in table("| old code | becomes | why |"):
        outcome = code_map.outcome(code)
        assert (outcome.code or "a person decides", outcome.reason) == (becomes, why)
    old = [entry["code"] for entry in example["codes"] if entry["valid_from"] == "2020-01-01"]
    assert code_map.out_of_reach(old) == ["5a", "5b"]


def test_every_field_is_explained():
    schema = json.loads((ROOT / "pipelines" / "codebooks" / "codebook.schema.json").read_text())
    fields = schema["properties"]
    for name in [*fields, *fields["codes"]["items"]["properties"], *Policy.__dataclass_fields__]:
        assert f"`{name}`" in TEXT or name == "codes", name


def test_every_command_of_the_first_block_runs(stack, monkeypatch, capsys):
    """In the order of publishing for the first time: what is published must be there before it is shown."""
    monkeypatch.chdir(ROOT)
    block = TEXT.split("```")[1].splitlines()
    commands = [line.partition("#")[0].split()[1:] for line in block if line.startswith("labelmill ")]
    assert sorted(command[1] for command in commands) == ["check", "diff", "publish", "show"]
    for command in sorted(
        commands, key=lambda command: ["check", "publish", "show", "diff"].index(command[1])
    ):
        assert main(command) == 0, capsys.readouterr().err


def test_what_the_help_text_says_to_check_is_fine(capsys):
    [pattern] = re.findall(r"labelmill codebook check (\S+)", EPILOG)
    assert main(["codebook", "check", *map(str, ROOT.glob(pattern))]) == 0, capsys.readouterr().err


def test_the_shipped_codebooks_are_listed():
    listed = {row[0].strip("`") for row in table("| group | codes | legal source |")}
    assert listed == {file.stem for file in (ROOT / "pipelines" / "codebooks" / "files").glob("*.json")}
    assert all(read(file)["source"] for file in (ROOT / "pipelines" / "codebooks" / "files").glob("*.json"))
