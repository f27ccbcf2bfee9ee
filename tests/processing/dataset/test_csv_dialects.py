"""The CSV reader beside Python's csv module, on rows of hard texts in every dialect."""

import csv
import io
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.codes.codebook import Format
from processing.dataset import csv_files
from processing.errors import JobError
from tests.processing.dataset.input_cases.case import COLUMNS
from tests.processing.dataset.peak_memory import refused_with_peak

NOTHING_SAID = Format()
EXPECTED = dict.fromkeys(COLUMNS, "text")
PIECES = st.sampled_from(
    ['"', "\\", ",", ";", "\t", "|", "\n", "\r\n", "'", " ", "\ufeff", "a", "ü", "\\N", "sep=;"]
)
TEXTS = st.lists(PIECES | st.text(st.characters(codec="utf-8"), max_size=3), max_size=5).map("".join)
ROWS = st.lists(st.tuples(*[TEXTS] * len(COLUMNS)), max_size=5)
SLOW_BUT_FINE = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def written(rows, **dialect) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, **dialect).writerows([COLUMNS, *rows])
    return file.getvalue()


def without_marks(text: str, **dialect) -> list[tuple[str, ...]]:
    """The rows as the module reads them; marks that begin a line were left there by joining files."""
    text = re.sub("(?<=[\r\n])\ufeff+", "", text)
    return [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), **dialect)][1:]


def read(folder, text: str | bytes, stated: Format = NOTHING_SAID) -> list[tuple[str, ...]]:
    path = folder / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = csv_files.read(path, "a.csv", EXPECTED, stated)
    return [tuple(row[name] for name in COLUMNS) for row in found.table.to_pylist()]


@SLOW_BUT_FINE
@given(
    rows=ROWS,
    separator=st.sampled_from(",;\t|"),
    # With another line end the module leaves those that are not its own without quotes.
    form=st.sampled_from(
        [(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r")]
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_the_csv_module_writes_is_read_as_it_was(tmp_path, rows, separator, form, encoding):
    dialect = {"delimiter": separator, "quoting": form[0], "lineterminator": form[1]}
    text = written(rows, **dialect)
    assert read(tmp_path, text.encode(encoding)) == without_marks(text, **dialect)


@SLOW_BUT_FINE
@given(rows=ROWS, separator=st.sampled_from(",;\t|"))
def test_what_is_written_with_backslashes_is_read_as_it_was_where_the_codebook_says_so(
    tmp_path, rows, separator
):
    dialect = {"delimiter": separator, "quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"}
    text = written(rows, lineterminator="\n", **dialect)
    assert read(tmp_path, text, Format(quoting="backslash")) == without_marks(text, **dialect)


@SLOW_BUT_FINE
@given(text=st.binary(max_size=300) | TEXTS.map(str.encode))
def test_whatever_comes_after_the_header_is_read_as_the_csv_module_reads_it_or_refused(tmp_path, text):
    """It is never read as something else, unless the file has backslashes before quotes."""
    data = ",".join(COLUMNS).encode() + b"\n" + text
    try:
        found = read(tmp_path, data)
    except JobError as refused:
        assert refused.kind
        return
    if b'\\"' not in data:
        rows = csv.reader(io.StringIO(data.decode().replace("\n\ufeff", "\n"), newline=""), strict=True)
        assert found == [tuple(row) for row in rows if row and tuple(row) != COLUMNS]


@given(text=st.binary(max_size=300))
@SLOW_BUT_FINE
def test_no_bytes_at_all_end_in_anything_but_a_refusal(tmp_path, text):
    with pytest.raises(JobError):
        assert read(tmp_path, text) == []
        raise JobError("An empty file has no rows.", "")


@pytest.mark.parametrize(
    ("name", "row", "times", "end"),
    [
        (
            "a text of 370 MB that ends in a row too short",
            b"1,a title of some words,b,p,1,m\n",
            10_000_000,
            b"9,x",
        ),
        ("short rows, the last with a quote out of place", b"1,a,,,,\n", 25_000_000, b'9,"x"y,,,,\n'),
        ("one line that does not end", b"x" * (1 << 20), 370, b""),
        ("a quote that does not end", b"x\n" * (1 << 19), 370, b""),
    ],
)
def test_a_refused_file_takes_less_than_a_gigabyte(tmp_path, name, row, times, end):
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(",".join(COLUMNS).encode() + b"\n")
        file.write(b'"' if "quote that does" in name else b"")
        for _ in range(0, times, max(1, times // 100)):
            file.write(row * max(1, times // 100))
        file.write(end)
    kind, peak = refused_with_peak(path)
    assert kind in ("broken-csv", "broken-quotes", "long-row", "too-much-text")
    assert peak < 1e9
