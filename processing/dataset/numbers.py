"""Numbers that are text: which sign each column has before its decimals, told from all its values.

`1.234` is a thousand beside `0,5` and little more than one beside `0.5`; where nothing tells, nothing is
guessed. A value that is no number is missing and counted: it never costs the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Booleans
from processing.dataset import kinds
from processing.dataset.findings import SHOWN, Finding, Place, merged, shortened

#: Thousands apart by spaces or apostrophes, as in French and Swiss files, whatever the decimal sign.
GAPS = "[ '\\x{2019}\\x{a0}\\x{2009}\\x{202f}]"
MISSING = r"(?i)^[\s\p{Z}]*(nan)?[\s\p{Z}]*$"
OTHER = {".": ",", ",": "."}
SAMPLE = 1000


def _pattern(decimal: str) -> str:
    """Any number with the decimal sign, its thousands grouped by the other sign, or by GAPS, or not."""
    by = [rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+" for group in (rf"\{OTHER[decimal]}", GAPS)]
    whole = rf"(?:\d+|{'|'.join(by)})"
    digits = rf"(?:{whole}(?:\{decimal}\d*)?|\{decimal}\d+)"
    return rf"^[\s\p{{Z}}]*[-+\x{{2212}}]?{digits}(?:[eE][-+]?\d+)?[\s\p{{Z}}]*$"


PATTERNS = {decimal: _pattern(decimal) for decimal in OTHER}


@dataclass(frozen=True)
class Seen:
    """Values of one column that have something in common: how many, and the `first` two places."""

    count: int = 0
    first: tuple[Place, ...] = ()

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(self.count + other.count, (self.first + other.first)[:2])


@dataclass(frozen=True)
class Signs:
    """What a column's values say of its decimal sign.

    Attributes:
        by: for either sign the values that are numbers with this sign only.
        unclear: those that are another number with either: `1.234`.
        unclear_commas: those of them that have a comma: `1,234`.
    """

    by: dict[str, Seen]
    unclear: Seen
    unclear_commas: Seen

    def __add__(self, other: "Signs") -> "Signs":
        by = {sign: seen + other.by[sign] for sign, seen in self.by.items()}
        return Signs(by, self.unclear + other.unclear, self.unclear_commas + other.unclear_commas)

    def evident(self) -> str | None:
        """The one sign that values have."""
        signs = [sign for sign, seen in self.by.items() if seen.count]
        return signs[0] if len(signs) == 1 else None


@dataclass(frozen=True)
class Decimals:
    """The decimal sign of each number column, what was found, and the columns that have decimal commas."""

    signs: dict[str, str]
    findings: tuple[Finding, ...]
    commas: tuple[str, ...]


def signs(name: str, table: pa.Table, columns: Mapping[str, str]) -> dict[str, Signs]:
    """What the number columns of one file as it was read, strings or doubles, say of their decimal signs."""
    return {column: _signs(name, table, column) for column, kind in columns.items() if kind == "number"}


def decide(files: Iterable[dict[str, Signs]], stated: str | None, *, semicolons: bool) -> Decimals:
    """The decimal sign of each number column in all files.

    Args:
        files: the `signs` of each.
        stated: the decimal sign of the codebook's `format`, or None.
        semicolons: whether they separate the fields of a file.

    Raises:
        BadData: a column has both signs, or may have either, or another than is stated.
    """
    each = list(files)
    together = {column: sum((file[column] for file in each[1:]), each[0][column]) for column in each[0]}
    evident = {sign for found in together.values() if (sign := found.evident())}
    hint = evident.pop() if len(evident) == 1 else None
    decided: dict[str, str] = {}
    findings: list[Finding] = []
    for column, found in together.items():
        if stated:
            _check_stated(column, found, stated)
        else:
            findings += _check_clear(column, found, hint, semicolons=semicolons)
        decided[column] = stated or found.evident() or hint or "."
    commas = tuple(
        column for column, sign in decided.items() if sign == "," and together[column].by[sign].count
    )
    return Decimals(decided, merged(findings), commas)


def read(name: str, table: pa.Table, decimals: Decimals) -> tuple[pa.Table, dict[str, tuple[Finding, ...]]]:
    """Rows of one file with finite doubles or null in place of text, and what is unreadable, by column."""
    found = {}
    for column, sign in decimals.signs.items():
        given = table[column].combine_chunks()
        values, wrong = _doubles(given, sign)
        table = table.set_column(table.column_names.index(column), column, values)
        found[column] = _unreadable(name, column, given, table["_row"], wrong)
    return table, found


def _check_clear(column: str, found: Signs, hint: str | None, *, semicolons: bool) -> tuple[Finding, ...]:
    """Raise BadData where a column's decimal sign is not clear; a finding where points are taken for it.

    `hint` is the sign of the other columns. Where commas are decimal signs, semicolons separate the fields.
    """
    if all(seen.count for seen in found.by.values()):
        one_each = [seen.first[0] for seen in found.by.values()]
        raise kinds.MIXED_DECIMALS.refusal(
            f"{_named(column, one_each)}: in one the decimal sign is a point, in the other a comma."
        )
    if not found.unclear.count or found.evident() or hint:
        return ()
    places = tuple(dict.fromkeys(found.unclear_commas.first[:1] + found.unclear.first))[:2]
    if semicolons or found.unclear_commas.count:
        raise kinds.UNCLEAR_DECIMALS.refusal(
            f"{_named(column, places)}: nothing tells whether these are thousands or decimals."
        )
    return (Finding(kinds.ASSUMED_POINTS, found.unclear.count, places),)


def _check_stated(column: str, found: Signs, stated: str) -> None:
    """Raise BadData where more values have the other sign than that of the codebook; few are unreadable."""
    other = found.by[OTHER[stated]]
    if other.count > found.by[stated].count:
        raise kinds.FORMAT_CONTRADICTED.refusal(
            f"{_named(column, other.first)}: the codebook's format says that {stated!r} is the decimal sign."
        )


def _named(column: str, places: Sequence[Place]) -> str:
    where = " and ".join(f"{place.value!r} in {place.file}, row {place.row}" for place in places)
    return f"{column} is {where}"


def _signs(file: str, table: pa.Table, column: str) -> Signs:
    seen = {name: Seen() for name in (".", ",", "unclear", "unclear commas")}
    given = table[column].combine_chunks()
    if pa.types.is_string(given.type):
        # One point a value: one that is no thousand tells, and most files have one in their first rows.
        masks = _masks(given.slice(0, SAMPLE))
        if not masks["."].any() or _has_other_signs(given):
            masks = _masks(given)
        for name, mask in masks.items():
            first = tuple(
                Place(file, table["_row"][int(at)].as_py(), shortened(given[int(at)].as_py()))
                for at in np.flatnonzero(mask)[:2]
            )
            seen[name] = Seen(int(mask.sum()), first)
    return Signs({sign: seen[sign] for sign in OTHER}, seen["unclear"], seen["unclear commas"])


def _has_other_signs(given: pa.Array) -> bool:
    """Whether a value has a comma, or several points, as `1.234.567` where commas are decimal signs."""
    commas, points = pc.match_substring(given, ","), pc.greater(pc.count_substring(given, "."), 1)
    return bool(pc.any(commas).as_py() or pc.any(points).as_py())


def _masks(given: pa.Array) -> dict[str, Booleans]:
    """Which values have a decimal point for certain, which a comma, and which either."""
    at = np.flatnonzero(pc.fill_null(pc.match_substring_regex(given, "[.,]"), False))
    values = given.take(pa.array(at))
    point, comma = (np.asarray(pc.match_substring_regex(values, PATTERNS[sign]), bool) for sign in OTHER)
    unclear = point & comma
    found = {
        ".": point & ~comma,
        ",": comma & ~point,
        "unclear": unclear,
        "unclear commas": unclear & np.asarray(pc.match_substring(values, ","), bool),
    }
    masks = {}
    for name, some in found.items():
        masks[name] = np.zeros(len(given), bool)
        masks[name][at[some]] = True
    return masks


def _unreadable(
    file: str, column: str, given: pa.Array, rows: pa.ChunkedArray, wrong: pa.Array
) -> tuple[Finding, ...]:
    at = np.flatnonzero(wrong)
    first = tuple(
        Place(file, rows[int(row)].as_py(), shortened(f"{column}: {given[int(row)].as_py()}"))
        for row in at[:SHOWN]
    )
    return (Finding(kinds.UNREADABLE_NUMBER, len(at), first),) if len(at) else ()


def _doubles(given: pa.Array, decimal: str) -> tuple[pa.Array, pa.Array]:
    """Finite doubles or null, and which values are neither a number nor missing; both of shape (n_rows,)."""
    wrong = pa.array(np.zeros(len(given), bool))
    if pa.types.is_string(given.type):
        plain = _plain_doubles(given) if decimal == "." else None
        given, wrong = (plain, wrong) if plain is not None else _written_doubles(given, decimal)
    infinite = pc.fill_null(pc.is_inf(given), False)
    return pc.if_else(pc.fill_null(pc.is_finite(given), False), given, None), pc.or_(wrong, infinite)


def _plain_doubles(given: pa.Array) -> pa.Array | None:
    """The numbers where Arrow reads every value as one, or it is empty: much faster than patterns."""
    try:
        return pc.if_else(pc.equal(given, ""), None, given).cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _written_doubles(given: pa.Array, decimal: str) -> tuple[pa.Array, pa.Array]:
    text = pc.fill_null(given, "")
    reads = pc.match_substring_regex(text, PATTERNS[decimal])
    wrong = pc.invert(pc.or_(reads, pc.match_substring_regex(text, MISSING)))
    text = pc.if_else(reads, text, None)
    text = pc.replace_substring_regex(text, rf"{GAPS}|\{OTHER[decimal]}|[+\s\p{{Z}}]", "")
    text = pc.replace_substring(pc.replace_substring(text, decimal, "."), "\u2212", "-")
    return text.cast(pa.float64()), wrong
