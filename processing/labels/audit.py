"""The audit of a month's labels without a person: how many are right, from a blind random sample of them.

What is drawn is decided here, too, in `draw`; whoever draws is pipelines/review/sample.py, and the bounds are
in exact.py. A sample is of the labels as they were published: what is corrected by it counts as wrong.
"""

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from processing.labels.exact import LEVEL, rows_needed, share_of_pooled, wrong_of
from processing.policy import AUTOMATIC, Policy

#: What a sheet of a sample hands over beside its decisions, and what stays beside the labels.
SAMPLE, ANSWERS = "sample.json", "audit.parquet"
#: How far an interval reaches to either side, unless somebody wants another one.
WIDTH = 0.02
#: A code with at most as many items is taken whole; of any other at least as many are drawn.
EACH = 5
#: A code has an interval of its own where as many of its rows are answered, or all of them.
ENOUGH = 20
#: How many months before its own an audit may be pooled with.
MONTHS = 11
#: A row was taken with its small code, at random from all other codes, or for its code to have EACH.
WHOLE, RANDOM, MORE = "whole", "random", "more"
_ROW = ("item_id", "code", "part", "answer", "label", "decided_by", "decided_at")
_SCHEMA = pa.schema([(name, pa.string()) for name in _ROW])


@dataclass(frozen=True)
class Count:
    """Of some items, how many were drawn, and of these how many people found right and wrong."""

    items: int
    drawn: int
    right: int
    wrong: int

    @property
    def may_be_wrong(self) -> int:
        """Of those drawn: what nobody answered may be."""
        return self.drawn - self.right

    def right_bounds(self) -> tuple[float, float]:
        """Exact bounds of the share of right ones among all the items, in [0, 1]."""
        low, high = wrong_of(self.items, self.drawn, self.wrong, self.may_be_wrong)
        return 1 - high / self.items, 1 - low / self.items


def draw(codes: Mapping[str, str], seed: str, rows: int) -> list[dict[str, str]]:
    """The sample: `item_id`, `code`, `part` of each item drawn, in an order that says nothing of its label.

    All items of codes with at most EACH, `rows` at random from the others, and more of those codes that have
    fewer than EACH among these. By the order of SHA-256 digests of seed and item, so anybody can draw again.

    Args:
        codes: the code of each item, by its id.
        seed: any text that nobody could choose.
        rows: how many are drawn at random; all of the others where there are no more.
    """
    sizes = Counter(codes.values())
    order = in_order(codes, seed)
    others = [item for item in order if sizes[codes[item]] > EACH]
    part = {item: WHOLE for item in order if sizes[codes[item]] <= EACH}
    part |= dict.fromkeys(others[:rows], RANDOM)
    had = Counter(codes[item] for item in others[:rows])
    for item in others[rows:]:
        if had[codes[item]] < EACH:
            had[codes[item]] += 1
            part[item] = MORE
    shuffled = sorted(part, key=lambda item: _digest(seed, "row", item))
    return [{"item_id": item, "code": codes[item], "part": part[item]} for item in shuffled]


def in_order(items: Iterable[str], seed: str) -> list[str]:
    """Items in the order of SHA-256 digests of the seed, a line break and the item: at random, and again."""
    return sorted(items, key=lambda item: _digest(seed, item))


def rows_for(sizes: Mapping[str, int], wanted_precision: float, width: float) -> int:
    """How many rows to draw at random, for an interval of about `width` (in [0, 1]) to either side."""
    of = sum(sizes.values())
    others = sum(size for size in sizes.values() if size > EACH)
    return rows_needed(others, of, 1 - wanted_precision, width)


