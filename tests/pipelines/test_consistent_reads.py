"""Functions and commands ask for what was written in the ledger before; the emulator gives it in any case.

The machines' reads: machines/test_tries_and_catches.py. DynamoDB's reads are "eventually consistent" unless
the request has ConsistentRead (DynamoDB developer guide, "DynamoDB read consistency").
"""

import boto3
import pytest

from pipelines.handlers import notices
from pipelines.handlers.ledger import Ledger
from pipelines.ledger import reading

READS = ("GetItem", "Query", "Scan")
READERS = {
    "the winner": lambda client: Ledger(client, "ledger").winner("DE-weee"),
    "predictions": lambda client: Ledger(client, "ledger").predictions("DE-weee", "set", "model"),
    "whether a model is decided on": lambda client: Ledger(client, "ledger").is_decided("DE-weee", "model"),
    "codebooks": lambda client: Ledger(client, "ledger").codebooks(),
    "the month": lambda client: Ledger(client, "ledger").month("2026-10"),
    "kept notices": lambda client: notices.kept(client, "ledger"),
    "one group": lambda client: reading.read(client, "ledger", "DE-weee"),
    "all groups": lambda client: reading.read_all(client, "ledger"),
}


@pytest.mark.parametrize("what", READERS)
def test_functions_and_commands_read_what_was_written_before(what, emulated_aws):
    client, requests = boto3.client("dynamodb"), []
    keys = {"group": "HASH", "entry": "RANGE"}
    client.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
    )
    item = {"group": "DE-weee", "entry": "GROUP", "codebook_uri": "s3://work/"}
    client.put_item(TableName="ledger", Item={name: {"S": value} for name, value in item.items()})
    for read in READS:
        client.meta.events.register(
            f"provide-client-params.dynamodb.{read}", lambda params, **_: requests.append(params)
        )
    READERS[what](client)
    assert requests and all(request.get("ConsistentRead") is True for request in requests)
