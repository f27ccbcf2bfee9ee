"""A CSV file as an Arrow table of strings."""

import io
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from processing.codes.codebook import Format
from processing.dataset import diagnose, jsonlines, kinds, text_files
from processing.dataset.columns import check_columns
from processing.dataset.findings import Read, Recognised, numbered


def read(path: Path, name: str, columns: Mapping[str, str], stated: Format) -> Read:
    """Read one file; see processing.dataset.readers.read. Numbers are strings, too."""
    data = text_files.content(path, name)
    header = next(diagnose.csv_rows(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")), [])
    check_columns(header, name, columns)
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(block_size=jsonlines.BLOCK_BYTES),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if wrong := diagnose.csv_row(data, len(header)):
            raise kinds.BROKEN_CSV.refusal(f"{name}{wrong[0]}", wrong[1]) from None
        raise text_files.unread(name, error, kinds.BROKEN_CSV) from None
    recognised = Recognised("csv", "utf-8", ",", "doubled", tuple(header))
    return Read(numbered(table.select(list(columns))), recognised)
