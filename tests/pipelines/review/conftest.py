"""The stack that reviews are tested against, and the command."""

import pytest
from moto import mock_aws

from pipelines.cli import main
from pipelines.commands import review as command
from tests.complaints import complaints
from tests.pipelines.review.published_month import Stack


@pytest.fixture
def stack():
    with mock_aws():
        yield Stack()


@pytest.fixture
def cli(stack, monkeypatch, tmp_path, capsys):
    """Run a `labelmill review` command against the stack; returns exit code and all that was printed."""
    monkeypatch.setattr(command, "_places", lambda name: stack.places)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        code = main(["review", *words])
        printed = capsys.readouterr()
        return code, printed.out + complaints(printed.err)

    return run
