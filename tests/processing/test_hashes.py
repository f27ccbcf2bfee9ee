"""Hashes of texts: pandas', on which the keys of families and texts rest."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.hashes import hashes

KEY = "0123456789abcdef"


@given(st.lists(st.none() | st.text()))
def test_texts_have_the_hashes_that_pandas_gives_them(texts):
    expected = pd.util.hash_array(np.array(texts, object), categorize=False)
    for given_texts in (pa.array(texts, pa.string()), pa.chunked_array([texts], pa.large_string())):
        assert hashes(given_texts).tolist() == expected.tolist()


@pytest.mark.parametrize(("key", "expected"), [(None, 13950350942979735504), (KEY, 5941279374467348348)])
def test_a_hash_never_changes_because_keys_of_texts_are_made_of_it(key, expected):
    assert hashes(pa.array(["a"]), key).tolist() == [expected]
