"""Functions and commands ask for what was written in the ledger before; the emulator gives it in any case.

The machines' reads: machines/test_tries_and_catches.py. DynamoDB's reads are "eventually consistent" unless
the request has ConsistentRead (DynamoDB developer guide, "DynamoDB read consistency").
"""

from types import SimpleNamespace

import boto3
import pytest

from pipelines.codebooks import publish
from pipelines.handlers import notices, statement_finished
from pipelines.handlers.ledger import Ledger
from pipelines.ledger import reading
from pipelines.review import published
from tests.pipelines.handlers.event_samples import sample

READS = ("GetItem", "Query", "Scan")


def labels_of_a_month(client) -> None:
    places = published.Places(None, client, None, "ledger", "work", "machine")
    with pytest.raises(published.ReviewError, match="no labels of DE-weee 2026-10 are published"):
        published.published(places, "DE-weee", "2026-10")


def statement_that_found_no_rows(client) -> None:
    event = sample("statement_failed")
    event["detail"]["statementName"] = "labelmill/inference/DE-weee/2026-10/d1"
    empty = SimpleNamespace(list_objects_v2=lambda **_: {"KeyCount": 0})
    statement_finished.handler(event, s3=empty, table=client, sns=SimpleNamespace(publish=lambda **_: None))


READERS = {
    "a group's codebook": lambda client: publish.current_codebook("DE-weee", dynamodb=client, table="ledger"),
    "labels to review": labels_of_a_month,
    "whether an empty month is known": statement_that_found_no_rows,
    "the winner": lambda client: Ledger(client, "ledger").winner("DE-weee"),
    "predictions": lambda client: Ledger(client, "ledger").predictions("DE-weee", "set", "model"),
    "what is decided on": lambda client: Ledger(client, "ledger").decisions("DE-weee"),
    "codebooks": lambda client: Ledger(client, "ledger").codebooks(),
    "the month": lambda client: Ledger(client, "ledger").month("2026-10"),
    "kept notices": lambda client: notices.kept(client, "ledger"),
    "one group": lambda client: reading.read(client, "ledger", "DE-weee"),
    "all groups": lambda client: reading.read_all(client, "ledger"),
}


@pytest.mark.parametrize("what", READERS)
def test_functions_and_commands_read_what_was_written_before(what, emulated_aws, monkeypatch):
    for name, value in {
        "LEDGER_TABLE": "ledger",
        "LANDING_BUCKET": "b",
        "OPERATORS_TOPIC_ARN": "arn",
    }.items():
        monkeypatch.setenv(name, value)
    client, requests = boto3.client("dynamodb"), []
    keys = {"group": "HASH", "entry": "RANGE"}
    client.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
    )
    item = {"group": "DE-weee", "entry": "GROUP", "codebook_uri": "s3://work-bucket/", "codebook_digest": "d"}
    client.put_item(TableName="ledger", Item={name: {"S": value} for name, value in item.items()})
    for read in READS:
        client.meta.events.register(
            f"provide-client-params.dynamodb.{read}", lambda params, **_: requests.append(params)
        )
    READERS[what](client)
    assert requests and all(request.get("ConsistentRead") is True for request in requests)
