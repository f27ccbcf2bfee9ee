"""Single rows: which are set aside and why, and the canonical form of the others."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.arrays import Booleans
from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.dataset import kinds
from processing.dataset.data_files import COMMON
from processing.dataset.findings import SHOWN, Finding, Place, shortened
from processing.dataset.kinds import KINDS, Kind
from processing.dataset.no_title import say_nothing

# A row's texts together. A JSON line of them stays far below the 6 MB of one inference request.
TEXT_BYTES = 1 << 20
SLICE_ROWS = 20_000  # so many rows at most are Python objects at the same time
CONTROL = r"[\p{Cc}\x{2028}\x{2029}]"
# Spaces that do not break, or are of another width.
SPACES = r"[\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"
# No space, no control character, nothing of no width.
SEEN = r"[^\s\p{Z}\p{Cc}\p{Cf}\x{34f}\x{115f}\x{1160}\x{2800}\x{3164}\x{ffa0}]"
# What the classifier sees of a text: signs alone, such as `-` or `???`, are no title.
LETTER = r"[^\P{L}\x{115f}\x{1160}\x{3164}\x{ffa0}]|\p{N}"
REJECTED = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int32()),  # from 1
        ("item_id", pa.string()),
        ("problem", pa.string()),
        ("reason", pa.string()),
        ("fix", pa.string()),
    ]
)


@dataclass(frozen=True)
class Problem:
    """One thing that can be wrong with a row.

    `found(table)` is the mask of the rows that have it, shape (n_rows,); `reason` makes a sentence from a
    row's values, where that of the kind does not say enough.
    """

    kind: Kind
    found: Callable[[pa.Table], Booleans]
    reason: Callable[[dict[str, Any]], str] | None = None


def set_aside(table: pa.Table, problems: list[Problem]) -> tuple[pa.Table, pa.Table]:
    """The rows without a problem, and a table REJECTED of the others; the first problem counts."""
    first = np.full(table.num_rows, len(problems))
    for number in reversed(range(len(problems))):
        first[problems[number].found(table)] = number
    bad = first < len(problems)
    made = [REJECTED.empty_table()]
    for start in range(0, table.num_rows, SLICE_ROWS):
        slice_first = first[start : start + SLICE_ROWS]
        made.append(_rejected(table.slice(start, SLICE_ROWS), slice_first, problems))
    return table.filter(pa.array(~bad)), pa.concat_tables(made)


class Tally:
    """What is told of the rows set aside: how many have each `problem`, and the `first` rows that have it."""

    def __init__(self, *rejected: pa.Table) -> None:
        self.problems: Counter[str] = Counter()
        self.first: dict[str, list[dict[str, Any]]] = {}
        for table in rejected:
            self.add(table)

    def add(self, rejected: pa.Table) -> None:
        """Count the rows of a table REJECTED, which come after those counted before."""
        self.problems.update(rejected["problem"].to_pylist())
        for kind in pc.unique(rejected["problem"]).to_pylist():
            first = self.first.setdefault(kind, [])
            if len(first) < SHOWN:
                of_kind = rejected.filter(pc.equal(rejected["problem"], kind))
                first += of_kind.slice(0, SHOWN - len(first)).to_pylist()

    @property
    def rows(self) -> int:
        return self.problems.total()

    def findings(self) -> tuple[Finding, ...]:
        """The rows by kind; a place's value is the reason."""
        found = []
        for kind, first in self.first.items():
            places = tuple(Place(row["file"], row["row"], row["reason"]) for row in first)
            found.append(Finding(KINDS[kind], self.problems[kind], places))
        return tuple(found)


def _rejected(table: pa.Table, first: NDArray[np.int64], problems: list[Problem]) -> pa.Table:
    """Those of the rows that have a problem, by the number of their first one."""
    bad = first < len(problems)
    rejected = [
        {
            "file": row["_file"],
            "row": row["_row"],
            "item_id": row["item_id"],
            "problem": problem.kind.name,
            "reason": problem.reason(row) if problem.reason else problem.kind.what,
            "fix": problem.kind.fix,
        }
        for row, problem in zip(
            table.filter(pa.array(bad)).to_pylist(), (problems[number] for number in first[bad]), strict=True
        )
    ]
    return pa.Table.from_pylist(rejected, REJECTED)


def problems_of_items(
    repeats: Callable[[pa.Table], tuple[Booleans, Booleans]] | None = None,
) -> list[Problem]:
    """What can be wrong with any row, the most basic first.

    `repeats(table)` says which rows repeat earlier ones, and which share their id with others: by default
    within the table.
    """
    repeats = repeats or _repeats
    return [
        Problem(kinds.EMPTY_ID, _blank("item_id")),
        Problem(kinds.UNUSABLE_ID, lambda table: _beyond_printable(table["item_id"], CONTROL)),
        Problem(kinds.REPEATED_ROW, lambda table: repeats(table)[0]),
        Problem(kinds.DUPLICATE_ID, lambda table: repeats(table)[1]),
        Problem(kinds.EMPTY_TITLE, _no_title, _why_no_title),
        Problem(
            kinds.TOO_LONG,
            lambda table: _text_bytes(table) > TEXT_BYTES,
            lambda row: f"The row's texts are longer than {TEXT_BYTES} bytes.",
        ),
    ]


