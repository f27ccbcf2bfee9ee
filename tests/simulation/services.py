"""The services of one account in memory, behind boto3's own clients: their calls are answered here.

moto answers a call in two milliseconds, these in a hundredth of that, which is what makes thousands of
histories affordable. Expressions of DynamoDB are moto's. What is asked for and not known here is an error.
"""

import base64
import functools
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.pipelines.machines.definition_examples import REGION

SESSION = boto3.Session("none", "none", region_name=REGION)
#: What to say of an operation that these clients are asked for: `answer(service, operation, parameters)`.
Answer = Callable[[str, str, dict[str, Any]], dict[str, Any]]


def client(service: str, answer: Answer) -> Any:
    """A boto3 client of which `answer` answers each call."""
    made = _made(service)
    made._make_api_call = functools.partial(answer, service)
    return made


@functools.cache
def _made(service: str) -> Any:
    """Making one costs ten milliseconds; one history at a time uses it."""
    return SESSION.client(service)


def refusal(service: str, operation: str, code: str, message: str = "", **further: Any) -> ClientError:
    """The error that boto3 raises for an error code."""
    said = {"Error": {"Code": code, "Message": message or code}, **further}
    return _made(service).exceptions.from_code(code)(said, operation)


@dataclass
class Object:
    body: bytes
    modified: datetime
    version: str


