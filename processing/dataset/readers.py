"""One data file of any format as an Arrow table: text columns as strings, numbers as doubles or as text.

Which reader a file has, by its name; each is in a module of its own. What cannot be read ends in BadData with
its kind, the file, the row and the fix. Rows count from 1, a CSV's header is not counted.
"""

from collections.abc import Mapping
from pathlib import Path

from processing.codes.codebook import Format
from processing.dataset import csv_files, jsonlines_files, kinds, parquet_files
from processing.dataset.findings import Read


def read(path: Path, name: str, columns: Mapping[str, str], stated: Format) -> Read:
    """Read one data file, which must have exactly `columns` (name to `text` or `number`), in any order.

    Args:
        path: the file.
        name: as it is shown in errors; its end, in any case, says the format.
        columns: those expected, in the order of the table returned.
        stated: what the codebook says of the group's files.

    Raises:
        BadData: with the kind of what is wrong.
    """
    ending = name.lower()
    if ending.endswith(".parquet"):
        return parquet_files.read(path, name, columns)
    if ending.removesuffix(".gz").endswith((".csv", ".tsv")):
        return csv_files.read(path, name, columns, stated)
    if ending.removesuffix(".gz").endswith(".jsonl"):
        return jsonlines_files.read(path, name, columns, stated)
    raise kinds.UNKNOWN_FORMAT.refusal(f"{name} has an unknown format.")
