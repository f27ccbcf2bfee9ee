"""A stack whose queues, ledger, bucket and topics are the emulator's and whose executions a test ends."""

import json

import boto3
import pytest

from pipelines import cli
from pipelines.failures import failure, queues
from tests.complaints import complaints
from tests.pipelines.failures.fake_states import ACCOUNT, FakeStates

QUEUES = {
    "FailureQueueUrl": "failures",
    **{
        f"{purpose}{kind}Url": purpose.lower() + suffix
        for purpose in ("Training", "Inference", "Unload")
        for kind, suffix in (("Queue", ""), ("DeadLetterQueue", "-dead"))
    },
    "EventsDeadLetterQueueUrl": "events-dead",
}


class Account:
    """The stack `labelmill`, and the commands on it."""

    def __init__(self, capsys):
        self.capsys = capsys
        self.states = FakeStates()
        self.invoked: list[tuple[str, dict]] = []
        self.sqs, self.dynamodb, self.s3 = map(boto3.client, ("sqs", "dynamodb", "s3"))
        self.outputs = {
            output: self.sqs.create_queue(QueueName=f"labelmill-{name}")["QueueUrl"]
            for output, name in QUEUES.items()
        } | {
            "LedgerTable": "ledger",
            "LandingBucket": "landing",
            "WorkBucket": "work-bucket",
            "TimeZone": "UTC",
        }
        for machine in ("training", "inference", "comparison"):
            self.outputs[f"{machine.capitalize()}MachineArn"] = f"{ACCOUNT}:stateMachine:labelmill-{machine}"
        place = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket="landing", CreateBucketConfiguration=place)
        keys = {"group": "HASH", "entry": "RANGE"}
        self.dynamodb.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        )
        self.put("DE-weee", "GROUP", codebook_version="2026-10")
        self.stack = failure.Stack(self.outputs, self.client)

    def client(self, service: str):
        fakes = {"stepfunctions": self.states, "lambda": self}
        return fakes.get(service) or boto3.client(service)

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> None:
        """As a client of Lambda."""
        assert InvocationType == "Event"
        self.invoked.append((FunctionName, json.loads(Payload)))

    def put(self, group: str, entry: str, **attributes: str) -> None:
        item = {"group": group, "entry": entry, **attributes}
        self.dynamodb.put_item(TableName="ledger", Item={name: {"S": value} for name, value in item.items()})

    def entries(self) -> set[str]:
        return {item["entry"]["S"] for item in self.dynamodb.scan(TableName="ledger")["Items"]}

    def send(self, output: str, body: object, **notes: str) -> str:
        """Put a message into the queue of that output; its id."""
        body = body if isinstance(body, str) else json.dumps(body)
        notes = {name: {"DataType": "String", "StringValue": value} for name, value in notes.items()}
        return self.sqs.send_message(
            QueueUrl=self.outputs[output], MessageBody=body, MessageAttributes=notes
        )["MessageId"]

    def messages(self, output: str) -> list:
        """The bodies in a queue that anybody may have; they stay there."""
        received = self.sqs.receive_message(
            QueueUrl=self.outputs[output], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in received.get("Messages", ())]

    def failed(self, machine: str, run: dict, status: str = "FAILED", error: str = "RunFailed") -> dict:
        """A run that has failed as a machine fails: its message is in the failure queue."""
        arn = self.outputs[f"{machine.capitalize()}MachineArn"]
        self.states.start_execution(stateMachineArn=arn, name=run["run"], input=json.dumps(run))
        self.states.end(run["run"], status, error="RunFailed", cause=f"{error}: files are lost")
        body = {"machine": machine, "run": run["run"], "input": run, "error": error, "cause": "{}"}
        self.send("FailureQueueUrl", body)
        return run

    def labelmill(self, *words: str) -> tuple[int, str, str]:
        """A command: exit code, what it printed, what it complained of."""
        self.capsys.readouterr()
        code = cli.main(list(words))
        printed = self.capsys.readouterr()
        return code, printed.out, complaints(printed.err)

    def listed(self, *words: str) -> dict[str, dict]:
        """`labelmill failures --json`, by name."""
        code, out, _ = self.labelmill("failures", "--json", *words)
        assert code == 0
        return {one["name"]: one for one in json.loads(out)}


@pytest.fixture
def account(emulated_aws, monkeypatch, capsys):
    account = Account(capsys)
    monkeypatch.setattr(queues, "WAIT_SECONDS", 0)  # the emulator is one server
    monkeypatch.setattr(failure, "open_stack", lambda name: account.stack)
    return account
