"""A ledger in a table, filled as the workflows fill it."""

import argparse

import boto3

from pipelines.commands import approve, groups, models, reject
from tests import sent, stack_with_ledger

GROUP = "DE-weee"
FIRST, SECOND, THIRD = (
    f"{GROUP}-2025-{month}-{digit * 8}" for month, digit in (("08", "a"), ("09", "b"), ("10", "c"))
)
FOREIGN = "IT-weee-2025-09-dddddddd"


class Ledger:
    """The table, and what a test wants to put there and read from it."""

    def __init__(self):
        names = stack_with_ledger.create()
        self.client, self.table = boto3.client("dynamodb"), names["LedgerTable"]
        self.topic, self._sqs = names["MlopsTopicArn"], boto3.client("sqs")
        self._inbox = self._sqs.create_queue(QueueName="mlops")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._inbox, AttributeNames=["QueueArn"])
        endpoint = arn["Attributes"]["QueueArn"]
        boto3.client("sns").subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=endpoint)

    def messages(self) -> list[dict]:
        """The messages that MLOps have been sent."""
        return sent.received(self._sqs, self._inbox)

    def put(self, entry: str, group: str = GROUP, **attributes: str | float) -> None:
        item = {"group": group, "entry": entry, **attributes}
        typed = {
            name: {"N": str(value)} if isinstance(value, float) else {"S": value}
            for name, value in item.items()
        }
        self.client.put_item(TableName=self.table, Item=typed)

    def put_model(self, model: str, codebook: str = "2025-08") -> None:
        group, period = model[: -len("-2025-10-xxxxxxxx")], model[-16:-9]
        self.put(
            f"MODEL#{model}",
            group,
            run=f"{group}-training-{period}-0f3a9c21d4e5",
            period=period,
            objective=0.875,
            data_digest=f"data of {model}",
            code_digest=f"code of {model}",
            codebook_version=codebook,
            test_set=f"{group}-training-{period}-0f3a9c21d4e5",
            trained_at=f"{period}-02T08:00:00.000Z",
        )

    def put_decision(self, time: str, verdict: str, model: str, replaces: str) -> str:
        """As the comparison writes it; with a new winner where the verdict makes one."""
        digest = model[-8] * 12
        entry = f"DECISION#{time}#{GROUP}-comparison-{model[-16:-9]}-{digest}"
        replaced = {"replaced_score": 0.8} if replaces else {}
        self.put(
            entry,
            **{"verdict": verdict, "reason": f"{verdict} it is.", "model": model, "replaces": replaces},
            **{"score": 0.9, **replaced, "evidence_digest": digest},
            **{"evidence": f"s3://work-bucket/{model}.json"},
            **{"decided_by": "comparison", "codebook_version": "2025-08"},
        )
        if verdict in ("FIRST", "PROMOTE"):
            self.put("WINNER", model=model, decision=entry, since=time)
        return entry

    def item(self, entry: str, group: str = GROUP) -> dict[str, str]:
        key = {"group": {"S": group}, "entry": {"S": entry}}
        item = self.client.get_item(TableName=self.table, Key=key).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def entries(self) -> set[str]:
        return {item["entry"]["S"] for item in self.client.scan(TableName=self.table)["Items"]}


def labelmill(*words: str) -> int:
    """Run one command of the ledger; its exit code."""
    parser = argparse.ArgumentParser(prog="labelmill")
    commands = parser.add_subparsers()
    for module in (groups, models, approve, reject):
        module.add_parser(commands)
    args = parser.parse_args(words)
    return args.run(args)
