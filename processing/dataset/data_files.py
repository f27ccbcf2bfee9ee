"""A dataset: its manifest and its data files, read into one Arrow table of text and numbers."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from processing.codes.codebook import Attribute, Format
from processing.dataset import doubly_encoded, kinds, numbers, readers
from processing.dataset.findings import Finding, Read, Recognised, merged
from processing.dataset.manifest import DataFile
from processing.dataset.numbers import Decimals
from processing.digests import sha256
from processing.words import counted

COMMON = ("item_id", "title", "brand", "product_type")


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


def read(
    files: list[DataFile], columns: Mapping[str, str], stated: Format, *, repair: bool = True
) -> Dataset:
    """All rows of a dataset's files, in order.

    Text comes as it was delivered, or repaired where it was encoded twice: an id `007` stays `007`, what is
    missing is null or empty. A number is a
    finite double or null; NaN counts as missing. Two more columns, which no attribute can be named like, say
    where a row is from: `_file` and `_row` (from 1).

    Args:
        files: of the manifest; or not counted, their rows None.
        columns: of `columns_of`.
        stated: what the codebook says of the format of the group's files.
        repair: whether texts may have been encoded twice.

    Raises:
        BadData: for a file that cannot be read.
        BadManifest: for one with more or fewer rows than the manifest says.
    """
    by_name = {file.name: read_file(file, columns, stated, repair=repair) for file in files}
    signs = [numbers.signs(name, found.table, columns) for name, found in by_name.items()]
    recognised = {name: found.recognised for name, found in by_name.items()}
    decimals = numbers.decide(signs, stated.decimal, semicolons=has_semicolons(recognised))
    tables, findings = [], [one for found in by_name.values() for one in found.findings]
    findings += decimals.findings
    for name, found in by_name.items():
        table, unreadable = numbers.read(name, found.table, decimals)
        tables.append(with_file(table, name))
        findings += chain(*unreadable.values())
    recognised = with_commas(recognised, decimals)
    return Dataset(pa.concat_tables(tables), recognised, merged(findings))


def read_file(file: DataFile, columns: Mapping[str, str], stated: Format, *, repair: bool) -> Read:
    """One file of `read`; what decimal sign its numbers have, where they are text, the dataset tells."""
    found = readers.read(file.path, file.name, columns, stated)
    # Whoever joined files may have counted their headers.
    repeated = sum(one.count for one in found.findings if one.kind is kinds.REPEATED_HEADER)
    if file.rows is not None and file.rows - found.table.num_rows not in (0, repeated):
        raise kinds.OTHER_ROWS.refusal(
            f"{file.name} has {counted(found.table.num_rows, 'row')}, the manifest says {file.rows:,}."
        )
    if repair:
        table, repaired = doubly_encoded.repair(file.name, found.table, columns)
        found = replace(found, table=table, findings=found.findings + repaired)
    return found


def has_semicolons(recognised: Mapping[str, Recognised]) -> bool:
    return any(file.separator == ";" for file in recognised.values())


def with_commas(recognised: Mapping[str, Recognised], decimals: Decimals) -> dict[str, Recognised]:
    return {name: replace(file, decimal_comma=decimals.commas) for name, file in recognised.items()}


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


def with_file(table: pa.Table, name: str) -> pa.Table:
    files = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), pa.array([name]))
    return table.append_column("_file", files)
