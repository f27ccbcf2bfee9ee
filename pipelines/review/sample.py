"""A blind random sample of a month's labels without a person: drawn once, recorded, and read again by name.

Its size and what its answers mean are in processing/labels/audit.py; its sheet goes the way of all sheets.
"""

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow.parquet as pq
from pyarrow import BufferReader

from pipelines import names
from pipelines.ledger import keys
from pipelines.ledger.items import NEW, typed
from pipelines.review.decisions import SAMPLE, Answer
from pipelines.review.published import (
    Output,
    Places,
    ReviewError,
    earlier_summaries,
    items,
    published,
    read_file,
)
from processing.labels import audit
from processing.labels.output import automatic
from processing.policy import Policy

COLUMNS = ("run", "item_id", "title", "brand", "product_type", "code", "none", "why")


@dataclass(frozen=True)
class Sample:
    """A sample as it was drawn.

    Attributes:
        name: what the sheet's column `run` says; it is made of the run that labelled the items.
        record: the ledger's item SAMPLE# (docs/ledger.md), without its keys.
        output: the labels it was drawn from.
    """

    name: str
    record: Mapping[str, str]
    output: Output

    @cached_property
    def codes(self) -> dict[str, str]:
        """The code of each item that it was drawn from."""
        return _automatic(self.output)

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """What was drawn, of `audit.draw`."""
        return audit.draw(self.codes, self.record["seed"], int(self.record["rows"]))


def draw(
    places: Places, output: Output, now: datetime, width: float | None = None, most: int | None = None
) -> Sample:
    """The sample of a month's labels; drawn at random at the first call, the same at every other.

    Once the items are labelled, however often people amend their labels, they have one sample: it cannot be
    drawn until it pleases.

    Args:
        places: where the labels are.
        output: the labels that are the month's.
        now: a time with a zone.
        width: about how far the interval may reach to either side, in (0, 1); None for the usual one.
        most: at most so many rows, where fewer than `width` takes.

    Raises:
        ReviewError: there is nothing to draw, not even `most` rows see every code, or it was drawn otherwise.
    """
    group, period, of = output.manifest["group"], output.manifest["period"], output.runs[0]
    name = names.run_name(group, SAMPLE, period, of)
    if (known := find(places, name)) is None:
        wanted = width or audit.WIDTH
        codes = _automatic(output)
        if not codes:
            raise ReviewError(
                f"{output.address} has no label without a person. Fix: nothing; a person has seen all of them"
            )
        rows = audit.rows_for(Counter(codes.values()), promised(places, output), wanted)
        seed = secrets.token_hex(16)
        drawn = {"of": of, "run": output.manifest["run"], "seed": seed, "width": f"{wanted:g}"}
        drawn |= {"rows": str(_within(codes, seed, rows, most)), "drawn_at": now.isoformat()}
        record(places, group, name, drawn)
        known = find(places, name)
        assert known
    if width and f"{width:g}" != known.record["width"]:
        raise ReviewError(
            f"{name} was drawn on {known.record['drawn_at'][:10]} for an interval of "
            f"{100 * float(known.record['width']):g} points to either side, and labels are sampled once. "
            "Fix: leave --width out"
        )
    if most is not None and len(known.rows) > most:
        raise ReviewError(
            f"{name} was drawn on {known.record['drawn_at'][:10]} with {len(known.rows)} rows, and labels "
            "are sampled once. Fix: leave --most out"
        )
    return known


def find(places: Places, name: str) -> Sample | None:
    """A sample by its name; None where none was drawn, or another sheet is named so. Raises ReviewError."""
    named = names.parse_run(name)
    if not named or named.purpose != SAMPLE or (found := recorded(places, name)) is None:
        return None
    return Sample(name, found, published(places, named.group, named.period, found["run"]))


def sheet_rows(places: Places, sample: Sample) -> Iterator[dict[str, Any]]:
    """The rows of the sheet, with the columns COLUMNS: the texts, and nothing of the label."""
    known = items(places, sample.output, (row["item_id"] for row in sample.rows))
    for row in sample.rows:
        item = known[row["item_id"]]
        texts = {name: item[name] for name in ("item_id", "title", "brand", "product_type")}
        yield {"run": sample.name, **texts}


def handed_over(
    places: Places, sample: Sample, said: Mapping[str, Answer], by: str, now: datetime
) -> dict[str, Any]:
    """What a sheet says of its sample, as processing/labels/audit.py reads it.

    `said` is the answer and the code on each item that was answered.
    """
    who = {"decided_by": by, "decided_at": now.isoformat(timespec="milliseconds")}
    summaries = earlier_summaries(
        places, sample.output.manifest["group"], sample.output.manifest["period"], audit.MONTHS
    )
    return {
        "sample": sample.name,
        **{name: sample.record[name] for name in ("of", "run", "seed", "drawn_at")},
        "width": float(sample.record["width"]),
        "rows": sample.rows,
        "sizes": Counter(sample.codes.values()),
        "answers": [
            {"item_id": item, "answer": answer, "label": label, **who}
            for item, (answer, label) in said.items()
        ],
        "said": sorted([item, *answer] for item, answer in said.items()),
        "earlier": [
            {"period": summary["period"], "counts": summary["audit"]["counts"]}
            for summary in summaries
            if summary.get("audit")
        ],
    }


def is_news(places: Places, newest: Output, file: str, said: Mapping[str, Answer]) -> bool:
    """Whether answers are not all in the `file` beside the month's labels already."""
    body = read_file(places, newest, file)
    rows = pq.read_table(BufferReader(body)).to_pylist() if body else []
    known = {row["item_id"]: (row["answer"], row["label"]) for row in rows}
    return any(known.get(item) != answer for item, answer in said.items())


def promised(places: Places, output: Output) -> float:
    """The share that is to be right among the labels without a person, in (0, 1]."""
    summary = read_file(places, output, "summary.json")
    return audit.promise(json.loads(summary)) if summary else Policy.precision


def _automatic(output: Output) -> dict[str, str]:
    rows = output.labels.filter(automatic(output.labels))
    return dict(zip(rows["item_id"].to_pylist(), rows["code"].to_pylist(), strict=True))


def _within(codes: Mapping[str, str], seed: str, rows: int, most: int | None) -> int:
    """How many of the `rows` at random are left where the sample has at most `most` rows in all."""
    while most is not None and (excess := len(audit.draw(codes, seed, rows)) - most) > 0:
        if not rows:
            raise ReviewError(
                f"with {most} rows not every code can be seen. Fix: give --most {most + excess} or more"
            )
        rows = max(rows - excess, 0)
    return rows


def record(places: Places, group: str, name: str, record: Mapping[str, str]) -> None:
    """Write into the ledger how something was drawn, unless it was drawn before."""
    item = typed({"group": group, "entry": keys.SAMPLE.format(sample=name), **record})
    with suppress(places.dynamodb.exceptions.ConditionalCheckFailedException):
        places.dynamodb.put_item(
            TableName=places.table, Item=item, ConditionExpression=NEW["ConditionExpression"]
        )


def recorded(places: Places, name: str) -> dict[str, str] | None:
    """What the ledger has of something drawn, by its name; None where nothing was drawn so."""
    named = names.parse_run(name)
    assert named
    found = places.dynamodb.get_item(
        TableName=places.table,
        Key={"group": {"S": named.group}, "entry": {"S": keys.SAMPLE.format(sample=name)}},
        ConsistentRead=True,
    ).get("Item")
    return {field: value["S"] for field, value in found.items()} if found else None
