"""Dropping a dataset in the landing bucket, the way the warehouse or any other client does."""

import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from processing import manifest

FILE_ROWS = 250_000


def deliver(s3, bucket: str, prefix: str, table: pa.Table, file_format: str = "parquet") -> str:
    """Put `table` under `prefix` (`training/DE-weee/2026-10/d1/`) of `bucket`, the manifest last; return its address.

    `s3` is a boto3 client; `file_format` is `parquet`, `csv.gz` or `jsonl`.
    """
    uri = f"s3://{bucket}/{prefix}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = {}
        for number, start in enumerate(range(0, max(table.num_rows, 1), FILE_ROWS)):
            part = table.slice(start, FILE_ROWS)
            file = f"part-{number:03d}.{file_format}"
            (folder / file).write_bytes(_encode(part, file_format))
            rows[file] = part.num_rows
        columns = {field.name: "text" if pa.types.is_string(field.type) else "number" for field in table.schema}
        last = manifest.write(folder, uri, rows, columns)
        for path in [*(folder / file for file in rows), last]:
            s3.upload_file(str(path), bucket, prefix + path.name)
    return uri


def _encode(table: pa.Table, file_format: str) -> bytes:
    if file_format == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist()).encode()
    sink = pa.BufferOutputStream()
    if file_format == "parquet":
        pyarrow.parquet.write_table(table, sink)
    else:
        with pa.CompressedOutputStream(sink, "gzip") as compressed:
            pyarrow.csv.write_csv(table, compressed)
    return sink.getvalue().to_pybytes()
