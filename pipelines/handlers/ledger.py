"""What the handlers read in the ledger."""

from dataclasses import dataclass
from typing import Any

from pipelines.ledger import keys


@dataclass(frozen=True)
class Month:
    """How far a period is.

    Attributes:
        groups: the known groups that are not retired.
        labelled: those whose labels are published.
        without_items: those of which the warehouse had nothing to label.
        undecided: a model not yet decided upon, by group.
    """

    groups: frozenset[str]
    labelled: frozenset[str]
    without_items: frozenset[str]
    undecided: dict[str, str]


@dataclass(frozen=True)
class Ledger:
    """The table, through a boto3 DynamoDB client. Every read sees all writes before it."""

    client: Any
    table: str

    def winner(self, group: str) -> tuple[str, str]:
        """The model last recorded as best and the decision that made it so; empty when there is none."""
        item = self._item(group, keys.WINNER)
        return item.get("model", ""), item.get("decision", "")

    def published_at(self, group: str) -> str:
        """When the group's codebook and policy were published last; empty for an unknown group."""
        return self._item(group, keys.GROUP).get("published_at", "")

    def predictions(self, group: str, test_set: str, model: str) -> dict[str, str]:
        """What `model` made of the test set: `predictions` (address), `digest` (SHA-256 of the manifest).

        Empty when it has not labelled it.
        """
        item = self._item(group, keys.PREDICTIONS.format(test_set=test_set, model=model))
        return {name: item[name] for name in ("predictions", "digest")} if item else {}

    def labels_table(self, group: str, period: str) -> str:
        """Bucket and key of the labels that are the month's; empty where none are."""
        return self._item(group, keys.MONTH.format(period=period)).get("table", "")

    def decisions(self, group: str) -> list[dict[str, str]]:
        """The decisions on a group, the oldest first: `model` and `verdict`, and the `run` that made each."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            ConsistentRead=True,
            KeyConditionExpression="#group = :group AND begins_with(entry, :decision)",
            ProjectionExpression="entry, model, verdict",
            ExpressionAttributeNames={"#group": "group"},
            ExpressionAttributeValues={":group": {"S": group}, ":decision": {"S": keys.DECISIONS}},
        )
        return [
            {
                **{name: item[name]["S"] for name in ("model", "verdict")},
                "run": keys.parse(item["entry"]["S"])[1]["run"],
            }
            for page in pages
            for item in page["Items"]
        ]

    def codebooks(self) -> dict[str, tuple[str, str]]:
        """Every group that is known and not retired: address and SHA-256 (hex) of its codebook."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            FilterExpression="entry = :entry AND attribute_not_exists(retired_at)",
            ProjectionExpression="#group, codebook_uri, codebook_digest",
            ExpressionAttributeNames={"#group": "group"},
            ExpressionAttributeValues={":entry": {"S": keys.GROUP}},
        )
        return {
            item["group"]["S"]: (item["codebook_uri"]["S"], item["codebook_digest"]["S"])
            for page in pages
            for item in page["Items"]
        }

    def month(self, period: str) -> Month:
        """How far the groups are with `period`, in one pass over the table."""
        labels = keys.MONTH.format(period=period)
        without_items = keys.NO_ITEMS.format(purpose="inference", period=period)
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            ProjectionExpression="#group, entry, model",
            FilterExpression="(entry = :registered AND attribute_not_exists(retired_at)) "
            "OR entry IN (:without_items, :labels) "
            "OR begins_with(entry, :decision) OR (begins_with(entry, :model) AND #period = :period)",
            ExpressionAttributeNames={"#group": "group", "#period": "period"},
            ExpressionAttributeValues={
                ":registered": {"S": keys.GROUP},
                ":without_items": {"S": without_items},
                ":labels": {"S": labels},
                ":decision": {"S": keys.DECISIONS},
                ":model": {"S": keys.MODELS},
                ":period": {"S": period},
            },
        )
        found = [
            (item["group"]["S"], item["entry"]["S"], item.get("model", {}).get("S"))
            for page in pages
            for item in page["Items"]
        ]
        decided = {model for _, entry, model in found if entry.startswith(keys.DECISIONS)}
        trained = {
            entry.removeprefix(keys.MODELS): group
            for group, entry, _ in found
            if entry.startswith(keys.MODELS)
        }
        return Month(
            groups=frozenset(group for group, entry, _ in found if entry == keys.GROUP),
            labelled=frozenset(group for group, entry, _ in found if entry == labels),
            without_items=frozenset(group for group, entry, _ in found if entry == without_items),
            undecided={group: model for model, group in trained.items() if model not in decided},
        )

    def _item(self, group: str, entry: str) -> dict[str, str]:
        """The text attributes of one entry; empty when it is not there."""
        key = {"group": {"S": group}, "entry": {"S": entry}}
        item = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item", {})
        return {name: value["S"] for name, value in item.items() if "S" in value}
