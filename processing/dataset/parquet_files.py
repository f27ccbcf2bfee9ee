"""A Parquet file as an Arrow table: text as strings, numbers as doubles, or as strings if they are text.

Whether it can be read at all is judged in parquet_check.py, before.
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from processing.dataset import kinds, parquet_check
from processing.dataset.columns import ARROW_TYPES
from processing.dataset.findings import Read, Recognised, numbered

BUFFER_BYTES = 1 << 20
BATCH_ROWS = 1 << 16
SLICE_ROWS = 10_000  # so many at most are Python objects at the same time


def read(path: Path, name: str, columns: Mapping[str, str]) -> Read:
    """Read one file; see processing.dataset.readers.read."""
    parquet_check.check_ends(path, name)
    try:
        # In batches from a small buffer, neither packed bytes nor growing columns take memory twice.
        file = pyarrow.parquet.ParquetFile(path, buffer_size=BUFFER_BYTES)
        parquet_check.check_schema(file, name, columns)
        parquet_check.check_size(file, path, name, columns)
        batches = file.iter_batches(BATCH_ROWS)
        table = pa.Table.from_batches(batches, file.schema_arrow).select(list(columns))
    # Besides Arrow's own: names of columns that are not UTF-8.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        kind = kinds.ENCRYPTED_PARQUET if "crypt" in str(error) else kinds.BROKEN_PARQUET
        raise kind.refusal(f"{name} cannot be read as Parquet ({str(error)[:200]}).") from None
    made = {column: _column(table[column], name, column, kind) for column, kind in columns.items()}
    return Read(numbered(pa.table(made)), Recognised("parquet", header=tuple(file.schema_arrow.names)))


def _column(values: pa.ChunkedArray, name: str, column: str, kind: str) -> pa.ChunkedArray:
    """Text from strings, integers, booleans (each has one spelling); numbers from any number or from text."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if parquet_check.is_text(values.type):
        return _text(values, name, column)
    if pa.types.is_null(values.type) or kind == "text":
        return values.cast(ARROW_TYPES[kind] if pa.types.is_null(values.type) else pa.string())
    return values.cast(pa.float64(), safe=False)


def _text(values: pa.ChunkedArray, name: str, column: str) -> pa.ChunkedArray:
    octets = values.cast(pa.large_binary() if pa.types.is_large_string(values.type) else pa.binary())
    try:
        return octets.cast(pa.string())
    except pa.ArrowInvalid:
        raise kinds.NOT_UTF8.refusal(
            f"{name}, {_bad_value(octets)} of column {column}, is not UTF-8.",
            f"decode {column} where the file is written: texts of Parquet are UTF-8.",
        ) from None


def _bad_value(values: pa.ChunkedArray) -> str:
    """Row and position of the first value of a binary column that is not UTF-8, both from 1."""
    for start in range(0, len(values), SLICE_ROWS):
        for row, value in enumerate(values.slice(start, SLICE_ROWS).to_pylist(), start + 1):
            try:
                (value or b"").decode()
            except UnicodeDecodeError as error:
                return f"row {row}: byte {error.start + 1} (0x{value[error.start]:02x})"
    raise AssertionError("every value is UTF-8")
