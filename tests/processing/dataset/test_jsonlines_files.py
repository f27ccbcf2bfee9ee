"""The JSON Lines reader beside Python's json module, and its bounds."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.codes.codebook import Format
from processing.dataset import jsonlines_files
from processing.errors import JobError
from tests.processing.dataset.input_cases.case import COLUMNS
from tests.processing.dataset.peak_memory import refused_with_peak

NOTHING_SAID = Format()
EXPECTED = dict.fromkeys(COLUMNS, "text") | {"weight_kg": "number"}
PIECES = st.sampled_from(['"', "\\", "{", "}", "[", "]", "\n", "\r", "\0", "\ufeff", "null", ":", "ü", "😀"])
TEXTS = st.lists(PIECES | st.text(st.characters(codec="utf-8"), max_size=3), max_size=5).map("".join)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**30), 10**30)
ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional={name: st.none() | TEXTS for name in COLUMNS} | {"weight_kg": NUMBERS}
    ),
    max_size=5,
)
#: What a file is made of that is hardly ever right.
TOKENS = st.sampled_from(
    [
        b'{"item_id": "1"}',
        b'{"title": "a", "brand": "b"}',
        b"{}",
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"1",
        b"NaN",
        b'"item_id"',
        b'"weight_kg"',
        b": ",
        b",",
        b"\n",
        b"\r",
        b" ",
        b"\0",
        b"\xef\xbb\xbf",
        b'"\\u0000"',
        b'"\\ud800"',
        b"\xff",
    ]
)
SLOW_BUT_FINE = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read(folder, data: bytes) -> list[dict]:
    path = folder / "a.jsonl"
    path.write_bytes(data)
    rows = jsonlines_files.read(path, "a.jsonl", EXPECTED, NOTHING_SAID).table.to_pylist()
    return [{name: row[name] for name in COLUMNS} for row in rows]


def complete(rows: list[dict]) -> list[dict]:
    """The rows as they must be read: what is absent is null, a number is a double."""
    made = [dict.fromkeys(COLUMNS) | row for row in rows]
    return [
        row | {"weight_kg": row["weight_kg"] if row["weight_kg"] is None else float(row["weight_kg"])}
        for row in made
    ]


@SLOW_BUT_FINE
@given(
    rows=ROWS,
    ascii_only=st.booleans(),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_the_json_module_writes_is_read_as_it_was(tmp_path, rows, ascii_only, end, encoding):
    rows = [dict.fromkeys(COLUMNS), *rows]  # so that no column is absent from the whole file
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + end for row in rows)
    assert read(tmp_path, text.encode(encoding)) == complete(rows)


@SLOW_BUT_FINE
@given(tokens=st.lists(TOKENS, max_size=8))
def test_whatever_a_file_holds_is_read_as_the_json_module_reads_it_or_refused(tmp_path, tokens):
    """Each line is one object for either, or the file is refused."""
    first = json.dumps(dict.fromkeys(COLUMNS)).encode() + b"\n"
    data = first + b"".join(tokens)
    try:
        found = read(tmp_path, data)
    except JobError as refused:
        assert refused.kind
        return
    # Of empty files put together several marks stand in a row.
    text = re.sub("\n\ufeff+", "\n", data.decode().replace("\r", "\n"))
    assert found == complete([json.loads(line) for line in text.split("\n") if line.strip(" \t")])


@SLOW_BUT_FINE
@given(data=st.binary(max_size=200) | st.lists(TOKENS, max_size=8).map(b"".join))
def test_no_bytes_at_all_end_in_anything_but_rows_or_a_refusal(tmp_path, data):
    try:
        assert all(set(row) == set(COLUMNS) for row in read(tmp_path, data))
    except JobError as refused:
        assert len(str(refused)) <= 600


LINE = b'{"item_id":"1","title":"a title","brand":"b","product_type":"p","weight_kg":1.5,"material":"m"}\n'


@pytest.mark.parametrize(
    ("line", "times", "end", "kind"),
    [
        (LINE, 2_600_000, b'{"item_id":7}', "other-json-type"),
        (LINE, 2_600_000, b"null", "broken-json-lines"),
        (b"{}\n", 12_000_000, b"[]", "json-array"),
        (b"x" * (1 << 20), 370, b"", "long-row"),
        (b'{"title":"', 1, b"y" * (360 << 20), "long-row"),
        (b'{"title":"' + b'\\"' * (1 << 19) + b'"}\n', 350, b'{"title":"\\ud800"}', "half-a-character"),
        (LINE, 1_000_000, b'{"item_id":"\xff"}', "not-utf-8"),
    ],
    ids=[
        "a number as id at the end of 250 MB",
        "null at the end of 250 MB",
        "an array after many empty objects",
        "one line of 370 MiB",
        "an object of 360 MiB",
        "half a character after titles of a MiB",
        "a byte that is not UTF-8 at the end",
    ],
)
def test_a_refused_file_takes_less_than_a_gigabyte(tmp_path, line, times, end, kind):
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        for _ in range(0, times, max(1, times // 100)):
            file.write(line * max(1, times // 100))
        file.write(end)
    found, peak = refused_with_peak(path)
    assert found == kind
    assert peak < 1e9
