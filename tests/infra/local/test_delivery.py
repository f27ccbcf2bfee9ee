"""Messages and events on their way to functions."""

import json

import pytest

from infra.local.delivery import failed_messages
from infra.local.functions import Outcome

REPORT = """
import boto3, json, os
def report(what):
    boto3.client("sqs").send_message(QueueUrl=os.environ["REPORT"], MessageBody=json.dumps(what))
"""


@pytest.fixture
def map_queue(client):
    def map_it(queue_arn, function_arn, **settings):
        client("lambda").create_event_source_mapping(
            EventSourceArn=queue_arn, FunctionName=function_arn, BatchSize=10, **settings
        )

    return map_it


def test_a_landed_object_becomes_one_event_for_the_function(
    client, name, make_queue, make_function, map_queue, receive
):
    report_url, _ = make_queue()
    _, queue_arn = make_queue()
    source = REPORT + "def handler(event, context): [report(json.loads(r['body'])) for r in event['Records']]"
    map_queue(queue_arn, make_function(source, REPORT=report_url))
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rules = [{"Name": "prefix", "Value": "training/"}, {"Name": "suffix", "Value": "manifest"}]
    notification = {
        "QueueArn": queue_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"QueueConfigurations": [notification]}
    )
    assert receive(report_url)["Event"] == "s3:TestEvent"
    s3.put_object(Bucket=name, Key="training/DE-weee/2026-10/d1/part-0.csv", Body=b"x")
    version = s3.put_object(Bucket=name, Key="training/DE-weee/2026-10/d1/manifest", Body=b"{}")["VersionId"]
    (record,) = receive(report_url)["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["object"]["versionId"] == version
    assert record["s3"]["object"]["sequencer"]


def test_a_multipart_upload_notifies_once(client, name, make_queue, receive):
    url, arn = make_queue()
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)
    receive(url)  # the test event
    upload = s3.create_multipart_upload(Bucket=name, Key="big")["UploadId"]
    part = s3.upload_part(Bucket=name, Key="big", UploadId=upload, PartNumber=1, Body=b"all of it")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=name, Key="big", UploadId=upload, MultipartUpload=parts)
    assert receive(url)["Records"][0]["eventName"] == "ObjectCreated:CompleteMultipartUpload"
    left = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_a_poison_message_ends_in_the_dead_letter_queue_and_its_neighbour_does_not(
    aws, client, make_queue, make_function, map_queue, receive
):
    report_url, _ = make_queue()
    dead_url, dead_arn = make_queue()
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 2})
    queue_url, queue_arn = make_queue(VisibilityTimeout="1", RedrivePolicy=policy)
    source = (
        REPORT
        + """
def handler(event, context):
    bad = [r for r in event["Records"] if json.loads(r["body"]) == "poison"]
    for record in event["Records"]:
        if record not in bad:
            report(json.loads(record["body"]))
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in bad]}
"""
    )
    map_queue(
        queue_arn, make_function(source, REPORT=report_url), FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    entries = [{"Id": str(i), "MessageBody": json.dumps(body)} for i, body in enumerate(["poison", "food"])]
    client("sqs").send_message_batch(QueueUrl=queue_url, Entries=entries)
    assert receive(report_url) == "food"
    assert receive(dead_url) == "poison"
    aws.wait_until_quiet(30)
    left = client("sqs").get_queue_attributes(
        QueueUrl=report_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert left["Attributes"]["ApproximateNumberOfMessages"] == "0", "the good message was delivered twice"


def test_an_event_reaches_the_function_of_the_rule_it_matches_and_no_other(
    aws, client, name, make_queue, make_function, receive
):
    report_url, _ = make_queue()
    events = client("events")
    for number, group in enumerate(["DE-weee", "FR-weee"]):
        source = REPORT + f"def handler(event, context): report([{number}, event])"
        pattern = {"source": [name], "detail-type": ["Model Trained"], "detail": {"group": [group]}}
        events.put_rule(Name=f"{name}-{number}", EventPattern=json.dumps(pattern))
        target = {"Id": "function", "Arn": make_function(source, REPORT=report_url)}
        events.put_targets(Rule=f"{name}-{number}", Targets=[target])
    detail = json.dumps({"group": "FR-weee", "model": "m"})
    answer = events.put_events(Entries=[{"Source": name, "DetailType": "Model Trained", "Detail": detail}])
    assert answer["FailedEntryCount"] == 0
    number, event = receive(report_url)
    assert number == 1
    assert event["detail"]["model"] == "m"
    assert event["time"].endswith("Z")
    assert set(event) == {
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"
    }  # fmt: skip
    aws.wait_until_quiet(30)


def test_an_asynchronous_invocation_is_tried_three_times(aws, client, make_queue, make_function, receive):
    report_url, _ = make_queue()
    arn = make_function(
        REPORT + "def handler(event, context): report(event); raise ValueError", REPORT=report_url
    )
    assert (
        client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=b"5")["StatusCode"] == 202
    )
    assert [receive(report_url) for _ in range(3)] == [5, 5, 5]
    aws.wait_until_quiet(30)


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "b"}]}, {"b"}),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"a", "b"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"a", "b"}),
        ({"batchItemFailures": [{}]}, {"a", "b"}),
        ({"batchItemFailures": 1}, {"a", "b"}),
        ("text", {"a", "b"}),
    ],
)
def test_a_partial_batch_response_is_read_by_lambdas_rules(answer, failed):
    assert (
        failed_messages(Outcome(json.dumps(answer).encode(), failed=False), ["a", "b"], partial=True)
        == failed
    )


def test_an_error_fails_the_batch_and_an_answer_nobody_asked_for_is_ignored():
    answer = json.dumps({"batchItemFailures": [{"itemIdentifier": "a"}]}).encode()
    assert failed_messages(Outcome(answer, failed=True), ["a", "b"], partial=True) == {"a", "b"}
    assert failed_messages(Outcome(answer, failed=False), ["a", "b"], partial=False) == set()


def test_a_stopped_execution_is_told_of_by_an_event_that_a_queue_gets_as_its_rule_says(
    client, name, make_queue, receive
):
    url, arn = make_queue()
    states, events = client("stepfunctions"), client("events")
    definition = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}}
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::123456789012:role/any"
    )["stateMachineArn"]
    pattern = {"source": ["aws.states"], "detail": {"status": ["ABORTED"], "stateMachineArn": [machine]}}
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    transformer = {
        "InputPathsMap": {"run": "$.detail.name", "status": "$.detail.status"},
        "InputTemplate": '{"run": <run>, "text": "<run> is <status>", "input": null}',
    }
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn, "InputTransformer": transformer}])
    execution = states.start_execution(stateMachineArn=machine, name="run", input="{}")["executionArn"]
    states.stop_execution(executionArn=execution)
    assert receive(url) == {"run": "run", "text": "run is ABORTED", "input": None}


def test_a_function_that_is_gone_leaves_nothing_under_way(aws, client, make_function):
    arn = make_function("def handler(event, context): raise ValueError")
    functions = client("lambda")
    functions.invoke(FunctionName=arn, InvocationType="Event", Payload=b"5")
    functions.delete_function(FunctionName=arn)
    aws.wait_until_quiet(30)
