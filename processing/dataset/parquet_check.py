"""Whether a Parquet file can be read, and in bounded memory: by its ends, its metadata and its longest texts.

A few kilobytes can be gigabytes of rows: a dictionary holds a text once, however many rows have it, and
DELTA_BYTE_ARRAY the part that differs from the text before
(https://parquet.apache.org/docs/file-format/data-pages/encodings/). So texts are measured before they are
read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from processing.dataset import kinds, text_files
from processing.dataset.columns import check_columns
from processing.dataset.csv_header import MOST_COLUMNS
from processing.dataset.jsonlines import BLOCK_BYTES

FOOTER_BYTES = 8 << 20
#: Of one value of a table: a double, or an integer written as text.
NUMBER_BYTES, INTEGER_BYTES = 8, 24
OFFSET_BYTES = 4
BATCH_ROWS = 1 << 16
BATCH_BYTES = 128 << 20
DELTA = "DELTA_BYTE_ARRAY"
DICTIONARY = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}


@dataclass(frozen=True)
class Chunk:
    """One text column in one row group.

    Attributes:
        row_group: its number, from 0.
        column: its name.
        size: its bytes in the file, unpacked.
        longest: bytes of the longest text that can be there once for many rows; 0 where none is.
    """

    row_group: int
    column: str
    size: int
    longest: int


def check_ends(path: Path, name: str) -> None:
    """Raise BadData unless the file begins and ends as Parquet does, with metadata of a usual size."""
    size = path.stat().st_size
    if not size:
        raise kinds.BROKEN_PARQUET.refusal(
            f"{name} has no byte: even without rows a Parquet file has metadata.",
            "write the file again, or leave it out of the manifest.",
        )
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
    footer = int.from_bytes(end[:4], "little")
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
    texts = [column for column in columns if _physical_type(file, column) == "BYTE_ARRAY"]
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    room = (
        text_files.MOST_BYTES - path.stat().st_size - sum(max(group.total_byte_size, 0) for group in groups)
    )
    room -= file.metadata.num_rows * _bytes_of_a_row(columns, texts)
    if room < 0:
        raise _too_large(name)
    dictionaries = pyarrow.parquet.ParquetFile(path, read_dictionary=texts, buffer_size=1 << 20)
    chunks = [
        _chunk(file, dictionaries, number, column)
        for number, group in enumerate(groups)
        for column in texts
        if group.num_rows
    ]
    chunks = [chunk for chunk in chunks if chunk.longest]
    if any(chunk.longest > BLOCK_BYTES for chunk in chunks):
        raise kinds.LONG_ROW.refusal(f"{name} has a text of more than {BLOCK_BYTES >> 20} MiB.")
    if sum(groups[chunk.row_group].num_rows * chunk.longest for chunk in chunks) <= room:
        return
    room += sum(chunk.size for chunk in chunks)  # measured instead
    for chunk in chunks:
        for size in _text_bytes(file, chunk):
            room -= size
            if room < 0:
                raise _too_large(name)


def _physical_type(file: pyarrow.parquet.ParquetFile, column: str) -> str:
    return str(file.schema.column(file.schema_arrow.names.index(column)).physical_type)


def _bytes_of_a_row(columns: Mapping[str, str], texts: list[str]) -> int:
    """What a row takes beside the texts themselves."""
    numbers = [
        INTEGER_BYTES if kind == "text" else NUMBER_BYTES
        for column, kind in columns.items()
        if column not in texts
    ]
    return sum(numbers) + OFFSET_BYTES * len(texts)


def _chunk(
    file: pyarrow.parquet.ParquetFile,
    dictionaries: pyarrow.parquet.ParquetFile,
    row_group: int,
    column: str,
) -> Chunk:
    """Look at one column of one row group.

    Its first row is read before its metadata: where that is broken or encrypted, reading raises an error;
    asked for the metadata itself, pyarrow 22 aborts the process (tried).
    """
    next(_batches(file, row_group, column, 1), None)
    found = file.metadata.row_group(row_group).column(file.schema_arrow.names.index(column))
    size, longest = max(found.total_uncompressed_size, 1), 0
    if DELTA in found.encodings:
        longest = min(size, BLOCK_BYTES)
    elif DICTIONARY & set(found.encodings):
        # A dictionary is read whole with the first row.
        first = next(_batches(dictionaries, row_group, column, 1), None)
        longest = 0 if first is None else pc.max(pc.binary_length(first.column(0).dictionary)).as_py() or 0
    return Chunk(row_group, column, size, longest)


def _text_bytes(file: pyarrow.parquet.ParquetFile, chunk: Chunk) -> Iterator[int]:
    """Bytes of the texts, decoded, batch by batch."""
    rows = min(BATCH_BYTES // chunk.longest, BATCH_ROWS)
    for batch in _batches(file, chunk.row_group, chunk.column, rows):
        values = batch.column(0)
        if pa.types.is_dictionary(values.type):
            lengths = pc.binary_length(values.dictionary).take(values.indices)
        else:
            lengths = pc.binary_length(values)
        yield pc.sum(lengths.cast(pa.int64())).as_py() or 0


def _batches(
    file: pyarrow.parquet.ParquetFile, row_group: int, column: str, rows: int
) -> Iterator[pa.RecordBatch]:
    batches: Iterator[pa.RecordBatch] = file.iter_batches(
        rows, row_groups=[row_group], columns=[column], use_threads=False
    )
    return batches


def _too_large(name: str) -> Exception:
    return kinds.LARGE_PARQUET.refusal(
        f"{name} takes more than {text_files.MOST_BYTES >> 20} MiB of memory with its rows, unpacked."
    )
