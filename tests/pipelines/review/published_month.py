"""A stack with one month of published labels, some of which wait for a person."""

import functools
import hashlib
import json
from datetime import UTC, datetime
from types import MappingProxyType

import boto3
import pyarrow as pa

from pipelines.codebooks import publish
from pipelines.review.published import Places
from processing.labels import label_table

GROUP, PERIOD = "DE-weee", "2026-10"
RUN = f"{GROUP}-inference-{PERIOD}-0f3a9c21d4e5"
PREFIX = f"labels/{GROUP}/{PERIOD}/{RUN}/"
BOOK = {
    "group": GROUP,
    "version": "2026-10",
    "language": "de",
    "source": "synthetic sample",
    "attributes": [{"name": "weight_kg", "type": "number"}],
    "codes": [
        {"code": code, "description": name, "valid_from": since, "valid_to": until, "critical": critical}
        for code, name, since, until, critical in (
            ("1", "Wärmeüberträger", "2018-08-15", None, False),
            ("2", "Bildschirme", "2018-08-15", None, False),
            ("5", "Kleingeräte", "2018-08-15", "2026-09-30", False),
            ("5a", "Haushalt", "2026-10-01", None, False),
            ("5b", "Werkzeug", "2026-10-01", None, False),
            ("6", "Telekommunikation", "2018-08-15", None, True),
        )
    ],
    "successions": [{"kind": "split", "from": ["5"], "to": ["5a", "5b"], "date": "2026-10-01"}],
}
#: item_id, code, confidence, second code, status, text key
LABELS = [
    ("007", "1", 0.95, "2", "review", "a" * 16),
    ("=1+1", "2", 0.60, "1", "review", "b" * 16),
    ("1e5", "5", 0.99, "1", "review", "c" * 16),
    ("twin-1", "1", 0.70, "2", "review", "d" * 16),
    ("twin-2", "1", 0.70, "2", "review", "d" * 16),
    ("grave", "1", 0.97, "6", "review", "e" * 16),
    ("sure", "1", 0.99, "2", "labelled", "f" * 16),
    ("rejected", None, 0.0, None, "rejected", None),
]
TITLE = 'Kühlschrank "No Frost"; weiß, 180 cm'


SESSION = boto3.Session("none", "none", region_name="eu-central-1")


@functools.cache
def client(service: str):
    """One for all tests: making a client costs more than most of them."""
    return SESSION.client(service)


