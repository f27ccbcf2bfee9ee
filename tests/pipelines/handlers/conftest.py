"""Step Functions and the ledger in this process, and the functions' environment."""

import json

import boto3
import pytest
from moto import mock_aws

REGION = "eu-central-1"
WAITING = '{"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": true}}}'


@pytest.fixture(autouse=True)
def aws(monkeypatch):
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "none")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


class Machines:
    """The three state machines; nothing in them moves."""

    def __init__(self, client):
        self.client = client
        self.arns = {
            name: client.create_state_machine(
                name=name, definition=WAITING, roleArn="arn:aws:iam::123456789012:role/any"
            )["stateMachineArn"]
            for name in ("training", "inference", "comparison")
        }

    def stop(self, machine: str) -> list[str]:
        """Stop a machine's executions; their names."""
        executions = self.client.list_executions(stateMachineArn=self.arns[machine])["executions"]
        for execution in executions:
            self.client.stop_execution(executionArn=execution["executionArn"])
        return [execution["name"] for execution in executions]

    def started(self, machine: str) -> list[dict]:
        """The inputs of a machine's executions; every one is named by its run."""
        executions = self.client.list_executions(stateMachineArn=self.arns[machine])["executions"]
        inputs = []
        for execution in executions:
            described = self.client.describe_execution(executionArn=execution["executionArn"])
            inputs.append(json.loads(described["input"]))
            assert described["name"] == inputs[-1]["run"]
        return inputs


@pytest.fixture
def machines(aws, monkeypatch):
    machines = Machines(boto3.client("stepfunctions"))
    for name, arn in machines.arns.items():
        monkeypatch.setenv(f"{name.upper()}_MACHINE_ARN", arn)
    return machines


class LedgerTable:
    """The table with both keys as in the template."""

    def __init__(self, client):
        self.client = client
        keys = {"group": "HASH", "entry": "RANGE"}
        client.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        )

    def put(self, group: str, entry: str, **attributes: str) -> None:
        item = {"group": group, "entry": entry, **attributes}
        self.client.put_item(TableName="ledger", Item={name: {"S": value} for name, value in item.items()})


@pytest.fixture
def ledger(aws, monkeypatch):
    monkeypatch.setenv("LEDGER_TABLE", "ledger")
    return LedgerTable(boto3.client("dynamodb"))
