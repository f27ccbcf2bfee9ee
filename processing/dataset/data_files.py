"""A dataset: its manifest and its data files, read into one Arrow table of text and numbers."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Attribute, Format
from processing.dataset import kinds, readers
from processing.dataset.findings import Finding, Recognised, merged
from processing.dataset.manifest import DataFile
from processing.digests import sha256

COMMON = ("item_id", "title", "brand", "product_type")
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
NO_NUMBER = r"(?i)^\s*(nan)?\s*$"


@dataclass(frozen=True)
class Dataset:
    """All files of a dataset as they were read: `recognised` by name of the file, `findings` by kind."""

    table: pa.Table
    recognised: dict[str, Recognised]
    findings: tuple[Finding, ...]


def columns_of(attributes: Iterable[Attribute], *, labelled: bool) -> dict[str, str]:
    """The columns a dataset must have: name to `text` or `number`, in the order of the canonical rows."""
    kinds = {"number": "number", "category": "text"}
    columns = dict.fromkeys(COMMON, "text") | {
        attribute.name: kinds[attribute.type] for attribute in attributes
    }
    return columns | {"label": "text"} if labelled else columns


def read(files: list[DataFile], columns: Mapping[str, str], stated: Format) -> Dataset:
    """All rows of a dataset's files, in order.

    Text comes as it was delivered: an id `007` stays `007`, what is missing is null or empty. A number is a
    finite double or null; NaN counts as missing. Three more columns, which no attribute can be named like,
    say where a row is from: `_file`, `_row` (from 1), and `_unreadable`, null or what is wrong with a number
    in the row.

    Args:
        files: of the manifest; or not counted, their rows None.
        columns: of `columns_of`.
        stated: what the codebook says of the format of the group's files.

    Raises:
        BadData: for a file that cannot be read.
        BadManifest: for one with more or fewer rows than the manifest says.
    """
    tables, recognised = [], {}
    findings: list[Finding] = []
    for file in files:
        found = readers.read(file.path, file.name, columns, stated)
        # Whoever joined files may have counted their headers.
        repeated = sum(one.count for one in found.findings if one.kind is kinds.REPEATED_HEADER)
        if file.rows is not None and file.rows - found.table.num_rows not in (0, repeated):
            raise kinds.OTHER_ROWS.refusal(
                f"{file.name} has {found.table.num_rows} rows, the manifest says {file.rows}."
            )
        tables.append(_with_file(_with_numbers(found.table, columns), file.name))
        recognised[file.name] = found.recognised
        findings += found.findings
    return Dataset(pa.concat_tables(tables), recognised, merged(findings))


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 (hex) of what files hold: of their sorted SHA-256, so names do not matter."""
    return hashlib.sha256("\n".join(sorted(map(sha256, paths))).encode()).hexdigest()


def rows_digest(table: pa.Table) -> str:
    """SHA-256 (hex) of a table's rows, whatever their order, their files' number, format or compression.

    Each row counts by its hash, so equal digests are equal rows except for a chance of about n_rows / 2^64.
    """
    hashes = np.sort(pd.util.hash_pandas_object(table.to_pandas(), index=False).to_numpy())
    columns = ",".join(table.column_names)
    return hashlib.sha256(columns.encode() + hashes.astype("<u8").tobytes()).hexdigest()


def _with_numbers(table: pa.Table, columns: Mapping[str, str]) -> pa.Table:
    unreadable = pa.nulls(table.num_rows, pa.string())
    for index, (column, kind) in enumerate(columns.items()):
        if kind == "number":
            given = table[column].combine_chunks()
            numbers, wrong = _numbers(given)
            table = table.set_column(index, column, numbers)
            if pc.any(wrong).as_py():
                sentences = [
                    f"{column} is {str(value)[:40]!r}, which is not a number."
                    for value in given.filter(wrong).to_pylist()
                ]
                unreadable = pc.replace_with_mask(unreadable, wrong, pa.array(sentences, pa.string()))
    return table.append_column("_unreadable", unreadable)


def _numbers(given: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Finite doubles or null, and which values are neither a number nor missing; both of shape (n_rows,)."""
    if pa.types.is_string(given.type):
        text = pc.fill_null(given, "")
        reads = pc.match_substring_regex(text, NUMBER)
        wrong = pc.invert(pc.or_(reads, pc.match_substring_regex(text, NO_NUMBER)))
        given = pc.utf8_trim_whitespace(pc.if_else(reads, text, None)).cast(pa.float64())
    else:
        wrong = pa.array(np.zeros(len(given), bool))
    infinite = pc.fill_null(pc.is_inf(given), False)
    return pc.if_else(pc.fill_null(pc.is_finite(given), False), given, None), pc.or_(wrong, infinite)


def _with_file(table: pa.Table, name: str) -> pa.Table:
    files = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), pa.array([name]))
    return table.append_column("_file", files)
