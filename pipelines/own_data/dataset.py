"""Rows of one group as Labelmill takes them: the columns' own names, one Parquet file, a manifest.

Whether they would be taken is for processing/dataset/check.py to say.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from pipelines.own_data.columns import BRAND, CODE, ID, PRODUCT_TYPE, ROLES, Columns
from processing.dataset import manifest

FILE = "items.parquet"


def canonical(table: pa.Table, columns: Columns, *, labelled: bool) -> pa.Table:
    """The rows under the names that a dataset has, with their codes if `labelled`.

    A column that the file does not have is empty. Rows without an id column are called by their file and
    row. Numbers stay as they are; all else is text.
    """
    made = {}
    for role in ROLES:
        if role == CODE and not labelled:
            continue
        if role in columns.roles:
            made[role] = table[columns.roles[role]].cast(pa.string())
        elif role == ID:
            made[role] = pc.binary_join_element_wise(
                table["_file"].cast(pa.string()), table["_row"].cast(pa.string()), ":"
            )
        else:
            made[role] = pa.nulls(table.num_rows, pa.string())
    order = [role for role in ROLES if role != CODE]
    arranged = {role: made[role] for role in order}
    for name, column in columns.attributes.items():
        wanted = pa.float64() if columns.kinds[name] == "number" else pa.string()
        arranged[name] = table[column].cast(wanted)
    if labelled:
        arranged[CODE] = made[CODE]
    return pa.table(arranged)


def empty(table: pa.Table, columns: Columns) -> list[str]:
    """The columns to learn from that no row of a file has, by the file's own names."""
    learned = [columns.roles[role] for role in (BRAND, PRODUCT_TYPE) if role in columns.roles]
    learned += columns.attributes.values()
    return [name for name in learned if not pc.any(pc.greater(_signs(table[name]), 0)).as_py()]


def _signs(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(values.cast(pa.string()), "")))


def with_code(table: pa.Table, columns: Columns) -> pa.Table:
    """The rows of a file that have a code."""
    codes = pc.utf8_trim_whitespace(pc.fill_null(table[columns.roles[CODE]].cast(pa.string()), ""))
    return table.filter(pc.not_equal(codes, ""))


def located(findings: dict[str, Any], table: pa.Table) -> dict[str, Any]:
    """Findings of a check, in a report's form, with the places as they are in the person's own files.

    `table` are the file's rows that `write` has written, in their order.
    """
    return {
        name: finding | {"first": [_own_place(place, table) for place in finding["first"]]}
        for name, finding in findings.items()
    }


def _own_place(place: dict[str, Any], table: pa.Table) -> dict[str, Any]:
    if not place["row"]:
        return place
    file, row = (table[name][place["row"] - 1].as_py() for name in ("_file", "_row"))
    return place | {"file": file.removesuffix(".csv") if ".xlsx" in file else file, "row": row}


def write(rows: pa.Table, folder: Path, uri: str = "") -> Path:
    """Write the rows into `folder` and, with the address where they will be, the manifest; the data file."""
    path = folder / FILE
    pyarrow.parquet.write_table(rows, path)
    if uri:
        kinds = {
            field.name: "number" if pa.types.is_floating(field.type) else "text" for field in rows.schema
        }
        manifest.write(folder, uri, {FILE: rows.num_rows}, kinds)
    return path


def of_value(table: pa.Table, column: str, value: str) -> pa.Table:
    """The rows whose column has the value, white space around it aside."""
    values = pc.utf8_trim_whitespace(pc.fill_null(table[column].cast(pa.string()), ""))
    return table.filter(pc.equal(values, value))


def values_of(table: pa.Table, column: str) -> dict[str, int]:
    """Each value of a column and how many rows have it, the commonest first."""
    values = pc.utf8_trim_whitespace(pc.fill_null(table[column].cast(pa.string()), ""))
    values, counts = np.unique(values.to_numpy(zero_copy_only=False).astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(values[at]): int(counts[at]) for at in order}
