"""The bytes of texts, of arrays that begin anywhere in their buffers."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.octets import has_any, octets

TEXTS = ["a", "", "é=", None, "b-c"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@given(st.integers(0, 5), st.integers(0, 5))
def test_a_slice_has_the_bytes_of_its_own_texts_only(kind, first, length):
    some = pa.array(TEXTS, kind).slice(first, length)
    joined = "".join(text or "" for text in some.to_pylist()).encode()
    assert octets(some).tobytes() == joined
    assert has_any(some, b"=-") == (b"=" in joined or b"-" in joined)
