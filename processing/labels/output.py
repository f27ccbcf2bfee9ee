"""The files of an output: labels for machines and for people, what stands next to them, and the manifest."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing import container
from processing.digests import sha256
from processing.labels import csv_guard, label_table

STATUSES = ("labelled", "review", "none", "rejected")


def by_status(table: pa.Table) -> dict[str, int]:
    """Rows by status, every status named."""
    counted = Counter({row["values"]: row["counts"] for row in table["status"].value_counts().to_pylist()})
    return {status: counted[status] for status in STATUSES}


def write_beside(table: pa.Table | None, name: str) -> dict[str, int]:
    """Write a table next to the labels, unless it is None or has no rows; rows by file name."""
    if table is None or not table.num_rows:
        return {}
    pq.write_table(table, container.output_folder("files") / name)
    return {name: table.num_rows}


def automatic(table: pa.Table) -> pa.ChunkedArray:
    """Which rows have a label that no person has looked at, a mask of shape (n_rows,).

    What was decided on another item of the family is among them: a blind sample checks it as well.
    """
    decided = pc.is_in(table["answer"], value_set=pa.array(label_table.DECIDED))
    decided = pc.and_(decided, pc.is_null(table["decided_on"]))
    return pc.and_(pc.equal(table["status"], "labelled"), pc.invert(decided))


def decided(table: pa.Table) -> int:
    """How many rows are labelled by a person."""
    return by_status(table)["labelled"] - (pc.sum(automatic(table)).as_py() or 0)


class LabelFiles:
    """The labels, for machines and for people, written part by part into the output `files`."""

    def __init__(self) -> None:
        self._folder = container.output_folder("files")
        self._csv = label_table.CsvFile(self._folder / "labels.csv")
        self._parquet: pq.ParquetWriter | None = None
        self.rows = 0
        self.columns: list[str] = []

    def write(self, table: pa.Table) -> None:
        """Add labels."""
        if self._parquet is None:
            self.columns = table.column_names
            path = self._folder / "labels.parquet"
            self._parquet = pq.ParquetWriter(path, table.schema, compression="zstd")
        self._parquet.write_table(table)
        self._csv.write(table)
        self.rows += table.num_rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._parquet:
            self._parquet.close()
        self._csv.__exit__()


def write(
    table: pa.Table, about: Mapping[str, object], destination: str, rows: Mapping[str, int] | None = None
) -> str:
    """Write all labels at once, and the manifest; arguments and result as of `write_manifest`."""
    with LabelFiles() as labels:
        labels.write(table)
    return write_manifest(labels, about, destination, rows)


def write_manifest(
    labels: LabelFiles, about: Mapping[str, object], destination: str, rows: Mapping[str, int] | None = None
) -> str:
    """Write the manifest of all that is in the output `files` into `manifest`.

    Returns the manifest's SHA-256 (hex), by which the ledger knows the output.

    `about` is what the manifest says first; `destination` is where the files will be in S3; `rows` are those
    of other tables that are there, by file name.
    """
    folder = container.output_folder("files")
    rows = {**(rows or {}), "labels.parquet": labels.rows, "labels.csv": labels.rows}
    manifest = {
        **about,
        "csv": csv_guard.RULE,
        "columns": {name: label_table.COLUMNS[name] for name in labels.columns},
        "files": [_file(path, destination, rows.get(path.name)) for path in sorted(folder.iterdir())],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    path = container.output_folder("manifest") / "manifest.json"
    path.write_text(text, encoding="utf-8")
    return sha256(path)


def _file(path: Path, destination: str, rows: int | None) -> dict[str, object]:
    return {
        "name": path.name,
        "url": destination.rstrip("/") + "/" + path.name,
        "bytes": path.stat().st_size,
        **({} if rows is None else {"rows": rows}),
        "sha256": sha256(path),
    }
