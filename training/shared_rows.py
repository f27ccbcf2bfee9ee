"""Rows of other groups that a group may learn from, their labels turned into its own codes.

Codes of two codebooks are the same where they name the same `reference` (a UNU key, a heading of the HS).
Which groups share is policy; a job sees only the folders it was given, so it reads what its role may
read.
"""

import json
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from processing import split
from processing.codebook import Codebook
from processing.text import text_keys
from training.channels import read_rows


def read(folder: Path, own_codebook: Path, book: Codebook) -> list[pa.Table]:
    """One table for each other group: `<folder>/<group>/*.parquet` (canonical rows) beside its
    codebook's JSON.
    """
    own = by_reference(own_codebook)
    tables = []
    for group in sorted(path for path in folder.glob("*") if path.is_dir()):
        theirs = by_reference(group)
        code_of = {code: own[reference] for reference, code in theirs.items() if reference in own}
        tables.append(translate(read_rows(group), code_of, book))
    return [table for table in tables if len(table)]


def by_reference(folder: Path) -> dict[str, str]:
    """The code of each reference that exactly one code of the folder's codebook names."""
    codes = defaultdict(list)
    for file in folder.glob("*.json"):
        for entry in json.loads(file.read_text(encoding="utf-8"))["codes"]:
            if entry.get("reference"):
                codes[entry["reference"]].append(entry["code"])
    return {reference: named[0] for reference, named in codes.items() if len(named) == 1}


def translate(rows: pa.Table, code_of: dict[str, str], book: Codebook) -> pa.Table:
    """Rows with this group's codes, keys and attributes; what has no code here is left out.

    So are texts that this group would test on: learned from a neighbour's copy of them, its test would
    flatter.
    """
    labels = pa.array([code_of.get(label) for label in rows["label"].to_pylist()], pa.string())
    rows = rows.drop_columns(["label", "text_key"]).append_column("label", labels)
    for attribute in book.attributes:
        if attribute.name not in rows.column_names:
            kind = pa.float64() if attribute.type == "number" else pa.string()
            rows = rows.append_column(attribute.name, pa.nulls(len(rows), kind))
    rows = rows.filter(pc.is_valid(rows["label"]))
    rows = rows.append_column("text_key", text_keys(book.group, rows))
    return rows.filter(pa.array(~split.is_test(rows["text_key"])))
