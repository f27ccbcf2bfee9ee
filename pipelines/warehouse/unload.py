"""Which datasets the warehouse is asked for, and in which words: Redshift's UNLOAD. Pure functions.

The Data API fills in parameters for values of a statement (Amazon Redshift Management Guide, "Running SQL
statements with parameters"). The query of an UNLOAD stands inside a string, where none reaches, so the named
parameters of queries/*.sql are filled in here. What the queries select from: docs/warehouse.md.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines import names, runs

QUERIES = Path(__file__).parent / "queries"
#: The dataset's columns before the attributes of its codebook, and after them (docs/contracts.md).
COLUMNS = ("item_id", "title", "brand", "product_type")
LAST_COLUMNS = {"training": ("label",), "inference": ()}
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,39}")


class CannotUnload(Exception):
    """No statement can be made of what was given; the message says what, and the fix."""


@dataclass(frozen=True)
class Order:
    """What one message asks for: a dataset for each of `groups`; empty means every known group."""

    purpose: str
    period: str
    delivery: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where datasets go: the bucket, the key that encrypts them, the role by which the warehouse writes."""

    bucket: str
    key_arn: str
    role_arn: str


def read_order(body: str, time_zone: str) -> Order:
    """The order in a message: a schedule's, or one sent by hand. Raises CannotUnload.

    A schedule's is `{"purpose", "scheduled_time"}`; its period is the month that had ended at that time in
    `time_zone`, its delivery is that time. One by hand is `{"purpose", "period", "delivery", "groups"}`.
    """
    try:
        given = json.loads(body)
        if given["purpose"] not in LAST_COLUMNS:
            raise ValueError(f"{given['purpose']!r} is not a purpose")
        if isinstance(given.get("groups"), str):
            raise ValueError("groups is not a list")
        if "scheduled_time" not in given:
            return Order(given["purpose"], given["period"], given["delivery"], tuple(given["groups"]))
        time = datetime.fromisoformat(given["scheduled_time"]).astimezone(UTC)
        return Order(given["purpose"], month_before(time, time_zone), time.strftime("%Y%m%dT%H%M%SZ"))
    except (ValueError, KeyError, TypeError) as error:
        raise CannotUnload(
            f"the message is not an order for datasets ({error!r}): {body[:500]!r}. Fix: send "
            '{"purpose": "training", "period": "2026-10", "delivery": "again", "groups": ["DE-weee"]}'
        ) from error


def month_before(time: datetime, time_zone: str) -> str:
    """The last month that has ended at `time`, on the clocks of `time_zone`: `2026-10`."""
    there = time.astimezone(ZoneInfo(time_zone))
    return (there.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def request(order: Order, group: str, attributes: Sequence[str], place: Place, stack: str) -> dict[str, Any]:
    """The ExecuteStatement request for one group's dataset, without the warehouse's own name.

    `attributes` are those of the group's codebook. The statement is named `{stack}/{folder}`, and its client
    token is made of that name, so that the same order twice is one statement. Raises CannotUnload, and
    runs.BadKey for a folder from which no run could start.
    """
    folder = names.DATASET.format(
        purpose=order.purpose, group=group, period=order.period, delivery=order.delivery
    )
    runs.landed(order.purpose, place.bucket, f"{folder}manifest", version="-", time="-")
    name = f"{stack}/{folder.rstrip('/')}"
    columns = (*COLUMNS, *attributes, *LAST_COLUMNS[order.purpose])
    query = fill_in(
        (QUERIES / f"{order.purpose}.sql").read_text(encoding="utf-8"),
        columns,
        {"model_group": group, "period": order.period},
    )
    return {
        "Sql": f"UNLOAD ({literal(query)})\n"
        f"TO {literal(names.address(place.bucket, folder))}\n"
        f"IAM_ROLE {literal(place.role_arn)}\n"
        "FORMAT AS PARQUET\n"
        "MANIFEST VERBOSE\n"
        f"KMS_KEY_ID {literal(place.key_arn)}\n"
        "ENCRYPTED",
        "StatementName": name,
        "ClientToken": hashlib.sha256(name.encode()).hexdigest(),
        "WithEvent": True,
    }


def fill_in(query: str, columns: Sequence[str], values: Mapping[str, str]) -> str:
    """`query` without comments, with `columns` for `{columns}` and a literal for each `:name` in `values`.

    Raises:
        CannotUnload: for a name too many or too few, and for what cannot stand in SQL safely.
    """
    if strange := [column for column in columns if not _COLUMN.fullmatch(column)]:
        raise CannotUnload(
            f"{strange[0]!r} is not a column name. "
            "Fix: name attributes in small letters, digits and underscores"
        )
    text = re.sub(r"^\s*--.*\n", "", query, flags=re.MULTILINE).strip()
    text = text.replace("{columns}", ", ".join(f'"{column}"' for column in columns))
    if (asked := set(_PARAMETER.findall(text))) != values.keys():
        raise CannotUnload(
            f"the query has the parameters {sorted(asked)}, there are values for {sorted(values)}. "
            "Fix: use exactly those in pipelines/warehouse/queries"
        )
    return _PARAMETER.sub(lambda found: literal(values[found[1]]), text)


def literal(text: str) -> str:
    """`text` as a string of SQL. Raises CannotUnload for NUL and for a backslash, Redshift's escape."""
    if "\\" in text or "\0" in text:
        raise CannotUnload(f"{text!r} holds a backslash or NUL. Fix: leave it out")
    return "'" + text.replace("'", "''") + "'"


def failure(name: str, state: str, cause: str) -> dict[str, Any]:
    """What the failure queue gets of a statement that did not finish, in the form of docs/contracts.md.

    Its `input` is the order that runs it again, under the next delivery: the failed one may have left files,
    and UNLOAD writes over none.
    """
    order = read_name(name)
    again = {
        "purpose": order.purpose,
        "period": order.period,
        "delivery": next_delivery(order.delivery),
        "groups": list(order.groups),
    }
    return {"machine": "unload", "run": name, "input": again, "error": state, "cause": cause}


def read_name(name: str) -> Order:
    """The order, for one group, that a statement's name says. Raises ValueError."""
    _, _, folder = name.partition("/")
    dataset = names.parse_dataset(f"{folder}/")
    if dataset is None:
        raise ValueError(
            f"{name!r} is not the name of an UNLOAD of this stack. "
            "Fix: give statements of your own names that do not begin with the stack's"
        )
    return Order(dataset.purpose, dataset.period, dataset.delivery, (dataset.group,))


def next_delivery(delivery: str) -> str:
    """`d1` is followed by `d1-2`, that by `d1-3`."""
    first, _, number = delivery.rpartition("-")
    return f"{first}-{int(number) + 1}" if first and number.isdigit() else f"{delivery}-2"