def promise(summary: Mapping[str, Any]) -> float:
    """The share of right ones promised of a month's labels without a person, by its summary; 0: the default.

    What is promised of all published labels allows them as many wrong ones as of all, and people none.
    """
    plan = summary["review"]
    wanted: float = plan["wanted_precision"] or Policy.precision
    if plan.get("promise", AUTOMATIC) == AUTOMATIC or not plan["automatic"]:
        return wanted
    published: int = plan["automatic"] + plan["needed"] - plan["let_through"]
    automatic: int = plan["automatic"]
    return max(1 - (1 - wanted) * published / automatic, 0.0)


def read_sample(folder: Path) -> dict[str, Any] | None:
    """What a sheet of a sample says of it, in a job's input folder; None where the sheet is of another kind.

    `sample` (its name), `of` (the run that labelled the items), `run` (that of the labels drawn from),
    `seed`, `drawn_at`, `width` (in [0, 1]), `rows` (of `draw`), `sizes` (items by code), `answers` (rows with
    `item_id`, `answer`, `label`, `decided_by`, `decided_at`), `earlier` (of the months before, the latest
    first, their `period` and their audit's `counts`).
    """
    path = folder / SAMPLE
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def answered(sample: Mapping[str, Any], before: pa.Table | None) -> pa.Table:
    """The rows of a sample with what people said of them; `before` has what other sheets of it said."""
    said = {row["item_id"]: row for row in (before.to_pylist() if before else []) if row["answer"]}
    said |= {row["item_id"]: row for row in sample["answers"]}
    return pa.Table.from_pylist(
        [{**said.get(row["item_id"], {}), **row} for row in sample["rows"]], schema=_SCHEMA
    )


def evaluate(sample: Mapping[str, Any], rows: pa.Table, promised: float) -> dict[str, Any]:
    """What the sample says: the month's `audit` (docs/outputs.md).

    Args:
        sample: of `read_sample`.
        rows: of `answered`.
        promised: the share that is to be right, in [0, 1].
    """
    sizes: dict[str, int] = sample["sizes"]
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    by_code: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.to_pylist():
        parts[row["part"]].append(row)
        by_code[row["code"]].append(row)
    whole = sum(size for size in sizes.values() if size <= EACH)
    counts = _count(whole, parts[WHOLE]), _count(sum(sizes.values()) - whole, parts[RANDOM])
    codes = {code: _count(sizes[code], of_code) for code, of_code in sorted(by_code.items())}
    every = _count(sum(sizes.values()), rows.to_pylist())
    at_least, at_most = _bounds(*counts)
    needed = rows_for(sizes, promised, sample["width"])
    pooled = (
        _pooled(counts, sample["earlier"], sample["width"], promised) if counts[1].drawn < needed else None
    )
    upper = [at_most, *([pooled["at_most"]] if pooled else [])]
    return {
        **{name: sample[name] for name in ("sample", "run", "seed", "drawn_at", "width")},
        "items": every.items,
        "drawn": every.drawn,
        "answered": every.right + every.wrong,
        "wrong": every.wrong,
        "answered_by": sorted({row["decided_by"] for row in rows.to_pylist() if row["answer"]}),
        "level": 1 - LEVEL,
        "promised": promised,
        **_rounded(_right(*counts), at_least, at_most),
        "refuted": min(upper) < promised,
        "pooled": pooled,
        "codes": [
            {"code": code, **asdict(found), **_rounded(_share(found), *found.right_bounds())}
            for code, found in codes.items()
            if found.right + found.wrong >= min(ENOUGH, found.items)
        ],
        "counts": dict(zip((WHOLE, RANDOM), map(asdict, counts), strict=True)),
    }


def in_words(audit: Mapping[str, Any]) -> str:
    """One sentence on an audit, and on what was promised."""
    said = (
        f"By a blind sample of {audit['drawn']:,} of the {audit['items']:,} labels without a person "
        f"({audit['answered']:,} answered), {_interval(audit)} of them are right"
    )
    if pooled := audit["pooled"]:
        said += f"; on average with {', '.join(pooled['periods'])}, {_interval(pooled)}"
    return f"{said}; {audit['promised']:.1%} are promised."


