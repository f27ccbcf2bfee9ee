"""The labels that were published before: of the latest earlier month, or those that reviewers amend."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from processing.dataset.data_files import sha256
from processing.errors import NotReconciled

TABLE, MANIFEST = "labels.parquet", "manifest.json"


@dataclass(frozen=True)
class Published:
    """A published output: its manifest and its rows."""

    manifest: dict[str, Any]
    table: pa.Table


def read(folder: Path, columns: list[str] | None = None) -> Published | None:
    """The output in a job's input folder; None where the folder holds none: the first month has no earlier.

    Raises:
        NotReconciled: where the rows are not those its manifest lists.
    """
    if not (folder / MANIFEST).is_file():
        return None
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    listed = {file["name"]: file["sha256"] for file in manifest["files"]}
    if not (folder / TABLE).is_file() or listed.get(TABLE) != sha256(folder / TABLE):
        raise NotReconciled(
            f"The labels of run {manifest.get('run')} are not the ones its manifest lists.",
            f"restore that version of {TABLE} in the labelled bucket, then start the run again.",
        )
    return Published(manifest, pq.read_table(folder / TABLE, columns=columns))
