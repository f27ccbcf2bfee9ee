"""Datasets were ordered, by a schedule or by hand: let the warehouse unload one for each model group."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from typing import TYPE_CHECKING, Any

from pipelines import names
from pipelines.handlers.batch import take_each
from pipelines.handlers.clients import client
from pipelines.handlers.ledger import Ledger
from pipelines.handlers.logs import about
from pipelines.warehouse import unload

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_redshift_data import RedshiftDataAPIServiceClient
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


class NotStarted(Exception):
    """Some statements could not be started; the message names the groups, and the queue tries again."""


def handler(
    event: dict[str, Any],
    context: object = None,
    statements: RedshiftDataAPIServiceClient | None = None,
    s3: S3Client | None = None,
    table: DynamoDBClient | None = None,
) -> dict[str, Any]:
    """Take a batch of orders; return which of them failed.

    `statements`, `s3` and `table` are boto3 clients of the Redshift Data API, S3 and DynamoDB.
    """
    ledger = Ledger(table or client("dynamodb"), os.environ["LEDGER_TABLE"])

    def take(body: str) -> None:
        order = unload.read_order(body, os.environ["TIME_ZONE"])
        start_all(order, ledger, s3 or client("s3"), statements or client("redshift-data"))

    return take_each(event, take, unload.CannotUnload)


def start_all(
    order: unload.Order, ledger: Ledger, s3: S3Client, statements: RedshiftDataAPIServiceClient
) -> None:
    """Start a statement for each group. Raises NotStarted, once all that could be started are.

    A statement that was started before is left alone, as its client token is the same.
    """
    codebooks = ledger.codebooks()
    place = unload.Place(
        os.environ["LANDING_BUCKET"], os.environ["LANDING_KEY_ARN"], os.environ["WAREHOUSE_ROLE_ARN"]
    )
    problems = []
    for group in order.groups or sorted(codebooks):
        try:
            if group not in codebooks:
                raise unload.CannotUnload(
                    f"not a known group, or retired. Fix: labelmill codebook publish, for {group}; "
                    f"of a retired one labelmill groups revive {group} --reason TEXT"
                )
            attributes = _attributes(s3, *codebooks[group])
            request = unload.request(order, group, attributes, place, os.environ["STACK_NAME"])
            statements.execute_statement(**request, **_warehouse())
        # Whatever is wrong with one group, or too many statements at once, must not hold the others back.
        except Exception as error:
            log.exception("%s: no statement was started", group, extra=about({"group": group}))
            problems.append(f"{group}: {error}")
        else:
            log.info("%s was started", request["StatementName"], extra=about({"group": group}))
    if problems:
        raise NotStarted("; ".join(problems))


def _attributes(s3: S3Client, codebook_uri: str, digest: str) -> list[str]:
    """The names of the attributes that a published codebook declares. Raises unload.CannotUnload."""
    bucket, key = names.split_address(codebook_uri)
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if (found := hashlib.sha256(content).hexdigest()) != digest:
        raise unload.CannotUnload(
            f"{codebook_uri} is not what was recorded: its SHA-256 is {found}, recorded was {digest}. "
            "Fix: restore that object's first version"
        )
    book = json.loads(content)
    return [attribute["name"] for attribute in book["attributes"]]


def _warehouse() -> dict[str, Any]:
    """Which warehouse, as a request names it: a workgroup of Redshift Serverless, or a cluster."""
    arn, secret = os.environ["WAREHOUSE_ARN"], os.environ["WAREHOUSE_SECRET_ARN"]
    named = {"WorkgroupName": arn} if ":workgroup/" in arn else {"ClusterIdentifier": arn.rpartition(":")[2]}
    return {
        **named,
        "Database": os.environ["WAREHOUSE_DATABASE"],
        **({"SecretArn": secret} if secret else {}),
    }
