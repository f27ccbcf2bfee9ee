"""No cell of a CSV begins like a formula, whatever separates the cells, and every text comes back."""

import re

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.labels import label_table
from processing.labels.csv_guard import guarded, plain

TRICKY = st.text(st.sampled_from("=+-@\uff1d '\";,\t\r\na1"), max_size=12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *((sign + "1", "'" + sign + "1") for sign in "=+-@\uff0b\uff0d\uff1d\uff20"),
        *((text, "'" + text) for text in (" =1", "'=1", "''-1", "' +1", '"=1')),
        *(
            ("a;=1;b", "a;'=1;b"),
            ("\t=1", "\t'=1"),
            ("\r=1", "\r'=1"),
            ("a\n@b", "a\n'@b"),
            ('a;"=1', "a;'\"=1"),
            ("=;=", "'=;'="),
        ),
    ],
)
def test_an_apostrophe_stands_where_a_formula_could_begin(text, shown):
    assert guarded(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "007",
        "1e5",
        "0.9970",
        "1-2",
        "2026-10-01",
        "TRUE",
        "MARCH1",
        "'1",
        "'x",
        "x=1",
        "a,=1",
        "a; b",
        "",
        "€5",
    ],
)
def test_all_else_is_plain(text):
    assert guarded(text) == text


@given(TRICKY)
def test_every_text_comes_back(text):
    assert plain(guarded(text)) == text


@given(TRICKY)
def test_no_cell_begins_like_a_formula_by_whichever_separator_it_is_cut(text):
    for cell in re.split("[;\t\r\n]", guarded(text)):
        assert not cell.lstrip(' "').startswith(tuple("=+-@\uff1d"))


@given(st.lists(TRICKY, min_size=1, max_size=20))
def test_a_file_is_guarded_like_a_text(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "labels.csv"
    label_table.write_csv(pa.table({"item_id": texts, "description": texts}), path)
    read = pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={"item_id": pa.string(), "description": pa.string()}
        ),
    )
    assert read["item_id"].to_pylist() == read["description"].to_pylist() == [guarded(text) for text in texts]


@pytest.mark.parametrize("sign", "=+-@\uff0b\uff0d\uff1d\uff20")
def test_one_text_like_a_formula_among_plain_ones_is_guarded(tmp_path, sign):
    path = tmp_path / "labels.csv"
    label_table.write_csv(pa.table({"item_id": ["a", f"{sign}1"], "reason": ["b", f"{sign}2"]}), path)
    assert path.read_text(encoding="utf-8-sig").splitlines()[2].replace('"', "") == f"'{sign}1,'{sign}2"
