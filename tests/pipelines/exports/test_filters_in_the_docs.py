"""The filter policies that docs/exports.md shows let through what it says they do."""

import json
import re
from pathlib import Path

import boto3
import pytest

from pipelines.messages import attributes

PAGE = (Path(__file__).parents[3] / "docs/exports.md").read_text(encoding="utf-8")
TO_APPROVE, OF_A_COUNTRY = (json.loads(line) for line in re.findall(r'^\{"kind".*\}$', PAGE, re.MULTILINE))
OF_A_RUN = json.loads(re.search(r'`(\{"run".*?\})`', PAGE)[1])


@pytest.mark.parametrize(
    ("policy", "wanted", "unwanted"),
    [
        (
            TO_APPROVE,
            {"kind": "approval-wanted", "group": "FR-weee"},
            {"kind": "decision", "group": "FR-weee"},
        ),
        (
            OF_A_COUNTRY,
            {"kind": "superseded", "group": "DE-weee"},
            {"kind": "labels-ready", "group": "FR-weee"},
        ),
        (OF_A_RUN, {"kind": "run-failed", "run": "DE-weee-training-2026-10-1"}, {"kind": "month-overdue"}),
    ],
    ids=["to approve", "of a country", "of a run"],
)
def test_a_subscription_is_sent_what_its_filter_wants_and_nothing_else(
    emulated_aws, policy, wanted, unwanted
):
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="topic")["TopicArn"]
    queue = sqs.create_queue(QueueName="channel")["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    filters = {"FilterPolicy": json.dumps(policy)}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=asked["QueueArn"], Attributes=filters)
    for said in (unwanted, wanted):
        sns.publish(TopicArn=topic, Message="text", MessageAttributes=attributes(**said))
    sent = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    [notification] = [json.loads(message["Body"]) for message in sent]
    assert notification["MessageAttributes"]["kind"]["Value"] == wanted["kind"]
