"""The stack of tests/pipelines/failures, with logs."""

import time

import boto3
import pytest

from pipelines.failures import failure
from tests.pipelines.failures.conftest import Account


@pytest.fixture
def account(emulated_aws, monkeypatch, capsys):
    account = Account(capsys)
    monkeypatch.setattr(failure, "open_stack", lambda name: account.stack)
    return account


@pytest.fixture
def log(emulated_aws):
    """Put lines into the log of a job."""
    client = boto3.client("logs")

    def put(group, job, *lines):
        start = int(time.time() * 1000) - 60_000  # CloudWatch takes nothing old, and nothing of tomorrow
        stream = f"{job}/algo-1-1800000000"
        client.create_log_group(logGroupName=group)
        client.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": start + number, "message": line} for number, line in enumerate(lines)]
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    return put
