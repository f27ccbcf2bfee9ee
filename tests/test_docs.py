"""The docs fail here when they lie: dead links, commands that are not there or not documented."""

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import cli
from processing.labels import label_table

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
LINES = [line.split(" #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def command_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="labelmill", exit_on_error=False)
    subparsers = parser.add_subparsers(required=True)
    for module, _ in cli.COMMANDS.values():
        importlib.import_module(module).add_parser(subparsers)
    return parser


def command_lines() -> list[list[str]]:
    words = [shlex.split(line) for line in LINES]
    return [line[1:] for line in words if Path(line[0]).name == "labelmill"]


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_every_labelmill_command_in_the_docs_is_one_the_command_line_takes(words):
    assert callable(command_parser().parse_args(words).run)


def commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every command with its parser, those that only have verbs too."""
    yield words, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from commands(child, (*words, name))


@pytest.mark.parametrize(
    "words",
    [words for words, parser in commands(command_parser()) if parser._subparsers is None],
    ids=" ".join,
)
def test_every_command_is_in_the_docs(words):
    assert f"labelmill {' '.join(words)}" in TEXT


EXAMPLES = [
    shlex.split(line)
    for _, parser in commands(command_parser())
    for line in re.findall(r"^(?:Example:)? +labelmill (.*)", parser.epilog or "", flags=re.MULTILINE)
]


@pytest.mark.parametrize("words", EXAMPLES, ids=" ".join)
def test_every_example_in_a_help_text_is_one_the_command_line_takes(words):
    if words[-1] == "--help":
        assert tuple(words[:-1]) in dict(commands(command_parser()))
    else:
        assert callable(command_parser().parse_args(words).run)


def test_a_command_is_summed_up_in_the_table_of_commands_alone():
    [commands] = [each for each in command_parser()._actions if isinstance(each, argparse._SubParsersAction)]
    assert [summary.dest for summary in commands._choices_actions] == []


def test_every_command_has_an_example_in_its_help_text():
    assert {words[0] for words in EXAMPLES} == set(cli.COMMANDS)


#: The targets of the Makefile, and what the comment beside each says that it does.
TARGETS = dict(
    re.findall(r"^([a-z]+):[^#\n]*(?:## (.*))?$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
)


def test_every_make_target_in_the_docs_is_in_the_makefile():
    named = re.findall(r"`make ([a-z]+)`", TEXT) + [
        line.split()[1] for line in LINES if line.startswith("make ")
    ]
    assert {"demo", "test"} <= set(named)
    assert set(named) <= TARGETS.keys()


CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_contributors_are_told_of_each_make_target_what_the_makefile_says_of_it():
    table = re.findall(r"^\| `make ([a-z]+)` \| (.*) \|$", CONTRIBUTING, flags=re.MULTILINE)
    assert {target: does.replace("`", "") for target, does in table} == TARGETS


def test_each_change_contributors_are_told_of_has_a_first_file_that_is_there():
    table = CONTRIBUTING.partition("| change | first file |")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:] if line]
    assert len(rows) >= 10
    for change, first, _ in rows:
        named = re.findall(r"`([\w.-]+/[\w./-]*)`", first)
        assert named, change
        assert [name for name in named if not (ROOT / name).exists()] == [], change


def test_every_column_of_the_labels_is_explained_in_its_place():
    section = (ROOT / "docs/outputs.md").read_text(encoding="utf-8").partition("## Columns\n")[2]
    cells = re.findall(r"^\| (`.*?) \|", section.partition("\n## ")[0], flags=re.MULTILINE)
    explained = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert explained == [name for name in label_table.COLUMNS if name not in label_table.TEST_ONLY]
