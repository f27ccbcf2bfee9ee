"""The template with its references filled in, once for all tests; and whether policies can be judged here."""

import shutil

import pytest

from tests.infra.policies import ENGINE, Stack, running_engine


@pytest.fixture(scope="session")
def stack() -> Stack:
    return Stack()


@pytest.fixture(scope="session")
def engine():
    """The policy engine and the linter of definitions are Node packages."""
    if not shutil.which("node") or not (ENGINE / "node_modules/asl-validator").is_dir():
        pytest.skip("the policy engine is not installed: npm ci --prefix tests/infra/policy_engine")
    with running_engine():
        yield