class Stack:
    """The stack's clients and places, and what a test does with them."""

    def __init__(self):
        self.s3, self.dynamodb, self.states = map(client, ("s3", "dynamodb", "stepfunctions"))
        place = {"LocationConstraint": "eu-central-1"}
        for bucket in ("work-bucket", "labelled"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        keys = {"group": "HASH", "entry": "RANGE"}
        self.dynamodb.create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        )
        machine = self.states.create_state_machine(
            name="labelmill-inference",
            definition='{"StartAt": "Work", "States": {"Work": {"Type": "Succeed"}}}',
            roleArn="arn:aws:iam::123456789012:role/machine",
        )
        self.places = Places(
            self.s3, self.dynamodb, self.states, "ledger", "work-bucket", machine["stateMachineArn"]
        )
        given = {"s3": self.s3, "dynamodb": self.dynamodb, "work_bucket": "work-bucket", "table": "ledger"}
        publish.publish(BOOK, **given, now=datetime.now(UTC))
        self.publish(RUN, items=True)

    def publish(
        self,
        run: str,
        amended: list[str] | None = None,
        labels=LABELS,
        skipped=(),
        same_text=(),
        items=False,
        families=MappingProxyType({}),
        titles=MappingProxyType({}),
        decided_on=MappingProxyType({}),
    ) -> None:
        """Publish labels as the workflow does: files, manifest, their entries in the ledger.

        Labels without a confidence are decided by a person; `skipped` are ids, as are `same_text`: those with
        what a person decided for the same text. With `items` the run has items of its own, as one that
        labels has; `titles` are those that are not TITLE. `families` and
        `decided_on` are by id.
        """
        if items:
            known = [
                {
                    "item_id": row[0],
                    "title": titles.get(row[0], TITLE),
                    "brand": "",
                    "product_type": "Gerät",
                    "weight_kg": 1.5,
                }
                for row in labels
            ]
            lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in known)
            key = f"runs/{GROUP}/{run}/items/items-00000.jsonl"
            self.s3.put_object(Bucket="work-bucket", Key=key, Body=lines)
        columns = ("item_id", "code", "confidence", "second_code", "status", "text_key")
        made = pa.table(
            {name: list(values) for name, values in zip(columns, zip(*labels, strict=True), strict=True)}
        )
        answers = {"labelled": "code", "none": "none", "review": "withdrawn"}
        at = datetime(2026, 11, 2, 10, tzinfo=UTC)
        for name, values in {
            "answer": [
                (
                    {"labelled": "same_text", "review": None}[row[4]]
                    if row[0] in same_text
                    else answers[row[4]]
                )
                if row[2] is None
                else ("skip" if row[0] in skipped else None)
                for row in labels
            ],
            "reason": [
                "decided for the same text by B. Muster" if row[0] in same_text else None for row in labels
            ],
            "decided_by": ["B. Muster" if row[2] is None or row[0] in skipped else None for row in labels],
            "decided_at": [at if row[2] is None or row[0] in skipped else None for row in labels],
            "suggested": ["1" if row[2] is None else None for row in labels],
            "decided_on": [decided_on.get(row[0]) for row in labels],
            "family": [families.get(row[0]) for row in labels],
        }.items():
            made = made.append_column(name, pa.array(values, label_table.TYPES.get(name, pa.string())))
        table = label_table.assemble([made], {"run": run, "model_group": GROUP}, test_set=False)
        sink = pa.BufferOutputStream()
        import pyarrow.parquet as pq

        pq.write_table(table, sink)
        prefix = f"labels/{GROUP}/{PERIOD}/{run}/"
        manifest = {"group": GROUP, "period": PERIOD, "run": run, "model": "m1", "dataset": "s3://landing/x/"}
        if amended:
            manifest["amended_runs"] = amended
        body = sink.getvalue().to_pybytes()
        self.s3.put_object(Bucket="labelled", Key=f"{prefix}labels.parquet", Body=body)
        manifest["files"] = [{"name": "labels.parquet", "sha256": hashlib.sha256(body).hexdigest()}]
        listing = json.dumps(manifest).encode()
        self.s3.put_object(Bucket="labelled", Key=f"{prefix}manifest.json", Body=listing)
        item = {
            "group": GROUP,
            "labels": f"s3://labelled/{prefix}",
            "run": run,
            "recorded_at": at.isoformat(),
        }
        item["digest"] = hashlib.sha256(listing).hexdigest()
        for entry in (f"MONTH#{PERIOD}", f"LABELS#{PERIOD}#{run}"):
            typed = {name: {"S": value} for name, value in {**item, "entry": entry}.items()}
            self.dynamodb.put_item(TableName="ledger", Item=typed)

    def started(self) -> list[dict]:
        """The inputs of the executions so far."""
        listed = self.states.list_executions(stateMachineArn=self.places.machine_arn)["executions"]
        return [
            json.loads(self.states.describe_execution(executionArn=each["executionArn"])["input"])
            for each in listed
        ]

    def end_executions(self) -> None:
        for each in self.states.list_executions(stateMachineArn=self.places.machine_arn)["executions"]:
            self.states.stop_execution(executionArn=each["executionArn"])

    def decisions(self) -> list[dict]:
        """All decisions that were handed over."""
        listed = self.s3.list_objects_v2(Bucket="work-bucket", Prefix=f"sheets/{GROUP}/")
        keys = [entry["Key"] for entry in listed.get("Contents", [])]
        bodies = [self.s3.get_object(Bucket="work-bucket", Key=key)["Body"].read().decode() for key in keys]
        return [json.loads(line) for body in bodies for line in body.split("\n") if line]
