"""Rows that were set aside: Prepare's account of them, and what people are told of a model's training rows.

Which rows are set aside and why is in rows.py; how many are too many is in the group's policy.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from processing.codes.codebook import Codebook
from processing.dataset.rows import Tally
from processing.words import counted

SHOWN = 3


def account(rejected: Tally, delivered: int, codes: dict[str, Any] | None = None) -> dict[str, Any]:
    """What a report says of the rows delivered that were rejected, and of `codes_of` them.

    Returns:
        `rows` of how many (`of`); `problems`: rows by the kind of problem; `first`: `file`, `row` (from 1)
        and `reason`, or None; `codes`: by code in force, how many `rows` have a label that means it, may mean
        it or looks like it (`4.0` for `4`), and the commonest of these `labels`.
    """
    first = next(iter(rejected.first.values()))[0] if rejected.rows else None
    return {
        "rows": rejected.rows,
        "of": delivered,
        "problems": dict(rejected.problems.most_common()),
        "first": first and {name: first[name] for name in ("file", "row", "reason")},
        "codes": codes or {},
    }


def codes_of(table: pa.Table, good: pa.Table, book: Codebook, period: str) -> dict[str, Any]:
    """By code, the labels of the rows of `table` that are not among the `good` ones."""
    if "label" not in table.column_names:
        return {}
    code_map = book.code_map(period)
    meant = {code.code: code_map.candidates(code.code) for code in book.codes}
    alike: dict[str, set[str]] = {}
    for code, candidates in meant.items():
        alike.setdefault(_plain(code), set()).update(candidates)
    found: dict[str, Counter[str]] = {}
    for label, rows in (_labels(table) - _labels(good)).items():
        for code in meant.get(label) or alike.get(_plain(label)) or ():
            found.setdefault(code, Counter())[label] = rows
    return {
        code: {"rows": labels.total(), "labels": [label for label, _ in labels.most_common(SHOWN)]}
        for code, labels in sorted(found.items())
    }


def _labels(table: pa.Table) -> Counter[str]:
    return Counter(label for label in table["label"].to_pylist() if label)


def _plain(label: str) -> str:
    """A label without what a spreadsheet or an export may add: spaces, capitals, `.0`, zeros in front."""
    text = re.sub(r"[.,]0+$", "", label.strip().casefold())
    return text.lstrip("0") or text


def too_many(found: dict[str, Any], share: float) -> bool:
    """Whether an `account` has more than the `share`, in [0, 1], that a policy allows without a person."""
    most: float = share * found["of"]
    return bool(found["rows"] > most)


def cause(found: dict[str, Any], codes: Iterable[str]) -> str:
    """A sentence on the rows of an `account` that may be why a model cannot predict `codes`; or empty."""
    some = [(code, found["codes"][code]) for code in codes if code in found["codes"]]
    if not some:
        return ""
    named = "; ".join(
        f"{counted(rows['rows'], 'row')} labelled {', '.join(map(repr, rows['labels']))} (code {code})"
        for code, rows in some[:SHOWN]
    )
    more = f"; and of {counted(len(some) - SHOWN, 'more code')}" if len(some) > SHOWN else ""
    return f"Likely because rows were set aside: {named}{more}."


def in_words(found: dict[str, Any], asks_above: float | None = None) -> str:
    """How many training rows of an `account` were set aside, which kinds, and the first; or empty.

    `asks_above`: the policy's share, where a person must approve because there are more.
    """
    if not found["rows"]:
        return ""
    share = f"{found['rows']:,} of {counted(found['of'], 'training row')} ({found['rows'] / found['of']:.1%})"
    asked = (
        f", over the policy's {asks_above:.1%}, so a person must approve" if asks_above is not None else ""
    )
    kinds = [f"{kind.replace('-', ' ')} {rows:,}" for kind, rows in found["problems"].items()]
    more = f", {counted(len(kinds) - SHOWN, 'more kind')}" if len(kinds) > SHOWN else ""
    first = found["first"]
    return (
        f"Set aside: {share}{asked}. {', '.join(kinds[:SHOWN]).capitalize()}{more}; "
        f"the first: {first['file']}, row {first['row']}: {first['reason']}"
    )
