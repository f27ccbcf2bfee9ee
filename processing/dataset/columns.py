"""The columns a dataset's files must have, and whether one has them."""

from collections import Counter
from collections.abc import Iterable, Mapping

import pyarrow as pa

from processing.dataset import kinds

NAMED = 8
ARROW_TYPES = {"text": pa.string(), "number": pa.float64()}


def check_columns(found: Iterable[str], name: str, columns: Mapping[str, str]) -> None:
    """Raise BadData, with the missing and the unknown ones, unless the columns found are those expected."""
    counts = Counter(found)
    missing = [column for column in columns if column not in counts]
    extra = [column for column in counts if column not in columns]
    twice = sorted(column for column, times in counts.items() if times > 1)
    problems = [
        f"{what} {named(some)}"
        for what, some in (("lacks", missing), ("has the unknown", extra), ("has twice", twice))
        if some
    ]
    if problems:
        raise kinds.WRONG_COLUMNS.refusal(
            f"{name} has the wrong columns: it {' and '.join(problems)}.",
            f"deliver exactly {wanted(columns)}, CSV with a header; declare new ones in the codebook.",
        )


def named(names: list[str]) -> str:
    """Names in quotes: the first few, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(repr(name[:60]) for name in names[:NAMED]) + more


def wanted(columns: Mapping[str, str]) -> str:
    """The columns for a fix: all where they are few, else the first and how many more."""
    names = list(columns)
    more = f" and {len(names) - 2 * NAMED} more of the codebook" if len(names) > 2 * NAMED else ""
    return ", ".join(names[: 2 * NAMED]) + more
