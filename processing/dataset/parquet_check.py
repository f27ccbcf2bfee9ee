"""Whether a Parquet file can be read, and in bounded memory: by its ends, its metadata and its longest texts.

A few kilobytes can be gigabytes of rows: a dictionary holds a text once, however many rows have it, and
DELTA_BYTE_ARRAY the part that differs from the text before
(https://parquet.apache.org/docs/file-format/data-pages/encodings/). So texts are measured before they are
read.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from processing.dataset import kinds
from processing.dataset.columns import check_columns
from processing.dataset.csv_header import MOST_COLUMNS
from processing.dataset.jsonlines import BLOCK_BYTES
from processing.dataset.text_files import MOST_BYTES

FOOTER_BYTES = 8 << 20
#: Of one value of a table: a double, or an integer written as text.
NUMBER_BYTES, INTEGER_BYTES = 8, 24
OFFSET_BYTES = 4
BATCH_ROWS = 1 << 16
BATCH_BYTES = 256 << 20
DELTA = "DELTA_BYTE_ARRAY"
REPEATING = {"PLAIN_DICTIONARY", "RLE_DICTIONARY", DELTA}


@dataclass(frozen=True)
class Chunk:
    """One text column in one row group. `size` is in bytes, unpacked but not decoded."""

    row_group: int
    column: str
    rows: int
    size: int
    encodings: frozenset[str]


def check_ends(path: Path, name: str) -> None:
    """Raise BadData unless the file begins and ends as Parquet does, with metadata of a usual size."""
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(4)
        file.seek(max(size - 8, 0))
        end = file.read()
    if end.endswith(b"PARE"):
        raise kinds.ENCRYPTED_PARQUET.refusal(f"{name} is encrypted.")
    if begin != b"PAR1":
        raise kinds.BROKEN_PARQUET.refusal(f"{name} cannot be read as Parquet: it is something else.")
    if size < 12 or not end.endswith(b"PAR1"):
        raise kinds.BROKEN_PARQUET.refusal(f"{name} cannot be read as Parquet: it is cut off.")
    footer = struct.unpack("<I", end[:4])[0]
    if footer > min(FOOTER_BYTES, size - 12):
        raise kinds.LARGE_FOOTER.refusal(f"{name} says that its metadata takes {footer:,} bytes.")


def check_schema(file: pyarrow.parquet.ParquetFile, name: str, columns: Mapping[str, str]) -> None:
    """Raise BadData unless the file has exactly the columns, each of a type that can be read as its own."""
    if file.metadata.num_columns > MOST_COLUMNS:
        raise kinds.MANY_COLUMNS.refusal(f"{name} has {file.metadata.num_columns:,} columns.")
    schema = file.schema_arrow
    check_columns(schema.names, name, columns)
    for column, kind in columns.items():
        given = schema.field(column).type
        if not _readable(given, kind):
            raise kinds.WRONG_TYPE.refusal(
                f"{name}: column {column} is {str(given)[:60]}, expected {kind}.",
                f"cast {column} in the query.",
            )


def is_text(given: pa.DataType) -> bool:
    """Whether a column is text as Parquet and Arrow know it, which binary is not."""
    return any(
        found(given) for found in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _readable(given: pa.DataType, kind: str) -> bool:
    types = pa.types
    if types.is_dictionary(given):
        given = given.value_type
    if is_text(given) or types.is_null(given) or types.is_integer(given):
        return True
    if kind == "text":
        return bool(types.is_boolean(given))
    return bool(types.is_floating(given) or types.is_decimal(given))


def check_size(file: pyarrow.parquet.ParquetFile, path: Path, name: str, columns: Mapping[str, str]) -> None:
    """Raise BadData where the file and its rows would take more than MOST_BYTES, without reading them."""
    chunks = [chunk for column in columns for chunk in _texts(file, column)]
    room = MOST_BYTES - path.stat().st_size - _of_numbers(file, columns)
    room -= sum(chunk.size + OFFSET_BYTES * chunk.rows for chunk in chunks)
    if room < 0:
        raise _too_large(name)
    repeating = [chunk for chunk in chunks if chunk.rows and chunk.encodings & REPEATING]
    with_dictionary = [chunk.column for chunk in repeating if DELTA not in chunk.encodings]
    dictionaries = pyarrow.parquet.ParquetFile(path, read_dictionary=with_dictionary)
    longest = [_longest(dictionaries, chunk) for chunk in repeating]
    if max(longest, default=0) > BLOCK_BYTES:
        raise kinds.LONG_ROW.refusal(f"{name} has a text of more than {BLOCK_BYTES >> 20} MiB.")
    if sum(chunk.rows * length for chunk, length in zip(repeating, longest, strict=True)) <= room:
        return
    for chunk, length in zip(repeating, longest, strict=True):
        for size in _text_bytes(dictionaries, chunk, length):
            room -= size
            if room < 0:
                raise _too_large(name)


def _texts(file: pyarrow.parquet.ParquetFile, column: str) -> Iterator[Chunk]:
    index = file.schema_arrow.names.index(column)
    if file.schema.column(index).physical_type == "BYTE_ARRAY":
        for number in range(file.metadata.num_row_groups):
            found = file.metadata.row_group(number).column(index)
            yield Chunk(
                number, column, found.num_values, found.total_uncompressed_size, frozenset(found.encodings)
            )


def _of_numbers(file: pyarrow.parquet.ParquetFile, columns: Mapping[str, str]) -> int:
    """Bytes of all columns that are not text in the file."""
    numbers = [
        INTEGER_BYTES if kind == "text" else NUMBER_BYTES
        for column, kind in columns.items()
        if file.schema.column(file.schema_arrow.names.index(column)).physical_type != "BYTE_ARRAY"
    ]
    return sum(numbers) * int(file.metadata.num_rows)


def _longest(dictionaries: pyarrow.parquet.ParquetFile, chunk: Chunk) -> int:
    """As long as a text can be that takes few bytes in the file; a dictionary is read with the first row."""
    if DELTA in chunk.encodings:
        return min(chunk.size, BLOCK_BYTES)
    first = _batches(dictionaries, chunk, 1)
    return max((_most(batch.column(0)) for batch in first), default=0)


def _most(values: pa.Array) -> int:
    texts = values.dictionary if pa.types.is_dictionary(values.type) else values
    return pc.max(pc.binary_length(texts)).as_py() or 0


def _text_bytes(dictionaries: pyarrow.parquet.ParquetFile, chunk: Chunk, longest: int) -> Iterator[int]:
    """Bytes of the texts, decoded, batch by batch."""
    rows = BATCH_ROWS
    if DELTA in chunk.encodings:
        rows = min(max(BATCH_BYTES // longest, 1), BATCH_ROWS)
    for batch in _batches(dictionaries, chunk, rows):
        values = batch.column(0)
        if pa.types.is_dictionary(values.type):
            lengths = pc.binary_length(values.dictionary).take(values.indices)
        else:
            lengths = pc.binary_length(values)
        yield pc.sum(lengths.cast(pa.int64())).as_py() or 0


def _batches(file: pyarrow.parquet.ParquetFile, chunk: Chunk, rows: int) -> Iterator[pa.RecordBatch]:
    batches = file.iter_batches(rows, row_groups=[chunk.row_group], columns=[chunk.column], use_threads=False)
    return batches if rows > 1 else iter([next(batches)])


def _too_large(name: str) -> Exception:
    return kinds.LARGE_PARQUET.refusal(
        f"{name} takes more than {MOST_BYTES >> 20} MiB of memory with its rows, unpacked."
    )
