"""A JSON Lines file as it is delivered, as an Arrow table: text as strings, numbers as doubles or as text.

A field that a line lacks is null there. What is wrong with a line is found in jsonlines_check.py.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from processing.codes.codebook import Format
from processing.dataset import jsonlines, jsonlines_check, kinds, text_files
from processing.dataset.columns import ARROW_TYPES, check_columns
from processing.dataset.findings import Read, Recognised, numbered
from processing.dataset.text_files import CELL_BYTES, Head
from processing.errors import JobError


def read(path: Path, name: str, columns: Mapping[str, str], stated: Format) -> Read:
    """Read one file; see processing.dataset.readers.read."""
    first: list[str] = []
    schema = pa.schema([(column, ARROW_TYPES[kind]) for column, kind in columns.items()])

    def judge(head: Head) -> int:
        nonlocal first, schema
        first = _fields(head, name, columns)
        schema = _schema(head, columns)
        return len(columns)

    data, encoding = text_files.content(path, name, stated.encoding, judge, jsonlines_check.line_place)
    data, findings = text_files.without_inner_marks(_with_line_feeds(data), name)
    table = _table(data, name, schema, columns)
    _check_no_column_is_absent(table, data, first, name, columns)
    return Read(numbered(table), Recognised("jsonl", encoding, header=tuple(first)), findings)


def _fields(head: Head, name: str, columns: Mapping[str, str]) -> list[str]:
    """The fields of the first line; none where it is no object, or longer than the head.

    Raises BadData where it has one that the columns do not have, or is part of an array.
    """
    line = jsonlines_check.LINE.search(head.text)
    if line is None or (line.end() == len(head.text) and not head.all):
        return []
    if line.group().startswith(b"["):
        raise kinds.JSON_ARRAY.refusal(f"{name} begins as one array, it has not one object a line.")
    try:
        pairs = jsonlines_check.parsed(line.group())
    except (ValueError, RecursionError):
        return []
    if not line.group().startswith(b"{"):
        return []
    names = [field for field, _ in pairs]
    if not set(names) <= set(columns):
        check_columns(names, name, columns)
    return names


def _schema(head: Head, columns: Mapping[str, str]) -> pa.Schema:
    """Numbers are text where the first of a column is, as databases write decimals."""
    types = {column: ARROW_TYPES[kind] for column, kind in columns.items()}
    open_columns = {column for column, kind in columns.items() if kind == "number"}
    for line in jsonlines_check.LINE.finditer(head.text):
        if not open_columns:
            break
        try:
            values = dict(jsonlines_check.parsed(line.group()))
        except (ValueError, TypeError, RecursionError):
            break
        for column in [column for column in open_columns if values.get(column) is not None]:
            open_columns.remove(column)
            if type(values[column]) is str:
                types[column] = pa.string()
    return pa.schema(types)


def _with_line_feeds(data: bytes) -> bytes:
    """Lines that end as in Windows or in old Macs end alike; inside JSON's texts is no line end."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _table(data: bytes, name: str, schema: pa.Schema, columns: Mapping[str, str]) -> pa.Table:
    # Objects are not more than there are closing brackets, on however few lines.
    if 2 * len(data) + CELL_BYTES * len(columns) * data.count(b"}") > text_files.MOST_BYTES:
        raise text_files.too_much(name)
    rows = jsonlines_check.rows_of(data)
    error = "a line is not one object"
    if rows is not None:
        try:
            table = jsonlines.read(data, schema)
        except pa.ArrowInvalid as invalid:
            error = str(invalid)
        else:
            if table.num_rows == rows:
                return table
    raise jsonlines_check.fault(data, name, schema, columns) or _unknown_fault(name, error)


def _unknown_fault(name: str, error: str) -> JobError:
    return kinds.BROKEN_JSON_LINES.refusal(f"{name}: {error[:200]}.")


def _check_no_column_is_absent(
    table: pa.Table, data: bytes, first: list[str], name: str, columns: Mapping[str, str]
) -> None:
    """Raise BadData where no line has the column: it may have another name, or was forgotten."""
    there = [
        column
        for column in columns
        if column in first or table[column].null_count < table.num_rows or _is_named(column, data)
    ]
    if table.num_rows:
        check_columns(there, name, columns)


def _is_named(column: str, data: bytes) -> bool:
    names = {re.escape(json.dumps(column, ensure_ascii=ascii).encode()) for ascii in (True, False)}
    return re.search(b"(?:" + b"|".join(names) + rb")\s*:", data) is not None
