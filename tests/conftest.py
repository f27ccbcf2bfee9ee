"""Settings of the property tests: no test may fail because a machine is slow. An account to test against."""

import os
import sys

import pytest
from hypothesis import settings

settings.register_profile("default", deadline=None)
# In CI the same examples each time: what lands must not depend on luck. Elsewhere new ones, to find more.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def as_by_itself(monkeypatch):
    """No test meets the terminal's width, which xdist passes on, nor another's signed-in session."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if boto3 := sys.modules.get("boto3"):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def emulated_aws(monkeypatch, tmp_path):
    """An empty AWS account in this process, whoever runs the tests and wherever they are signed in."""
    from moto import mock_aws

    from pipelines.commands import target

    # Nor do commands find the local stack that somebody has left running in this folder.
    monkeypatch.setattr(target, "ENDPOINT_FILE", tmp_path / "endpoint.json")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield
