"""A CSV file as an Arrow table of strings, in whatever dialect it is.

How its first row is understood is in csv_header.py, how its quotes are in csv_quotes.py. Rows are parsed by
Arrow; what is not plain is looked at before.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from processing.codes.codebook import Format
from processing.dataset import csv_header, csv_quotes, jsonlines, kinds, lent, text_files
from processing.dataset.csv_header import Header
from processing.dataset.findings import Finding, Place, Read, Recognised, found_at, numbered, shortened
from processing.dataset.text_files import Head
from processing.errors import JobError


def read(path: Path, name: str, columns: Mapping[str, str], stated: Format) -> Read:
    """Read one file; see processing.dataset.readers.read. Numbers are strings, too."""
    header: Header | None = None

    def judge(head: Head) -> int:
        nonlocal header
        header = csv_header.recognise(head, name, columns, stated.separator)
        return len(header.columns)

    def place(before: bytes) -> str:
        try:
            known = header or csv_header.recognise(Head(before, all=True), name, columns, stated.separator)
        except JobError:
            return "the header"
        return csv_quotes.place(before, known.length, known.separator)

    data, encoding = text_files.content(path, name, stated.encoding, judge, place)
    if header is None:
        return _empty(name, columns)
    data, marks = text_files.without_inner_marks(data, name, header.length - 1)
    findings = _of_names(header, name) + marks
    quoting = stated.quoting or "doubled"
    if quoting != "doubled" or not csv_quotes.regular(data, header.length, header.separator):
        quoting = csv_quotes.decide(
            data, header.length, header.separator, len(header.columns), name, stated.quoting
        )
    table = numbered(_table(data, name, header, quoting).select(list(columns)))
    table, repeated = _without_repeated_header(table, header, name)
    recognised = Recognised("csv", encoding, header.separator, quoting, header.names)
    return Read(table, recognised, findings + repeated)


def _table(data: bytes, name: str, header: Header, quoting: str) -> pa.Table:
    text = memoryview(data)[header.length :]
    if quoting == "backslash":
        text = memoryview(csv_quotes.literal_backslashes(bytes(text), header.separator))
    kinds_of_columns = dict.fromkeys(header.columns, pa.string())
    if not text:
        return pa.schema(kinds_of_columns).empty_table()
    try:
        return lent.read(
            pyarrow.csv.read_csv,
            text,
            read_options=pyarrow.csv.ReadOptions(
                use_threads=jsonlines.WITH_THREADS,
                block_size=jsonlines.BLOCK_BYTES,
                column_names=list(header.columns),
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=header.separator,
                escape_char="\\" if quoting == "backslash" else False,
                newlines_in_values=True,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=kinds_of_columns, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        width = len(header.columns)
        if wrong := csv_quotes.fault(data, header.length, header.separator, width, quoting):
            raise csv_quotes.refusal(name, wrong) from None
        raise text_files.unread(name, error, kinds.BROKEN_CSV) from None


def _empty(name: str, columns: Mapping[str, str]) -> Read:
    """A file without a single byte, as systems write one for a part that has no rows."""
    table = numbered(pa.schema(dict.fromkeys(columns, pa.string())).empty_table())
    return Read(table, Recognised("csv"), found_at(kinds.EMPTY_FILE, [Place(name)]))


def _of_names(header: Header, name: str) -> tuple[Finding, ...]:
    pairs = zip(header.names, header.columns, strict=True)
    places = [Place(name, value=shortened(found)) for found, meant in pairs if found != meant]
    return found_at(kinds.OTHER_NAMES, places)


def _without_repeated_header(
    table: pa.Table, header: Header, name: str
) -> tuple[pa.Table, tuple[Finding, ...]]:
    """The rows but for those that are the header once more, as where files were joined."""
    mask = np.ones(table.num_rows, bool)
    for found, meant in zip(header.names, header.columns, strict=True):
        mask &= np.asarray(pc.equal(table[meant], found))
        if not mask.any():
            return table, ()
    places = [Place(name, int(row) + 1) for row in np.flatnonzero(mask)]
    return table.filter(pa.array(~mask)), found_at(kinds.REPEATED_HEADER, places)
