"""What came of the runs, where there is more of it than one answer of S3 holds."""

import json
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from infra import results


@pytest.fixture
def stack(monkeypatch):
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="labelled")
        yield SimpleNamespace(names={"LabelledBucket": "labelled"}, client=lambda service: s3)


def test_labels_are_found_on_every_page_of_the_listing(stack):
    runs = [f"run-{number}" for number in range(5)]
    for run in runs:
        stack.client("s3").put_object(
            Bucket="labelled",
            Key=f"labels/DE-weee/2026-10/{run}/manifest.json",
            Body=json.dumps({"run": run}),
        )
    assert {manifest["run"] for manifest in results.published(stack, "DE-weee")} == set(runs)