@dataclass
class Buckets:
    """S3."""

    now: Callable[[], datetime]
    objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    written: int = 0

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        return getattr(self, operation)(asked)

    def get(self, address: str) -> bytes:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return self.objects[bucket][key].body

    def put(self, address: str, body: bytes) -> str:
        """Write an object; the answer is its version."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        self.written += 1
        self.objects[bucket][key] = Object(body, self.now(), f"v{self.written:06}")
        return self.objects[bucket][key].version

    def below(self, address: str) -> dict[str, bytes]:
        """The objects of a folder, by what their keys add to it."""
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        found = self.objects[bucket].items()
        return {key[len(prefix) :]: item.body for key, item in sorted(found) if key.startswith(prefix)}

    def PutObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("IfNoneMatch") == "*" and asked["Key"] in self.objects[asked["Bucket"]]:
            raise refusal("s3", "PutObject", "PreconditionFailed")
        body = asked.get("Body", b"")
        body = body if isinstance(body, bytes) else body.read()
        return {"VersionId": self.put(f"s3://{asked['Bucket']}/{asked['Key']}", body)}

    def _find(self, operation: str, bucket: str, key: str) -> Object:
        if key not in self.objects[bucket]:
            raise refusal("s3", operation, "NoSuchKey", f"no {bucket}/{key}")
        return self.objects[bucket][key]

    def GetObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self._find("GetObject", asked["Bucket"], asked["Key"])
        return {"Body": StreamingBody(io.BytesIO(found.body), len(found.body)), **self._about(found)}

    def HeadObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._about(self._find("HeadObject", asked["Bucket"], asked["Key"]))

    def _about(self, found: Object) -> dict[str, Any]:
        digest = base64.b64encode(hashlib.sha256(found.body).digest()).decode()
        about = {"ContentLength": len(found.body), "LastModified": found.modified}
        return about | {"VersionId": found.version, "ChecksumSHA256": digest}

    def CopyObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        source = asked["CopySource"]
        if isinstance(source, str):
            bucket, _, key = source.removeprefix("/").partition("/")
        else:
            bucket, key = source["Bucket"], source["Key"]
        found = self._find("CopyObject", bucket, key)
        self.put(f"s3://{asked['Bucket']}/{asked['Key']}", found.body)
        return {"CopyObjectResult": {"ChecksumSHA256": self._about(found)["ChecksumSHA256"]}}

    def DeleteObject(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.objects[asked["Bucket"]].pop(asked["Key"], None)
        return {}

    def ListObjectsV2(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            {"Key": key, "Size": len(item.body), "LastModified": item.modified}
            for key, item in sorted(self.objects[asked["Bucket"]].items())
            if key.startswith(asked.get("Prefix", ""))
        ]
        found = found[: asked.get("MaxKeys", 1000)]
        return {"KeyCount": len(found), "IsTruncated": False} | ({"Contents": found} if found else {})


@dataclass
class Table:
    """DynamoDB, of one table."""

    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        return getattr(self, operation)(asked)

    def plain(self) -> list[dict[str, str]]:
        """All items in order, without the types."""
        return [
            {name: next(iter(value.values())) for name, value in self.items[key].items()}
            for key in sorted(self.items)
        ]

    def GetItem(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.items.get(_key(asked["Key"]))
        return {"Item": dict(found)} if found else {}

    def PutItem(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._must_hold("PutItem", asked, asked["Item"])
        self.items[_key(asked["Item"])] = json.loads(json.dumps(asked["Item"]))
        return {}

    def DeleteItem(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._must_hold("DeleteItem", asked, asked["Key"])
        self.items.pop(_key(asked["Key"]), None)
        return {}

    def UpdateItem(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._must_hold("UpdateItem", asked, asked["Key"])
        return {"Attributes": self._update(asked)}

    def _update(self, asked: dict[str, Any]) -> dict[str, Any]:
        item = dict(self.items.get(_key(asked["Key"]), asked["Key"]))
        names, expression = asked.get("ExpressionAttributeNames", {}), asked["UpdateExpression"]
        for name, value in re.findall(r"(#?\w+) = (:\w+)", expression):
            item[names.get(name, name)] = asked["ExpressionAttributeValues"][value]
        for name in (
            expression.removeprefix("REMOVE ").split(", ") if expression.startswith("REMOVE ") else ()
        ):
            item.pop(name, None)
        self.items[_key(asked["Key"])] = item
        return item

    def Query(self, asked: dict[str, Any]) -> dict[str, Any]:
        holds = _condition(asked, asked["KeyConditionExpression"])
        # A condition costs a tenth of a millisecond: it is asked of one partition alone, as by DynamoDB.
        named = {value.get("S") for value in asked["ExpressionAttributeValues"].values()}
        keys = sorted(key for key in self.items if key[0] in named)
        found = [self.items[key] for key in keys if holds(self.items[key])]
        if not asked.get("ScanIndexForward", True):
            found = found[::-1]
        return self._page(asked, found[: asked.get("Limit", 10**6)])

    def Scan(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._page(asked, [self.items[key] for key in sorted(self.items)])

    def _page(self, asked: dict[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
        if "FilterExpression" in asked:
            found = list(filter(_condition(asked, asked["FilterExpression"]), found))
        return {"Items": [dict(item) for item in found], "Count": len(found)}

    def TransactWriteItems(self, asked: dict[str, Any]) -> dict[str, Any]:
        token, request = asked.get("ClientRequestToken"), json.dumps(asked, sort_keys=True)
        if token and token in self.tokens:
            if self.tokens[token] != request:
                raise refusal("dynamodb", "TransactWriteItems", "IdempotentParameterMismatchException")
            return {}
        failed = [
            not self._holds(item, item.get("Item") or item["Key"])
            for action in asked["TransactItems"]
            for item in action.values()
        ]
        if any(failed):
            raise cancelled(["ConditionalCheckFailed" if each else "None" for each in failed])
        for action in asked["TransactItems"]:
            if put := action.get("Put"):
                self.items[_key(put["Item"])] = json.loads(json.dumps(put["Item"]))
            if update := action.get("Update"):
                self._update(update)
        if token:
            self.tokens[token] = request
        return {}

    def _holds(self, asked: dict[str, Any], key: Mapping[str, Any]) -> bool:
        condition = asked.get("ConditionExpression")
        return not condition or _condition(asked, condition)(self.items.get(_key(key), {}))

    def _must_hold(self, operation: str, asked: dict[str, Any], key: Mapping[str, Any]) -> None:
        if not self._holds(asked, key):
            there = self.items.get(_key(key))
            further = {"Item": there} if there and "ReturnValuesOnConditionCheckFailure" in asked else {}
            said = "The conditional request failed"
            raise refusal("dynamodb", operation, "ConditionalCheckFailedException", said, **further)


def cancelled(codes: list[str]) -> ClientError:
    """A transaction that was not made (DynamoDB API Reference, TransactWriteItems, Errors)."""
    said = "Transaction cancelled, please refer cancellation reasons for specific reasons "
    reasons = [{"Code": code} for code in codes]
    code = "TransactionCanceledException"
    message = f"{said}[{', '.join(codes)}]"
    return refusal("dynamodb", "TransactWriteItems", code, message, CancellationReasons=reasons)


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["group"]["S"], item["entry"]["S"]


def _condition(asked: dict[str, Any], expression: str) -> Callable[[dict[str, Any]], bool]:
    """Whether an item, which may be empty, is as an expression of the request says."""
    names, values = asked.get("ExpressionAttributeNames"), asked.get("ExpressionAttributeValues")
    holds = get_filter_expression(expression, names, values)
    return lambda item: bool(holds.expr(Item(DynamoType({"S": ""}), None, item)))


@dataclass
class Message:
    body: str
    sent: datetime
    attributes: dict[str, Any]
    id: str
    hidden: bool = False


@dataclass
class Queues:
    """SQS; a message that somebody has received is hidden until it is given back or deleted."""

    now: Callable[[], datetime]
    by_url: dict[str, list[Message]] = field(default_factory=dict)
    sent: int = 0

    def answer(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        return getattr(self, operation)(asked)

    def SendMessage(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.sent += 1
        name = f"m{self.sent}"
        attributes = asked.get("MessageAttributes", {})
        message = Message(asked["MessageBody"], self.now(), attributes, name)
        self.by_url[asked["QueueUrl"]].append(message)
        return {"MessageId": name}

    def ReceiveMessage(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [message for message in self.by_url[asked["QueueUrl"]] if not message.hidden]
        found = found[: asked.get("MaxNumberOfMessages", 1)]
        for message in found:
            message.hidden = True
        return (
            {
                "Messages": [
                    {
                        "MessageId": message.id,
                        "ReceiptHandle": message.id,
                        "Body": message.body,
                        "Attributes": {"SentTimestamp": str(int(message.sent.timestamp() * 1000))},
                        "MessageAttributes": message.attributes,
                    }
                    for message in found
                ]
            }
            if found
            else {}
        )

    def DeleteMessage(self, asked: dict[str, Any]) -> dict[str, Any]:
        messages = self.by_url[asked["QueueUrl"]]
        messages[:] = [message for message in messages if message.id != asked["ReceiptHandle"]]
        return {}

    def ChangeMessageVisibility(self, asked: dict[str, Any]) -> dict[str, Any]:
        for message in self.by_url[asked["QueueUrl"]]:
            message.hidden = message.hidden and message.id != asked["ReceiptHandle"]
        return {}