def _no_title(table: pa.Table) -> Booleans:
    return say_nothing(table["title"]) | ~_matches(table["title"], LETTER)


def _why_no_title(row: dict[str, Any]) -> str:
    title = row["title"] or ""
    return (
        f"The title is {title[:64]!r}, which says nothing."
        if re.search(r"\S", title)
        else "The title is empty."
    )


def missing_label() -> Problem:
    """The row has no label."""
    return Problem(kinds.EMPTY_LABEL, _blank("label"))


def problems_of_labels(book: Codebook, period: str) -> list[Problem]:
    """What can be wrong with a label: it is missing, unknown, or stands for no one code in force."""
    code_map, known = book.code_map(period), [code.code for code in book.codes]
    return [
        missing_label(),
        Problem(
            kinds.UNKNOWN_LABEL,
            lambda table: ~_mask(pc.is_in(table["label"], pa.array(known, pa.string()))),
            lambda row: f"The label {row['label'][:64]!r} is not in codebook {book.version}.",
        ),
        Problem(
            kinds.LABEL_NOT_IN_FORCE,
            lambda table: _mask(recode(table["label"], code_map).codes.is_null()),
            lambda row: f"The label is not in force in {period}: {code_map.outcome(row['label']).reason}.",
        ),
    ]


def canonical(table: pa.Table, columns: Mapping[str, str]) -> tuple[pa.Table, dict[str, tuple[Finding, ...]]]:
    """The rows as the other jobs get them: exactly `columns`; and what was repaired for that, by column.

    Ids and labels are untouched. In other text a control character, line separator or any other space becomes
    a plain space, so that every tool downstream sees one line. A missing brand or product type is an empty
    text, a missing attribute is null.
    """
    made = {}
    found: dict[str, tuple[Finding, ...]] = {}
    for column, kind in columns.items():
        values = table[column]
        if kind == "text" and column not in ("item_id", "label"):
            if _beyond_printable(values, f"{CONTROL}|{SPACES}").any():
                found[column] = (
                    *_spaces_for(kinds.CONTROL_CHARACTER, CONTROL, table, column),
                    *_spaces_for(kinds.OTHER_SPACE, SPACES, table, column),
                )
                values = pc.replace_substring_regex(values, f"{CONTROL}|{SPACES}", " ")
            if column in COMMON:
                values = pc.fill_null(values, "")
            else:
                values = pc.if_else(
                    pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True), None, values
                )
        made[column] = values
    return pa.table(made), found


def _spaces_for(kind: Kind, pattern: str, table: pa.Table, column: str) -> tuple[Finding, ...]:
    at = np.flatnonzero(_beyond_printable(table[column], pattern))
    rows = table.select(["_file", "_row", column]).take(at[:SHOWN]).to_pylist()
    places = tuple(Place(row["_file"], row["_row"], shortened(f"{column}: {row[column]!r}")) for row in rows)
    return (Finding(kind, len(at), places),) if places else ()


def _mask(values: pa.Array | pa.ChunkedArray) -> Booleans:
    return np.asarray(pc.fill_null(values, False), bool)


def _matches(values: pa.ChunkedArray, pattern: str) -> Booleans:
    return _mask(pc.match_substring_regex(values, pattern))


def _beyond_printable(values: pa.ChunkedArray, pattern: str) -> Booleans:
    """`_matches` for a pattern of nothing that is printable ASCII, as most texts are: faster."""
    found = ~_mask(pc.ascii_is_printable(values))
    if found.any():
        found[found] = _matches(values.filter(pa.array(found)), pattern)
    return found


def _blank(column: str) -> Callable[[pa.Table], Booleans]:
    return lambda table: ~_matches(table[column], SEEN)


def _text_bytes(table: pa.Table) -> NDArray[np.int64]:
    """Bytes of all texts of each row, shape (n_rows,)."""
    total = np.zeros(table.num_rows, np.int64)
    for column in table.column_names:
        if not column.startswith("_") and pa.types.is_string(table[column].type):
            total += np.asarray(pc.fill_null(pc.binary_length(table[column]), 0))
    return total


def _repeats(table: pa.Table) -> tuple[Booleans, Booleans]:
    """Rows that repeat an earlier row in every column, and rows whose id other, different rows have too."""
    same, differing = np.zeros(table.num_rows, bool), np.zeros(table.num_rows, bool)
    counts = pc.value_counts(table["item_id"].combine_chunks())
    several = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    at = np.flatnonzero(_mask(pc.is_in(table["item_id"], several)))
    if len(at):
        some = (
            table.select([name for name in table.column_names if not name.startswith("_")])
            .take(at)
            .to_pandas()
        )
        same[at] = some.duplicated(keep="first")
        once = ~same[at]
        differing[at[once]] = some[once].duplicated("item_id", keep=False)
    return same, differing
