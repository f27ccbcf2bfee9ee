"""An empty AWS on this machine for the tests of this folder, and the commands run against it."""

import argparse
import json

import pytest

from infra.deploy import deploy, destroy
from infra.local.stack import LocalStack
from tests.infra.deploy.fake_registry import URI

WORKER = ("--worker", "tests.infra.deploy.moto_change_sets:FakeWorker")


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    with LocalStack(tmp_path_factory.mktemp("aws"), options=("--empty", *WORKER)) as running:
        yield running


@pytest.fixture
def labelmill(aws, commands, monkeypatch):
    """`commands` against that AWS."""
    for name, value in aws.connection.settings.items():
        monkeypatch.setenv(name, value)
    return commands


@pytest.fixture
def commands(monkeypatch):
    """Runs `labelmill ...` and returns its exit code; `answers` is what the person types."""

    def run(*words: str, answers: tuple[str, ...] = ()) -> int:
        given = list(answers)

        def answer(question: str) -> str:
            if not given:
                raise EOFError
            return given.pop(0)

        monkeypatch.setattr("builtins.input", answer)
        parser = argparse.ArgumentParser()
        subparsers = parser.add_subparsers(required=True)
        for command in (deploy, destroy):
            command.add_parser(subparsers)
        args = parser.parse_args(words)
        return args.run(args)

    return run


@pytest.fixture
def environment(tmp_path, request):
    """Path of an environment's file with names nobody else uses; change what it says by calling it."""
    name = f"t{abs(hash(request.node.name)) % 10**8}"
    path = tmp_path / "environment.json"

    def write(**parameters: str):
        content = {
            "region": "eu-central-1",
            "account": "",
            "stack": name,
            # Its own image, as nothing here can copy AWS's.
            "parameters": {"Name": name, "ImageUri": f"{URI}@sha256:{'1a' * 32}", **parameters},
        }
        path.write_text(json.dumps(content))
        return path

    return write
