"""Where exactly a file is wrong. Slow, and only used once it is known to be wrong."""

import io
import json
from collections.abc import Iterator, Mapping

import pyarrow as pa

EXPECTED: dict[str, tuple[type | tuple[type, ...], str]] = {
    "text": (str, "text in quotes"),
    "number": ((int, float), "a number"),
}


def line_place(before: bytes) -> str:
    """The row of the last character of a text with which a file of JSON Lines begins."""
    return f"row {sum(1 for _ in _lines(before))}"


def bad_value(values: pa.ChunkedArray) -> str:
    """Row and position of the first value of a binary column that is not UTF-8, both from 1."""
    for row, value in enumerate(values.to_pylist(), 1):
        try:
            (value or b"").decode()
        except UnicodeDecodeError as error:
            return f"row {row}: byte {error.start + 1} (0x{value[error.start]:02x})"
    raise AssertionError("every value is UTF-8")


def first_fields(data: bytes) -> list[str] | None:
    """The field names of the first line; None where there is no line, or it is not an object."""
    for _, line in _lines(data):
        try:
            return list(json.loads(line))
        except (ValueError, TypeError, RecursionError):
            return None
    return None


def json_row(data: bytes, columns: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong with the first line that is not an object with `columns`, and the fix."""
    for number, line in _lines(data):
        try:
            pairs = json.loads(line, object_pairs_hook=list)
            line.decode().encode("utf-8")
            json.dumps(pairs, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return (
                f", row {number}, holds half a surrogate pair (\\ud800 to \\udfff).",
                "write the complete character.",
            )
        except RecursionError:
            return f", row {number}, is nested too deeply.", "write one flat JSON object per line."
        except ValueError as error:
            return f", row {number}, is not JSON ({error}).", "write one JSON object a line."
        if not line.lstrip().startswith(b"{"):
            return f", row {number}, is not an object.", "write one JSON object a line."
        names = [name for name, _ in pairs]
        if unknown := [name for name in names if name not in columns]:
            return (
                f", row {number}, has the unknown field {unknown[0]!r}.",
                f"write exactly {', '.join(columns)}.",
            )
        if twice := [name for name in names if names.count(name) > 1]:
            return f", row {number}, has the field {twice[0]!r} twice.", "write every field once."
        for column, value in pairs:
            types, word = EXPECTED[columns[column]]
            if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
                shown = json.dumps(value, ensure_ascii=False)[:40]
                return (
                    f", row {number}: {column} is {shown}, expected {word}.",
                    f"write {column} as {word}, or null.",
                )
    return None


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and content of each line that is not blank."""
    lines = (line for line in io.BytesIO(data) if line.strip())
    return enumerate(lines, 1)
