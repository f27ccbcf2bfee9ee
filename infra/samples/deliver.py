"""What a client of the stack does: publish a codebook, drop a dataset in the landing bucket."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines.codebooks import publish as codebooks
from pipelines.names import address
from processing.dataset import manifest

FILE_ROWS = 250_000


class Stack(Protocol):
    """A stack as its clients see it, on AWS or local: boto3 clients by service, the outputs by name."""

    names: dict[str, str]

    def client(self, service: str) -> Any: ...


def publish(stack: Stack, book: dict[str, Any]) -> None:
    """Make `book` the current codebook of its model group."""
    codebooks.publish(
        book,
        s3=stack.client("s3"),
        dynamodb=stack.client("dynamodb"),
        work_bucket=stack.names["WorkBucket"],
        table=stack.names["LedgerTable"],
        now=datetime.now(UTC),
    )


def deliver(stack: Stack, folder: str, table: pa.Table, file_format: str = "parquet") -> str:
    """Put `table` under `folder` (`training/DE-weee/2026-10/d1/`) of the landing bucket, the manifest last.

    `file_format` is `parquet`, `csv.gz` or `jsonl`. Returns the dataset's address.
    """
    s3, bucket = stack.client("s3"), stack.names["LandingBucket"]
    uri = address(bucket, folder)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        rows = {}
        for number, start in enumerate(range(0, max(table.num_rows, 1), FILE_ROWS)):
            part = table.slice(start, FILE_ROWS)
            file = f"part-{number:03d}.{file_format}"
            (scratch / file).write_bytes(_encode(part, file_format))
            rows[file] = part.num_rows
        columns = {
            field.name: "text" if pa.types.is_string(field.type) else "number" for field in table.schema
        }
        last = manifest.write(scratch, uri, rows, columns)
        for path in [*(scratch / file for file in rows), last]:
            s3.upload_file(str(path), bucket, folder + path.name)
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
    encoded: bytes = sink.getvalue().to_pybytes()
    return encoded
