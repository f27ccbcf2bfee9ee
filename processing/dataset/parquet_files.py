"""A Parquet file as an Arrow table: text as strings, numbers as doubles, or as strings if they are text."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from processing.dataset import diagnose, kinds
from processing.dataset.columns import ARROW_TYPES, check_columns
from processing.dataset.findings import Read, Recognised, numbered


def read(path: Path, name: str, columns: Mapping[str, str]) -> Read:
    """Read one file; see processing.dataset.readers.read."""
    try:
        file = pyarrow.parquet.ParquetFile(path)
        check_columns(file.schema_arrow.names, name, columns)
        table = file.read().select(list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise kinds.BROKEN_PARQUET.refusal(f"{name} cannot be read as Parquet ({error}).") from None
    made = {column: _column(table[column], name, column, kind) for column, kind in columns.items()}
    return Read(numbered(pa.table(made)), Recognised("parquet", header=tuple(file.schema_arrow.names)))


def _column(values: pa.ChunkedArray, name: str, column: str, kind: str) -> pa.ChunkedArray:
    """Text from strings, integers, booleans (each has one spelling); numbers from any number or from text."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    given, types = values.type, pa.types
    if types.is_string(given) or types.is_large_string(given) or types.is_string_view(given):
        values = values.cast(pa.binary() if not types.is_large_string(given) else pa.large_binary())
        try:
            return values.cast(pa.string())
        except pa.ArrowInvalid:
            where = diagnose.bad_value(values)
            raise kinds.NOT_UTF8.refusal(f"{name}, {where} of column {column}, is not UTF-8.") from None
    if types.is_null(given):
        return values.cast(ARROW_TYPES[kind])
    if kind == "text" and (types.is_integer(given) or types.is_boolean(given)):
        return values.cast(pa.string())
    if kind == "number" and (types.is_integer(given) or types.is_floating(given) or types.is_decimal(given)):
        return values.cast(pa.float64(), safe=False)
    raise kinds.WRONG_TYPE.refusal(
        f"{name}: column {column} is {given}, expected {kind}.", f"cast {column} in the query."
    )
