"""The labels that were published before, of a month or of a test set, read by who goes on from them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from processing.digests import check
from processing.labels import label_table

TABLE, MANIFEST = "labels.parquet", "manifest.json"
#: People's decisions on the month that its labels do not hold (kept_decisions.py).
OVERTAKEN = "overtaken.parquet"
#: The columns that older labels have not.
LATER = ("decided_on", "family")
BATCH_ROWS = 100_000
RESTORE = "restore that version of the object, which its bucket keeps for 90 days, then start the run again."


@dataclass(frozen=True)
class Published:
    """A published output: its manifest, its rows, and the decisions that they do not hold, if any."""

    manifest: dict[str, Any]
    table: pa.Table
    overtaken: pa.Table | None = None


def read(
    folder: Path,
    digest: str,
    columns: list[str] | None = None,
    made: Callable[[pa.Table], pa.Table] = lambda rows: rows,
) -> Published | None:
    """The output in a job's input folder; None where there is none: the first month has no earlier.

    Args:
        folder: what was published, the manifest and every file it lists.
        digest: SHA-256 (hex) of the manifest, as the ledger has it; empty where there is no output.
        columns: those to read; by default all.
        made: what is to be made of the rows, of some at a time, so that not all of them are in memory.

    Raises:
        Tampered: the manifest is not the one recorded, or a file is not the one it lists.
    """
    if not digest:
        return None
    check(folder / MANIFEST, digest, f"{MANIFEST} of the input `{folder.name}`", RESTORE)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    for file in manifest["files"]:
        check(folder / file["name"], file["sha256"], f"{file['name']} of run {manifest['run']}", RESTORE)
    overtaken = read_beside(folder, manifest, OVERTAKEN)
    if overtaken is not None:
        overtaken = label_table.complete(overtaken, LATER)
    return Published(manifest, _rows(folder / TABLE, columns, made), overtaken)


def _rows(path: Path, columns: list[str] | None, made: Callable[[pa.Table], pa.Table]) -> pa.Table:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        known = file.schema_arrow.names
        wanted = [name for name in columns or known if name in known]
        schema = pa.schema([file.schema_arrow.field(name) for name in wanted])
        found = [made(label_table.complete(schema.empty_table(), columns or LATER))]
        for batch in file.iter_batches(BATCH_ROWS, columns=wanted):
            found.append(made(label_table.complete(pa.Table.from_batches([batch], schema), columns or LATER)))
    return pa.concat_tables(found)


def read_beside(folder: Path, manifest: dict[str, Any], name: str) -> pa.Table | None:
    """A table beside the labels that `read` has checked; None where their manifest lists none."""
    listed = name in {file["name"] for file in manifest["files"]}
    return pq.read_table(folder / name) if listed else None
