"""Whether each line of JSON Lines is one object, and where exactly a file of them is wrong.

The rows themselves are parsed in jsonlines.py. Finding a fault is slow and only done once there is one.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from processing.dataset import jsonlines, kinds
from processing.dataset.columns import wanted
from processing.errors import JobError

PIECE_BYTES = 1 << 20
LINE = re.compile(rb"[^ \t\r\n][^\r\n]*")
SPACE = b" \t\r"


class Number(str):
    """A number as it is written in JSON: it can have more digits than Python reads."""


def line_place(before: bytes) -> str:
    """The row of the last character of a text with which a file of JSON Lines begins."""
    return f"row {sum(1 for _ in LINE.finditer(before))}"


def parsed(line: bytes) -> Any:
    """One line's value: objects as lists of pairs, numbers as Number. Raises ValueError, RecursionError."""
    return json.loads(
        line.decode(), object_pairs_hook=list, parse_int=Number, parse_float=Number, parse_constant=Number
    )


def pieces(data: bytes) -> Iterator[bytes]:
    """The text in whole lines, as few as make PIECE_BYTES."""
    start = 0
    while start < len(data):
        end = data.find(b"\n", start + PIECE_BYTES) + 1 or len(data)
        yield data[start:end]
        start = end


def rows_of(data: bytes) -> int | None:
    """`rows` of all pieces of a file."""
    total = 0
    for piece in pieces(data):
        found = rows(piece)
        if found is None:
            return None
        total += found
    return total


def rows(piece: bytes) -> int | None:
    """How many lines hold something; None where one is too long, or does not begin and end as an object.

    Where Arrow then finds as many objects, each line is one: without a nested value, a `}` before a line end
    ends an object. Arrow itself also reads several objects a line, and crashes where a text begins with null.
    """
    if len(piece) > PIECE_BYTES + jsonlines.BLOCK_BYTES:
        return None
    octets = np.frombuffer(piece, np.uint8)
    ends = np.flatnonzero(octets == ord("\n"))
    if not piece.endswith(b"\n"):
        ends = np.append(ends, len(piece))
    starts = np.append(0, ends[:-1] + 1)
    plain = (octets[np.minimum(starts, len(piece) - 1)] == ord("{")) & (octets[ends - 1] == ord("}"))
    count = int(np.count_nonzero(plain))
    for at in np.flatnonzero(~plain):
        line = piece[starts[at] : ends[at]].strip(SPACE)
        if line and not (line.startswith(b"{") and line.endswith(b"}")):
            return None
        count += bool(line)
    return count


def fault(data: bytes, name: str, schema: pa.Schema, columns: Mapping[str, str]) -> JobError | None:
    """What is wrong with the first line that is not one object with the fields of `schema`."""
    before = 0
    for piece in pieces(data):
        count = rows(piece)
        try:
            if count is not None and jsonlines.read(piece, schema).num_rows == count:
                before += count
                continue
        except pa.ArrowInvalid:
            pass
        for line in LINE.finditer(piece):
            before += 1
            where = f"{name}, row {before}"
            if line.end() - line.start() > jsonlines.BLOCK_BYTES:  # not copied
                return kinds.LONG_ROW.refusal(f"{where}, is longer than {jsonlines.BLOCK_BYTES >> 20} MiB.")
            if wrong := _fault_of_line(line.group().rstrip(SPACE), where, schema, columns):
                return wrong
    return None


def _fault_of_line(line: bytes, where: str, schema: pa.Schema, columns: Mapping[str, str]) -> JobError | None:
    if line.startswith(b"["):
        return kinds.JSON_ARRAY.refusal(f"{where}, is an array and not an object.")
    try:
        pairs = parsed(line)
        json.dumps(pairs, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return kinds.HALF_CHARACTER.refusal(f"{where}, holds half a surrogate pair (\\ud800 to \\udfff).")
    except RecursionError:
        return kinds.NESTED_VALUE.refusal(f"{where}, is nested too deeply.")
    except json.JSONDecodeError as error:
        return _not_json(line, error, where)
    if not line.startswith(b"{"):
        return kinds.BROKEN_JSON_LINES.refusal(f"{where}, is not an object.")
    return _fault_of_fields(pairs, where, schema, columns)


def _not_json(line: bytes, error: json.JSONDecodeError, where: str) -> JobError:
    rest = line.decode()[error.pos :].strip()
    if line.startswith(b"{") and error.msg == "Extra data" and rest.startswith("{"):
        return kinds.NOT_ONE_A_LINE.refusal(f"{where}, holds more than one object.")
    if line.startswith(b"{") and rest == ",":
        return kinds.BROKEN_JSON_LINES.refusal(
            f"{where}, ends in a comma.", "write one JSON object a line, and nothing between them."
        )
    if line.startswith(b"{") and not rest:
        return kinds.NOT_ONE_A_LINE.refusal(f"{where}, ends inside an object.")
    return kinds.BROKEN_JSON_LINES.refusal(f"{where}, is not JSON ({error}).")


def _fault_of_fields(
    pairs: list[tuple[str, Any]], where: str, schema: pa.Schema, columns: Mapping[str, str]
) -> JobError | None:
    counts = Counter(name for name, _ in pairs)
    if unknown := [name for name in counts if name not in columns]:
        return kinds.WRONG_COLUMNS.refusal(
            f"{where}, has the unknown field {unknown[0][:60]!r}.", f"write exactly {wanted(columns)}."
        )
    if twice := [name for name, times in counts.items() if times > 1]:
        return kinds.REPEATED_FIELD.refusal(f"{where}, has the field {twice[0]!r} twice.")
    for name, value in pairs:
        if value is None:
            continue
        if isinstance(value, list):
            return kinds.NESTED_VALUE.refusal(f"{where}: {name} is an object or an array, not one value.")
        as_text = pa.types.is_string(schema.field(name).type)
        if as_text != (type(value) is str) or isinstance(value, bool):
            return _other_type(value, name, where, as_text=as_text, kind=columns[name])
        if isinstance(value, Number) and np.isinf(float(value)) and value.lstrip("-")[0].isdigit():
            return kinds.OTHER_JSON_TYPE.refusal(
                f"{where}: {name} is {value[:40]}, more than a double holds.", f"write {name} as null there."
            )
    return None


def _other_type(value: Any, name: str, where: str, *, as_text: bool, kind: str) -> JobError:
    shown = value if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)
    if as_text and kind == "number":
        return kinds.OTHER_JSON_TYPE.refusal(
            f"{where}: {name} is {shown[:40]}, and text in quotes in rows before.",
            f"write {name} as a number in every row, or null.",
        )
    word = "text in quotes" if as_text else "a number"
    return kinds.OTHER_JSON_TYPE.refusal(
        f"{where}: {name} is {shown[:40]}, expected {word}.", f"write {name} as {word}, or null."
    )