def in_short(audit: Mapping[str, Any] | None) -> str:
    """The audit as the ledger has it of labels; empty where there is none."""
    return f"{_interval(audit)}, {audit['answered']:,} of {audit['items']:,} seen" if audit else ""


def _interval(found: Mapping[str, Any]) -> str:
    right = "an unknown share" if found["right"] is None else f"{found['right']:.1%}"
    return f"{right} ({found['at_least']:.1%} to {found['at_most']:.1%})"


def _pooled(
    own: tuple[Count, Count], earlier: Sequence[Mapping[str, Any]], width: float, promised: float
) -> dict[str, Any] | None:
    """The average over the months before, as many as the wanted width takes, and this one; None without any.

    Each month's share counts by how many were drawn of it at random. So where every month keeps the promise
    the average does, too, however much larger one is, or whichever has more codes that were taken whole.
    """
    needed, periods, months = rows_needed(10**7, 10**7, 1 - promised, width), [], [own]
    for month in earlier:
        if sum(others.drawn for _, others in months) >= needed:
            break
        counts = Count(**month["counts"][WHOLE]), Count(**month["counts"][RANDOM])
        if counts[1].drawn:
            periods.append(month["period"])
            months.append(counts)
    if not periods or not own[1].drawn:
        return None
    drawn, wrong, may_be_wrong = (
        sum(getattr(others, name) for _, others in months) for name in ("drawn", "wrong", "may_be_wrong")
    )
    low, high = share_of_pooled(drawn, wrong, may_be_wrong)
    weights = [others.drawn / drawn for _, others in months]
    items = [whole.items + others.items for whole, others in months]
    # What was drawn at random is of another share of the labels in each month: the worst holds at either end.
    shares = [others.items / of for (_, others), of in zip(months, items, strict=True)]
    known, may_be = (
        sum(
            weight * getattr(whole, name) / of
            for weight, (whole, _), of in zip(weights, months, items, strict=True)
        )
        for name in ("wrong", "may_be_wrong")
    )
    rights = [_right(*month) for month in months]
    right = (
        None
        if None in rights
        else sum(weight * share for weight, share in zip(weights, rights, strict=True) if share is not None)
    )
    bounds = 1 - may_be - max(shares) * high, 1 - known - min(shares) * low
    return {"periods": periods, "drawn": drawn, **_rounded(right, *bounds)}


def _bounds(whole: Count, others: Count) -> tuple[float, float]:
    """Bounds of the share of right labels of a month; only what was drawn at random leaves a doubt."""
    items = whole.items + others.items
    low, high = wrong_of(others.items, others.drawn, others.wrong, others.may_be_wrong)
    return 1 - (whole.may_be_wrong + high) / items, 1 - (whole.wrong + low) / items


def _right(*parts: Count) -> float | None:
    """The estimated share of right labels, each part by its items; None where one has no answer at all."""
    shares = [(_share(part), part.items) for part in parts if part.items]
    if any(share is None for share, _ in shares):
        return None
    return sum(share * items for share, items in shares if share is not None) / sum(
        items for _, items in shares
    )


def _share(found: Count) -> float | None:
    known = found.right + found.wrong
    return found.right / known if known else None


def _count(items: int, rows: Sequence[Mapping[str, Any]]) -> Count:
    right = sum(row["answer"] == "code" and row["label"] == row["code"] for row in rows)
    wrong = sum(row["answer"] in ("code", "none") for row in rows) - right
    return Count(items, len(rows), right, wrong)


def _rounded(right: float | None, at_least: float, at_most: float) -> dict[str, float | None]:
    return {
        "right": None if right is None else round(right, 4),
        # Rounded outwards: an interval must not become narrower.
        "at_least": math.floor(1e4 * at_least + 1e-6) / 1e4,
        "at_most": math.ceil(1e4 * at_most - 1e-6) / 1e4,
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
