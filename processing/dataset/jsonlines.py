"""JSON Lines from and to Arrow tables, without a Python loop over rows."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from numpy.typing import NDArray

from processing.octets import has_any, octets

BLOCK_BYTES = 16 << 20  # the longest line that can be read
#: One of Arrow's readers that works in threads leaves tasks to them when it meets an error. Where the process
#: ends then, as a job does after a refusal, the threads wait for each other, and it hangs.
WITH_THREADS = False
SHARD_ROWS = 250_000
SHARD_BYTES = 100 << 20


def read(data: pa.Buffer | bytes, schema: pa.Schema, *, other_fields: str = "error") -> pa.Table:
    """The lines of `data` as a table with exactly the columns of `schema`; a field that a line lacks is null.

    `other_fields`: what to do about a field that the schema does not have, `error` or `ignore`.
    Raises pa.ArrowInvalid where a line is not such an object, or is longer than BLOCK_BYTES.
    """
    if not bytes(data[:1]):
        return schema.empty_table()
    table = pyarrow.json.read_json(
        pa.BufferReader(data),
        read_options=pyarrow.json.ReadOptions(use_threads=WITH_THREADS, block_size=BLOCK_BYTES),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=schema, unexpected_field_behavior=other_fields
        ),
    )
    return table.select(schema.names)


def write(table: pa.Table, path: Path) -> None:
    """Write one object a row: text as text, (finite) numbers as numbers, what is missing as null."""
    with path.open("wb") as file:
        append(table, file)


def append(table: pa.Table, file: BinaryIO) -> None:
    """Like `write`, at the end of an open file."""
    for start in range(0, table.num_rows, SHARD_ROWS):
        data, ends = _encoded(table.slice(start, SHARD_ROWS))
        file.write(data[ends[0] : ends[-1]])


def shards(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of all tables in tables of SHARD_ROWS, and what is left at the end; at least one, if empty."""
    kept = None
    for table in tables:
        kept = table if kept is None else pa.concat_tables([kept, table])
        while kept.num_rows > SHARD_ROWS:
            yield kept.slice(0, SHARD_ROWS).combine_chunks()
            kept = kept.slice(SHARD_ROWS)
    if kept is not None:
        yield kept


def write_shards(tables: Iterable[pa.Table], folder: Path, stem: str) -> list[Path]:
    """Like `write`, into files `{stem}-00000.jsonl`, ...; returns their paths.

    Each has rows of one of the tables, at most SHARD_BYTES of them; a single longer row has a file of its
    own. No rows make one empty file: SageMaker fails a job whose input has none.
    """
    paths: list[Path] = []
    for table in tables:
        data, ends = _encoded(table)
        first = 0
        while first < table.num_rows or not paths:
            fitting = int(np.searchsorted(ends, ends[first] + SHARD_BYTES, side="right")) - 1
            last = max(min(first + 1, table.num_rows), fitting)
            paths.append(folder / f"{stem}-{len(paths):05d}.jsonl")
            paths[-1].write_bytes(data[ends[first] : ends[last]])
            first = last
    return paths


def _encoded(table: pa.Table) -> tuple[memoryview, NDArray[np.int64]]:
    """The lines one after the other, and where each begins and the last one ends, shape (n_rows + 1,)."""
    parts, between = [], "{"
    for name in table.column_names:
        values, quote = _values(table[name])
        parts += [between + json.dumps(name, ensure_ascii=False) + ":" + quote, values]
        between = quote + ","
    lines = pc.binary_join_element_wise(*map(_large, parts), _large(between[:-1] + "}\n"), _large(""))
    _, ends, data = lines.buffers()
    return memoryview(data), np.frombuffer(ends, np.int64)[lines.offset : lines.offset + len(lines) + 1]


def _large(part: str | pa.Array) -> pa.Scalar | pa.Array:
    return pa.scalar(part, pa.large_string()) if isinstance(part, str) else part.cast(pa.large_string())


def _values(column: pa.ChunkedArray) -> tuple[pa.Array, str]:
    """Each value as JSON text, and the quote that is still to be put around all of them."""
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    values = values.cast(pa.large_string())
    if not is_text:
        return pc.fill_null(values, "null"), ""
    escaped = values
    for sign in ("\\", '"'):
        if has_any(values, sign.encode()):
            escaped = pc.replace_substring(escaped, sign, f"\\{sign}")
    has_control = bool((octets(values) < ord(" ")).any())
    if not values.null_count and not has_control:
        return escaped, '"'
    quoted = pc.binary_join_element_wise(_large('"'), escaped, _large('"'), _large(""))
    if has_control:
        control = pc.fill_null(pc.match_substring_regex(values, r"[\x00-\x1f]"), False)
        dumped = [json.dumps(text, ensure_ascii=False) for text in values.filter(control).to_pylist()]
        quoted = pc.replace_with_mask(quoted, control, pa.array(dumped, pa.large_string()))
    return pc.fill_null(quoted, "null"), ""
