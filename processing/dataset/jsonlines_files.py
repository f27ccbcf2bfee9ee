"""A JSON Lines file as it is delivered, as an Arrow table: text as strings, numbers as doubles."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from processing.codes.codebook import Format
from processing.dataset import diagnose, jsonlines, kinds, text_files
from processing.dataset.columns import ARROW_TYPES, check_columns
from processing.dataset.findings import Read, Recognised, numbered


def read(path: Path, name: str, columns: Mapping[str, str], stated: Format) -> Read:
    """Read one file; see processing.dataset.readers.read."""
    data, encoding = text_files.content(
        path, name, stated.encoding, lambda head: len(columns), diagnose.line_place
    )
    schema = pa.schema([(column, ARROW_TYPES[kind]) for column, kind in columns.items()])
    if (first := diagnose.first_fields(data)) is not None:
        check_columns(first, name, columns)
    try:
        table = jsonlines.read(data, schema)
    except pa.ArrowInvalid as error:
        if wrong := diagnose.json_row(data, columns):
            raise kinds.BROKEN_JSON_LINES.refusal(f"{name}{wrong[0]}", wrong[1]) from None
        raise text_files.unread(name, error, kinds.BROKEN_JSON_LINES) from None
    return Read(numbered(table), Recognised("jsonl", encoding, header=tuple(first or ())))
