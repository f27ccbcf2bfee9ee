"""One data file of any format as an Arrow table: text columns as strings, numbers as doubles or as text.

What cannot be read ends in BadData with the file, the row and the fix; the row is looked for only then
(`processing.dataset.diagnose`). Rows count from 1, a CSV's header is not counted.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from processing.dataset import diagnose, jsonlines
from processing.errors import BadData

CHUNK_BYTES = 1 << 20
MOST_BYTES = 1 << 30  # of one text file, unpacked: it and its table are in memory together
ARROW_TYPES = {"text": pa.string(), "number": pa.float64()}
SAVE_AS_UTF8 = "save the file as UTF-8."


def read(path: Path, name: str, columns: Mapping[str, str]) -> pa.Table:
    """Read one data file, which must have exactly `columns` (name to `text` or `number`), in any order.

    `name` is the name shown in errors. Returns the columns in the given order. Raises BadData.
    """
    if name.endswith(".parquet"):
        return _read_parquet(path, name, columns)
    if name.endswith((".csv", ".csv.gz")):
        return _read_csv(_text(path, name), name, columns)
    if name.endswith((".jsonl", ".jsonl.gz")):
        return _read_jsonlines(_text(path, name), name, columns)
    raise BadData(
        f"{name} has an unknown format.",
        "deliver .parquet, .csv, .csv.gz, .jsonl or .jsonl.gz (UNLOAD has EXTENSION to name its files).",
    )


def check_columns(found: list[str], name: str, columns: Mapping[str, str]) -> None:
    """Raise BadData, with the missing and the unknown ones, unless the columns found are those expected."""
    missing = [column for column in columns if column not in found]
    extra = [column for column in found if column not in columns]
    twice = sorted({column for column in found if found.count(column) > 1})
    problems = [
        f"{what} {', '.join(repr(column[:60]) for column in some)}"
        for what, some in (("lacks", missing), ("has the unknown", extra), ("has twice", twice))
        if some
    ]
    if problems:
        raise BadData(
            f"{name} has the wrong columns: it {' and '.join(problems)}.",
            f"deliver exactly {', '.join(columns)}, CSV with a header; declare new ones in the codebook.",
        )


def _text(path: Path, name: str) -> bytes:
    """The file's content, unpacked, without byte order mark, known to be UTF-8."""
    try:
        # The uncompressed size that a .gz states can be wrong: unpack no more than may be.
        with gzip.open(path) if name.endswith(".gz") else path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadData(
            f"{name} cannot be unpacked ({error}).", "compress the file again and deliver it whole."
        ) from None
    if len(data) > MOST_BYTES:
        raise BadData(
            f"{name} has more than {MOST_BYTES >> 20} MiB of text.",
            "deliver it in several files, or as Parquet.",
        )
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data) + 1, CHUNK_BYTES):
            decoder.decode(view[start : start + CHUNK_BYTES], final=start + CHUNK_BYTES > len(data))
    except UnicodeDecodeError:
        where = diagnose.bad_byte(data, csv_rows=".csv" in name)
        raise BadData(f"{name}, {where} is not UTF-8.", SAVE_AS_UTF8) from None
    return data.removeprefix(codecs.BOM_UTF8)


def _read_csv(data: bytes, name: str, columns: Mapping[str, str]) -> pa.Table:
    header = next(diagnose.csv_rows(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")), [])
    check_columns(header, name, columns)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(block_size=jsonlines.BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        where, fix = diagnose.csv_row(data, len(header)) or _unread(
            error, "deliver the file as RFC 4180 describes."
        )
        raise BadData(f"{name}{where}", fix) from None
    return table.select(list(columns))


def _read_jsonlines(data: bytes, name: str, columns: Mapping[str, str]) -> pa.Table:
    schema = pa.schema([(column, ARROW_TYPES[kind]) for column, kind in columns.items()])
    if (first := diagnose.first_fields(data)) is not None:
        check_columns(first, name, columns)
    try:
        return jsonlines.read(data, schema)
    except pa.ArrowInvalid as error:
        where, fix = diagnose.json_row(data, columns) or _unread(error, "deliver one JSON object per line.")
        raise BadData(f"{name}{where}", fix) from None


def _unread(error: pa.ArrowInvalid, fix: str) -> tuple[str, str]:
    """What is wrong with a file in which every row is as it should be, and the fix."""
    if "straddl" in str(error):
        longest = f"{jsonlines.BLOCK_BYTES >> 20} MiB"
        return (
            f" has a row of more than {longest}.",
            "look for an unclosed quote, or shorten the text.",
        )
    return f": {error}", fix


def _read_parquet(path: Path, name: str, columns: Mapping[str, str]) -> pa.Table:
    try:
        file = pyarrow.parquet.ParquetFile(path)
        check_columns(file.schema_arrow.names, name, columns)
        table = file.read().select(list(columns))
    except (pa.ArrowInvalid, OSError) as error:
        raise BadData(f"{name} cannot be read as Parquet ({error}).", "write the file again.") from None
    return pa.table(
        {column: _parquet_column(table[column], name, column, kind) for column, kind in columns.items()}
    )


def _parquet_column(values: pa.ChunkedArray, name: str, column: str, kind: str) -> pa.ChunkedArray:
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
            raise BadData(f"{name}, {where} of column {column}, is not UTF-8.", SAVE_AS_UTF8) from None
    if types.is_null(given):
        return values.cast(ARROW_TYPES[kind])
    if kind == "text" and (types.is_integer(given) or types.is_boolean(given)):
        return values.cast(pa.string())
    if kind == "number" and (types.is_integer(given) or types.is_floating(given) or types.is_decimal(given)):
        return values.cast(pa.float64(), safe=False)
    raise BadData(f"{name}: column {column} is {given}, expected {kind}.", f"cast {column} in the query.")
