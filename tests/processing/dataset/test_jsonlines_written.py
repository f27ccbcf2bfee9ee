"""Rows as JSON Lines: what Python's own JSON makes of them, sign by sign."""

import io
import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from processing.dataset import jsonlines

TEXTS = st.none() | st.text(st.sampled_from('a"\\\n\x00\x1f\x7fé'), max_size=4) | st.text(max_size=3)


@given(st.lists(st.tuples(TEXTS, TEXTS, st.none() | st.integers(-9, 9))), st.integers(0, 2))
def test_a_line_is_the_json_of_its_row(rows, first):
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    kinds = (pa.string(), pa.large_string(), pa.int64())
    values = [pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    table = pa.table(values, names=["item_id", 'a "name"', "number"]).slice(first)
    written = io.BytesIO()
    jsonlines.append(table, written)
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in table.to_pylist()]
    assert written.getvalue().decode() == "".join(f"{line}\n" for line in lines)
