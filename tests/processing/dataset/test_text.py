"""The normal form of texts and their keys: splits are decided by them, so they may never change."""

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.dataset import text
from processing.dataset.text import fold, normalise, normalise_repeated, text_keys


def rows(*titles, brand="", product_type=""):
    return pa.table(
        {
            "title": pa.array(titles, pa.string()),
            "brand": pa.array([brand] * len(titles), pa.string()),
            "product_type": pa.array([product_type] * len(titles), pa.string()),
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Kettle,  STEEL ", "kettle steel"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ΚΑΦΕΣ καφες καφεσ", "καφεσ καφεσ καφεσ"),
        ("Чайник", "чайник"),
        ("\uff21\uff4d\uff50 №5", "amp no5"),
        ("cafe\u0301", "café"),
        ("Wärme\u00a0Pumpe — 3½", "wärme pumpe 31 2"),
        ("1,5 kW / 1.5 kW, 12.", "1.5 kw 1.5 kw 12"),
        ("غسالة ملابس", "غسالة ملابس"),
        ("電気ケトル、白", "電 気 ケ ト ル 白"),
        ("", ""),
    ],
)
def test_texts_that_mean_the_same_have_one_normal_form(text, expected):
    assert normalise(pa.array([text])).to_pylist() == [expected]


def test_a_missing_text_is_an_empty_one():
    assert normalise(pa.array([None, "a"], pa.string())).to_pylist() == ["", "a"]


@given(st.lists(st.text()))
def test_normalising_twice_changes_nothing_and_length_stays(texts):
    once = normalise(pa.array(texts, pa.string()))
    assert len(once) == len(texts)
    assert normalise(once).to_pylist() == once.to_pylist()


@given(st.lists(st.text(st.sampled_from("aÄ .,1\t\u2003電"))), st.integers(0, 3))
def test_normalised_texts_are_folded_ones_with_single_spaces(texts, first):
    given_texts = pa.array(texts, pa.string()).slice(first)
    words = [[word for word in text.split(" ") if word] for text in fold(given_texts).to_pylist()]
    assert normalise(given_texts).to_pylist() == [" ".join(some) for some in words]


@given(st.lists(st.sampled_from(["", "Nord", "nord ", "NORD  wind", None])), st.integers(0, 3))
def test_texts_that_repeat_are_normalised_like_any(texts, first):
    given_texts = pa.array(texts, pa.string()).slice(first)
    found = normalise_repeated(pa.chunked_array([given_texts]))
    assert found.dictionary.take(found.indices).to_pylist() == normalise(given_texts).to_pylist()


@given(st.lists(st.text(), min_size=2))
def test_a_text_is_folded_alike_alone_and_in_a_batch(texts):
    together = fold(pa.array(texts, pa.string())).to_pylist()
    alone = [fold(pa.array([text], pa.string())).to_pylist()[0] for text in texts]
    assert together == alone


EUROPEAN = [c for c in map(chr, range(0x80, 0x3000)) if re.match(f"[{text._EUROPEAN}]", c)]


@given(st.text(alphabet=st.sampled_from([*EUROPEAN, *"aI1 .-"])))
def test_the_short_way_for_european_letters_leads_where_the_long_one_does(example):
    beside_a_sign = fold(pa.array([example + " ™"])).to_pylist()[0]  # the sign sends it the long way
    assert fold(pa.array([example])).to_pylist()[0] + " tm" == beside_a_sign


def test_european_letters_are_their_own_normal_form():
    assert len(EUROPEAN) > 300
    assert [c for c in EUROPEAN if unicodedata.normalize("NFKC", c) != c] == []


def test_a_point_at_the_edge_of_a_text_is_not_between_the_digits_of_two():
    assert fold(pa.array(["0", ".0", "1,", "2"])).to_pylist() == ["0", " 0", "1 ", "2"]


def test_a_sliced_or_chunked_array_is_read_from_where_it_starts():
    whole = pa.array(["A.", "B.", "C."])
    assert fold(whole.slice(1)).to_pylist() == ["b ", "c "]
    assert fold(pa.chunked_array([["A"], ["B"]])).to_pylist() == ["a", "b"]


def test_keys_never_change_because_they_decide_what_is_test_for_ever():
    keys = text_keys("DE-weee", rows("Wasserkocher 1,5 l", "電気ケトル", "", brand="Nordwind"))
    assert keys.to_pylist() == GOLDEN


def test_keys_are_equal_where_only_case_and_punctuation_differ():
    first, second, third = text_keys("DE-weee", rows("Kettle, steel", "kettle  STEEL!", "kettle")).to_pylist()
    assert first == second != third


def test_keys_are_salted_by_the_group_and_tell_fields_apart():
    assert text_keys("DE-weee", rows("a")) != text_keys("GB-weee", rows("a"))
    assert text_keys("DE-weee", rows("a", brand="b")) != text_keys("DE-weee", rows("a b"))


GOLDEN = ["3665ccadb09de98f", "0d55f1a409945829", "76c200b0cbce7a32"]


def test_keys_are_the_same_whether_rows_are_normalised_together_or_in_slices(monkeypatch):
    together = text_keys("DE-weee", rows("a", "b", "c", "d", "e"))
    monkeypatch.setattr(text, "SLICE_ROWS", 2)
    assert text_keys("DE-weee", rows("a", "b", "c", "d", "e")) == together
    assert len(text_keys("DE-weee", rows("a").slice(1))) == 0
