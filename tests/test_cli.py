"""The command line as a whole; each command is tested where it lives."""

import argparse
import importlib
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pipelines import cli

LABELMILL = Path(sys.executable).with_name("labelmill")


def labelmill(*words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([LABELMILL, *words], capture_output=True, text=True, env=os.environ | environment)


def test_help_names_every_command():
    done = labelmill("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in cli.COMMANDS)


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in cli.COMMANDS)], ids=" ".join)
def test_help_loads_nothing_heavy(words):
    """What makes the command line answer in well under 200 ms (benchmarks/cli_start.py measures it)."""
    heavy = {
        "boto3",
        "botocore",
        "numpy",
        "pandas",
        "pyarrow",
        "sklearn",
        "moto",
        "rich",
        "jinja2",
        "argcomplete",
    }
    code = (
        f"import sys; from pipelines import cli\ntry: cli.main({words})\n"
        "except SystemExit: pass\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & heavy


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["try", "none.csv"], {"sklearn", "xgboost", "matplotlib"}),
        (["report", "labels", "DE-weee", "2026-07"], {"matplotlib", "numpy"}),
        (["explain", "DE-weee", "kettle"], {"sklearn", "xgboost", "numpy"}),
    ],
    ids=lambda each: each[0] if isinstance(each, list) else "",
)
def test_who_is_refused_does_not_wait_for_what_is_heavy(tmp_path, words, heavy):
    code = f"import sys; from pipelines import cli\nassert cli.main({words}) == 1\nprint(*sys.modules)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env = kept | {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert not loaded & heavy


def test_without_a_command_the_help_is_shown_and_nothing_has_failed():
    bare = labelmill()
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, labelmill("--help").stdout, "")


def test_the_version_is_that_of_the_package():
    assert labelmill("--version").stdout == f"labelmill {version('labelmill')}\n"


def test_the_help_says_what_each_exit_code_means():
    assert "Exit codes: 0 done; 1 it failed" in labelmill("--help").stdout


def helped(capsys, words: list[str]) -> str:
    """What `--help` of a command prints."""
    with pytest.raises(SystemExit):
        cli.main([*words, "--help"])
    return capsys.readouterr().out


def verbs(name: str) -> list[list[str]]:
    """A command and each of its verbs."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(cli.COMMANDS[name][0]).add_parser(subparsers)
    inner = [
        action.choices
        for action in subparsers.choices[name]._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return [[name], *([name, verb] for choices in inner for verb in choices)]


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_help_ends_with_an_example_and_at_no_width_a_word_is_cut(capsys, monkeypatch, name):
    for words in verbs(name):
        monkeypatch.setenv("COLUMNS", "1000")
        whole = helped(capsys, words)
        assert re.search(r"^Examples?:[^\n]*(\n +.*)*\n+(\S.*\n)*\Z", whole, flags=re.MULTILINE), words
        for columns in ("80", "120"):
            monkeypatch.setenv("COLUMNS", columns)
            shown = helped(capsys, words)
            # A long command goes on in the next line, behind a backslash.
            assert shown.replace(" \\\n", "\n").split() == whole.split(), words
            assert not [
                line for line in shown.splitlines() if len(line) > int(columns) and " " in line.strip()
            ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_what_it_completes_with(shell):
    done = labelmill("completion", shell)
    assert done.returncode == 0 and "complete " in done.stdout and "labelmill" in done.stdout


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("labelmill mon", {"month"}),
        ("labelmill runs l", {"list", "logs"}),
        ("labelmill runs list --gr", {"--group"}),
    ],
)
def test_commands_verbs_and_options_are_completed(tmp_path, line, completed):
    asked = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": " "}
    answer = tmp_path / "answer"
    done = labelmill(**asked, _ARGCOMPLETE_STDOUT_FILENAME=str(answer))
    assert done.returncode == 0 and set(answer.read_text().split()) == completed


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
