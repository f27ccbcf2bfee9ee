"""CSV, Excel, Parquet and JSON Lines as a table under the file's own column names.

They are read as Prepare reads them (processing/dataset/readers.py); a workbook's first sheet is made a CSV
before. Which column is which is in columns.py.
"""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from pipelines.errors import Refused
from processing.codes.codebook import Format
from processing.dataset import (
    csv_header,
    data_files,
    jsonlines_check,
    kinds,
    manifest,
    parquet_check,
    text_files,
)
from processing.dataset.manifest import DataFile
from processing.dataset.text_files import Head
from processing.errors import JobError

WORKBOOK = ".xlsx"
LINE_FEED = b"\n"
ENDINGS = (".csv", ".tsv", WORKBOOK, ".parquet", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz")


@dataclass(frozen=True)
class Files:
    """Data files of one kind.

    Attributes:
        files: what is read, workbooks as the CSV made of them.
        columns: their columns, each with the name that the readers know it by.
        numbers: of these, the ones that a Parquet file has as fractions.
        stated: what is known of the text files' format.
    """

    files: list[DataFile]
    columns: dict[str, str]
    numbers: frozenset[str]
    stated: Format

    def read(self, numbers: frozenset[str] = frozenset()) -> pa.Table:
        """All rows, by the files' own names; also `_file`, `_row`.

        Text unless a column is among `numbers`: these are doubles. Raises JobError.
        """
        types = {
            known: "number" if name in numbers | self.numbers else "text"
            for name, known in self.columns.items()
        }
        stated = self.stated
        if all(file.path.name.endswith(WORKBOOK + ".csv") for file in self.files):
            stated = Format()  # it is of text files
        table = data_files.read(self.files, types, stated).table
        return table.rename_columns([*self.columns, *table.column_names[len(types) :]])


@contextmanager
def opened(path: Path, stated: Format) -> Iterator[Files]:
    """The data files at a path, a file or a folder. Raises Refused, JobError."""
    with tempfile.TemporaryDirectory() as scratch:
        files = [_readable(file, Path(scratch)) for file in _files(path)]
        try:
            columns, numbers = _columns(files[0], stated)
        except JobError as error:
            if error.kind != kinds.NOT_UTF8.name:
                raise
            raise Refused(
                f"{error.problem} Fix: say its encoding, such as windows-1252, with --encoding or in "
                "labelmill.toml; or save it as UTF-8"
            ) from None
        yield Files(files, columns, numbers, stated)


def _files(path: Path) -> list[DataFile]:
    if not path.exists():
        raise Refused(f"{path} is not there. Fix: name a file or a folder")
    found = manifest.unlisted(path) if path.is_dir() else [DataFile(path.name, path, None)]
    if not found:
        raise Refused(f"{path} holds no data file. Fix: name a folder with files of {', '.join(ENDINGS)}")
    for file in found:
        if not file.name.lower().endswith(ENDINGS):
            raise Refused(f"{file.name} has an unknown format. Fix: save it as one of {', '.join(ENDINGS)}")
    return found


def _readable(file: DataFile, scratch: Path) -> DataFile:
    """The file itself, or what is made of it: of a workbook a CSV, of a Parquet file one without dates."""
    name = file.name.replace("/", "-")
    if file.name.lower().endswith(WORKBOOK):
        made = scratch / f"{name}.csv"
        with made.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target).writerows(_cells(file))
        return DataFile(made.name, made, None)
    if file.name.lower().endswith(".parquet"):
        try:
            schema = pyarrow.parquet.read_schema(file.path)
            plain = [field.name for field in schema if _is_plain(field.type)]
            if len(plain) < len(schema):
                made = scratch / name
                pyarrow.parquet.write_table(pyarrow.parquet.read_table(file.path, columns=plain), made)
                return DataFile(made.name, made, None)
        except (pa.ArrowException, OSError) as error:
            raise Refused(f"{file.name} cannot be read as Parquet ({error}). Fix: write it again") from None
    return file


def _is_plain(given: pa.DataType) -> bool:
    """Whether it is text or a number: dates, lists and the like describe no item here."""
    given = given.value_type if pa.types.is_dictionary(given) else given
    return any(
        is_one(given)
        for is_one in (
            parquet_check.is_text,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_decimal,
            pa.types.is_boolean,
            pa.types.is_null,
        )
    )


def _cells(file: DataFile) -> Iterator[list[str]]:
    """The rows of the first sheet as text; those that are empty are left out."""
    import zipfile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(file.path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError) as error:
        raise Refused(
            f"{file.name} cannot be read as a workbook ({error}). Fix: save it again, or as CSV UTF-8"
        ) from None
    for row in book.worksheets[0].iter_rows(values_only=True):
        cells = [_cell(value) for value in row]
        if any(cells):
            yield cells


def _cell(value: object) -> str:
    """What a cell shows; a workbook may hold a code `4` as the number 4.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _columns(file: DataFile, stated: Format) -> tuple[dict[str, str], frozenset[str]]:
    name = file.name.lower()
    if name.endswith(".parquet"):
        schema = pyarrow.parquet.read_schema(file.path)
        fractions = [f.name for f in schema if pa.types.is_floating(f.type) or pa.types.is_decimal(f.type)]
        return {each: each for each in schema.names}, frozenset(fractions)
    found: list[str] = []

    def judge(head: Head) -> int:
        if name.removesuffix(".gz").endswith(".jsonl"):
            line = jsonlines_check.LINE.search(head.text)
            found.extend(_fields(line.group()) if line else ())
        else:
            separator = None if name.endswith(WORKBOOK + ".csv") else stated.separator
            found.extend(csv_header.names(head, separator))
        return len(found)

    text_files.content(
        file.path, file.name, stated.encoding, judge, lambda before: f"row {before.count(LINE_FEED) + 1}"
    )
    if len(found) < 2:
        raise Refused(
            f"{file.name} has {len(found)} columns. Fix: begin it with the columns' names, at least two, "
            "with commas, semicolons, tabs or vertical bars between them"
        )
    if name.removesuffix(".gz").endswith(".jsonl"):
        return {each: each for each in found}, frozenset()
    if 2 * (named := sum(map(bool, map(csv_header.plain, found)))) <= len(found):
        own = file.name.replace(f"{WORKBOOK}.csv", WORKBOOK)
        raise Refused(
            f"{own} has names for {named} of its {len(found)} columns in its first row, "
            "as where a title is above them. Fix: delete what is above the columns' names"
        )
    return {each: csv_header.plain(each) for each in found}, frozenset()


def _fields(line: bytes) -> list[str]:
    try:
        return [field for field, _ in jsonlines_check.parsed(line)]
    except (ValueError, TypeError, RecursionError):
        return []
