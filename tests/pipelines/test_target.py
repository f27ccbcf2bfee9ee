"""Which stack a command talks to: what is named, then what is exported, then what runs in the folder."""

import argparse
import json
import os
import socket
import subprocess
import sys

import pytest

from pipelines.commands import target
from pipelines.commands.shared import add_stack

KEYS = {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "mine"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder, in a shell that is signed in to an account."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**KEYS, "AWS_PROFILE": "work"}.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "config"
    config.write_text("[profile work]\nregion = eu-west-1\n[profile other]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def write(folder, endpoint):
    path = folder / target.ENDPOINT_FILE
    path.parent.mkdir()
    path.write_text(
        json.dumps({"endpoint": endpoint, "region": "eu-central-1", "key_id": "local", "secret": "s"})
    )


def choose(*words):
    """The sentence, and what of the environment says where requests go and who signs them."""
    parser = argparse.ArgumentParser()
    add_stack(parser)
    args = parser.parse_args(words)
    with target.chosen(args) as sentence:
        names = ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION")
        return sentence, {name: os.environ.get(name) for name in names}


def test_without_a_file_it_is_what_the_shell_is_signed_in_to(folder):
    sentence, environment = choose()
    assert sentence == "stack labelmill on AWS, eu-west-1, the environment's keys"
    assert environment["AWS_ACCESS_KEY_ID"] == "mine"
    assert environment["AWS_ENDPOINT_URL"] is None


@pytest.mark.parametrize("words", [[], ["--local"]])
def test_the_stack_that_runs_in_the_folder_is_found_whatever_the_shell_is_signed_in_to(
    folder, listening, words
):
    write(folder, listening)
    before = dict(os.environ)
    sentence, environment = choose(*words)
    assert sentence == f"stack labelmill at {listening}"
    assert environment == {
        "AWS_ENDPOINT_URL": listening,
        "AWS_PROFILE": None,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_REGION": "eu-central-1",
    }
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--stack", "prod"], "stack prod on AWS, eu-west-1, the environment's keys"),
        (["--profile", "other"], "stack labelmill on AWS, eu-north-1, profile other"),
        (["--profile", "other", "--stack", "prod"], "stack prod on AWS, eu-north-1, profile other"),
    ],
)
def test_a_named_stack_or_profile_is_on_aws_also_where_a_local_one_runs(folder, listening, words, sentence):
    write(folder, listening)
    assert choose(*words)[0] == sentence
    assert choose(*words)[1]["AWS_ENDPOINT_URL"] is None


def test_a_profile_goes_before_keys_and_an_address_of_the_environment(folder, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    _, environment = choose("--profile", "other")
    assert environment["AWS_PROFILE"] == "other"
    assert environment["AWS_ENDPOINT_URL"] is environment["AWS_ACCESS_KEY_ID"] is None


def test_an_exported_address_goes_before_the_file_and_after_what_is_named(folder, listening, monkeypatch):
    write(folder, listening)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert choose()[0] == "stack labelmill at http://127.0.0.1:9"
    assert choose("--local")[0] == f"stack labelmill at {listening}"


def test_a_stack_that_no_longer_answers_ends_the_command_and_leads_to_no_account(folder, listening):
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"http://127.0.0.1:{server.getsockname()[1]}"
    write(folder, gone)
    with pytest.raises(target.NoTarget, match=f"does not answer at {gone}. Fix: labelmill local up"):
        choose()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"endpoint": "http://203.0.113.1:80", "region": "r", "key_id": "k", "secret": "s"}',
            "another machine",
        ),
        (
            '{"endpoint": "http://127.0.0.1.example/", "region": "r", "key_id": "k", "secret": "s"}',
            "another machine",
        ),
        ('{"endpoint": "http://127.0.0.1:80"}', "cannot be read.*Fix: labelmill local up"),
        ("[]", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_leads_elsewhere_or_nowhere_is_not_followed(folder, content, message):
    path = folder / target.ENDPOINT_FILE
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(target.NoTarget, match=message):
        choose()


def test_local_where_none_runs_says_how_to_start_one(folder):
    with pytest.raises(
        target.NoTarget, match=r"there is no \.labelmill/endpoint\.json\. Fix: labelmill local up"
    ):
        choose("--local")


def test_a_command_says_on_standard_error_which_stack_it_talks_to_and_one_without_a_stack_does_not(folder):
    def run(*words):
        command = [sys.executable, "-m", "pipelines.cli", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder)

    with socket.create_server(("127.0.0.1", 0)) as server:
        write(folder, f"http://127.0.0.1:{server.getsockname()[1]}")
    refused = run("models", "list")
    assert refused.returncode == 1
    assert "does not answer" in refused.stderr
    path = os.path.join(os.path.dirname(target.__file__), "..", "codebooks", "files", "DE-weee.json")
    shown = run("codebook", "show", path)
    assert (shown.returncode, shown.stderr) == (0, "")
