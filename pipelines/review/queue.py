"""Which labels go out to a person, in which order, and the rows of the sheet they go out on."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evidence.neighbours import most_alike
from pipelines.review import families
from pipelines.review.published import Output, Places, ReviewError, items
from processing.codes.codebook import Codebook
from processing.dataset.text import TEXT_COLUMNS
from processing.labels.label_table import DECIDED
from processing.policy import DECIDE, Policy

SHOWN = 5
DEFAULT = Policy()
#: The rows of a sheet after which people are told what is expected to be right.
AFTER = (30, 100, 300, 1_000, 3_000)
#: A wrong label of a critical code weighs as much as so many others.
CRITICAL = 50


def queue(
    output: Output, book: Codebook, wanted: Collection[str] | None = None, policy: Policy = DEFAULT
) -> list[dict[str, Any]]:
    """The labels that go out to a person, the most valuable first.

    Each has `value`, the expected gain of its row: how many wrong labels it corrects, where one of a critical
    code counts as CRITICAL. That is the sum of the chances that the model's code is wrong (1 where it is not
    in force, or a person had to do with it) over the items that the row decides on: its own; those here with
    the same text, or its family's shared among the family's rows, where the policy lets one decide on them.
    The rows of a family stand together. What somebody skipped comes last.

    Besides, each has `errors`, the wrong labels that its row corrects, whatever their code; `same_text`, how
    many items here have its text; and of its family (families.py) the `mark`, the `members`, whether it
    `checks` it, and how many `others` are decided by it.

    Args:
        output: the labels.
        book: the group's codebook.
        wanted: the ids of the items to take instead, whatever their status.
        policy: the group's.

    Raises:
        ReviewError: where what is wanted cannot be decided on.
    """
    if wanted is None:
        chosen = output.labels.filter(pc.equal(output.labels["status"], "review"))
    else:
        chosen = _these(output, wanted)
    rows = chosen.to_pylist()
    in_force = set(book.in_force(output.manifest["period"]))
    critical = {code.code for code in book.codes if code.critical}
    texts = Counter(row["text_key"] for row in rows)
    for row in rows:
        by_model = row["confidence"] is not None and row["code"] in in_force
        grave = bool(critical & {row["code"], row["second_code"]})
        row["same_text"] = texts[row["text_key"]]
        row["errors"] = 1 - row["confidence"] if by_model else 1.0
        row["risk"] = row["errors"] * (CRITICAL if grave else 1)
        row["value"] = row["risk"] * (row["same_text"] if policy.same_text == DECIDE else 1)
    by_id = {row["item_id"]: row for row in rows}
    for each in families.waiting(output.labels, in_force) if wanted is None else ():
        together = policy.family == DECIDE
        shown, gain = (each.rows, "risk") if together else (each.items, "value")
        value, errors = (sum(by_id[item][of] for item in each.items) / len(shown) for of in (gain, "errors"))
        for place, item in enumerate(shown):
            about = {"mark": each.mark, "members": each.items, "checks": together and place > 0}
            about["others"] = len(each.others) if together and place == 0 else 0
            by_id[item] |= about | {"place": place, "value": value, "errors": errors}
        for item in each.others if together else ():
            del by_id[item]

    def rank(row: dict[str, Any]) -> tuple[Any, ...]:
        skipped = row["answer"] == "skip"
        together = row.get("mark", row["text_key"])
        return (skipped, -row["value"], together, row.get("place", 0), row["item_id"])

    return sorted(by_id.values(), key=rank)


def sheet_rows(
    places: Places,
    output: Output,
    book: Codebook,
    wanted: Collection[str] | None = None,
    learned: pa.Table | None = None,
    policy: Policy = DEFAULT,
) -> Iterator[dict[str, Any]]:
    """The rows of the sheet, as pipelines/review/sheet.py writes them; `wanted` and `policy` are of `queue`.

    Besides, each says whether its item `waits` for a person and whether a person has `decided` on it. The
    most `alike` rows are of `learned` (published.py).
    """
    going = queue(output, book, wanted, policy)
    known = items(
        places, output, {item for row in going for item in (row["item_id"], *row.get("members", ()))}
    )
    decided = families.decided_as(output.labels)
    texts = [{name: known[row["item_id"]][name] for name in TEXT_COLUMNS} for row in going]
    schema = pa.schema([(name, pa.string()) for name in TEXT_COLUMNS])
    table = pa.Table.from_pylist(texts, schema)
    alike = [()] * len(going) if learned is None else most_alike(table, learned)
    for row, neighbours in zip(going, alike, strict=True):
        item = known[row["item_id"]]
        yield {
            "run": output.manifest["run"],
            **{name: item[name] for name in ("item_id", "title", "brand", "product_type")},
            "suggested_code": row["code"],
            "suggested_description": row["description"],
            **{name: row[name] for name in ("confidence", "second_code", "same_text")},
            **_of_family(row, known, decided),
            "short_list": row.get("short_list"),  # labels from before it was there have none
            "alike": neighbours,
            "errors": row["errors"],
            "waits": row["status"] == "review",
            "decided": row["answer"] in DECIDED,
        }


def expected_right(labels: pa.Table, errors: Sequence[float]) -> list[tuple[int, float]]:
    """The share of a month's labels that is expected to be right after so many rows of its sheet.

    By the confidence of the model, people's decisions taken for right.

    Args:
        labels: all of the month's.
        errors: of the sheet's rows in their order, as `queue` has them.

    Returns:
        Rows and share in [0, 1]: before any, after each of AFTER that the sheet has, after all.
    """
    usable = labels.filter(pc.is_in(labels["status"], pa.array(["labelled", "none", "review"])))
    automatic = usable.filter(pc.equal(usable["status"], "labelled"))["confidence"].drop_null()
    wrong = len(automatic) - (pc.sum(automatic).as_py() or 0.0) + sum(errors)
    left = [wrong, *(wrong - corrected for corrected in accumulate(errors))]
    shown = [0, *(rows for rows in AFTER if rows < len(errors)), len(errors)]
    return [(rows, 1 - left[rows] / len(usable)) for rows in shown]


def _of_family(
    row: dict[str, Any],
    known: dict[str, dict[str, Any]],
    decided: dict[str, list[str]],
) -> dict[str, Any]:
    """What a row says of the items that it stands for, and its `reason`."""
    item, members = row["item_id"], row.get("members", ())
    as_it, reason = decided.get(item, []), row["reason"]
    variants = families.examples([known[each]["title"] for each in members], known[item]["title"])
    if row.get("checks"):
        reason = f"Checks the family of {members[0]}: decide on this item alone."
    stands_for = 1 + row.get("others", 0) + len(as_it)
    return {"reason": reason, "family": row.get("mark"), "stands_for": stands_for, "variants": variants}


def _these(output: Output, wanted: Collection[str]) -> pa.Table:
    usable = output.labels.filter(pc.not_equal(output.labels["status"], "rejected"))
    found = usable.filter(pc.is_in(usable["item_id"], value_set=pa.array(wanted, pa.string())))
    if missing := sorted(set(wanted) - set(found["item_id"].to_pylist())):
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise ReviewError(
            f"not in the labels of {output.manifest['run']}, or rejected there: "
            f"{', '.join(map(repr, missing[:SHOWN]))}{more}. Fix: write each item_id as it was delivered"
        )
    return found
