"""A stack with labels to answer for, a real model that made them, and the command."""

import pytest

from pipelines.cli import main
from tests.complaints import complaints
from tests.pipelines.audit.audited_month import Stack
from tests.pipelines.report import evidences
from tests.training.synthetic_group import trained

__all__ = ["trained"]


@pytest.fixture(scope="session")
def evidence(tmp_path_factory):
    return evidences.evidence(tmp_path_factory.mktemp("compared"), rows=300, wrong=(0.05, None))


@pytest.fixture
def stack(emulated_aws, trained, evidence):
    return Stack(trained / "model", evidence)


@pytest.fixture
def run(stack, capsys, monkeypatch, tmp_path):
    """`labelmill audit` with these words: exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["audit", *words])
        out, err = capsys.readouterr()
        return code, out, complaints(err)

    return run
