"""Numbers and texts: held against what Python and a person say of them."""

import itertools
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.dataset import manifest
from processing.dataset.doubly_encoded import repaired
from processing.dataset.findings import Finding, numbered
from processing.dataset.numbers import decide, read, signs
from processing.errors import BadData, BadManifest
from tests.processing.dataset.input_cases.case import URI, play
from tests.processing.dataset.input_cases.value_cases import labelled, numbers, untitled

COLUMNS = {"weight_kg": "number"}
ALPHABETS = [
    "äöüß",
    "éèêàçœïôû",
    "ñóíúáé",
    "ãõçâê",
    "åøæ",
    "žščřůě",
    "żółćęąśź",
    "őűéá",
    "šđčć",
    "ığşç",
    "ăâîșț",
    "õäöü",
]
GOOD_SIGNS = " \u00a0-–—/®™©°º²³«»„“”’…·.,:;&€£§"


def read_column(*values: str | None) -> tuple[list[float | None], list[Finding]]:
    """The numbers of a column of texts, and what was found."""
    table = numbered(pa.table({"weight_kg": pa.array(values, pa.string())}))
    decimals = decide([signs("a.csv", table, COLUMNS)], None, semicolons=False)
    table, unreadable = read("a.csv", table, decimals)
    return table["weight_kg"].to_pylist(), [*decimals.findings, *itertools.chain(*unreadable.values())]


def written(number: float, decimal: str, group: str) -> str:
    return f"{number:,.2f}".translate({ord(","): group, ord("."): decimal})


@given(
    values=st.lists(st.integers(-(10**9), 10**9).map(lambda number: number / 100), min_size=1),
    signs=st.sampled_from([(".", ","), (",", "."), (".", ""), (",", ""), (",", "\u00a0"), (".", "'")]),
)
@settings(deadline=None)
def test_numbers_are_read_whichever_way_a_whole_column_writes_them(values, signs):
    texts = [written(value, *signs) for value in values]
    assert read_column(*texts)[0] == values


@given(values=st.lists(st.text("0123456789.,-+ eE\u00a0'", max_size=8) | st.none(), max_size=6))
@settings(deadline=None)
def test_any_column_is_read_or_refused(values):
    try:
        made, findings = read_column(*values)
    except BadData as error:
        assert error.kind in ("mixed-decimals", "unclear-decimals")
        assert error.problem.count("row ") >= 1
    else:
        counted = sum(finding.count for finding in findings if finding.kind.outcome == "value missing")
        empty = sum(not (value or "").strip() for value in values)
        assert made.count(None) == counted + empty


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@settings(deadline=None)
def test_numbers_as_python_prints_them_are_read_exactly(values):
    values = [*values, 0.5]
    assert read_column(*map(repr, values))[0] == values


def test_a_late_comma_is_found_behind_many_points():
    with pytest.raises(BadData, match=r"'1\.5' in a\.csv, row 1 and '2,5' in a\.csv, row 3001"):
        read_column(*["1.5"] * 3000, "2,5")


def test_what_the_column_was_taken_for_is_told(tmp_path):
    found = play(numbers("x", ["1,5", "x"], [1.5, None], "unreadable-number"), tmp_path)
    assert found.dataset.recognised["a.csv"].decimal_comma == ("weight_kg",)
    (finding,) = found.dataset.findings
    assert (finding.count, finding.first[0].row, finding.first[0].value) == (1, 2, "weight_kg: x")


@st.composite
def good_texts(draw) -> str:
    """Words of one language, in small letters, with a capital or in capitals, with signs around."""
    letters = draw(st.sampled_from(ALPHABETS)) + "aeiounrstl"
    word = st.text(letters, min_size=1, max_size=6)
    cased = st.tuples(word, st.sampled_from([str.lower, str.capitalize, str.upper])).map(lambda x: x[1](x[0]))
    # Signs after a capital; of these, Ã and Â are no words by themselves.
    begin = st.sampled_from(["BL", "G", "MAÇ"])
    capital = st.sampled_from("ÄÖÜÉÈÊÀÇÑÓÍÃÕÂÅÆØĞÎ")
    marked = st.tuples(begin, capital, st.sampled_from(GOOD_SIGNS)).map("".join)
    pieces = st.lists(marked, min_size=1, max_size=2) | st.lists(
        cased | st.text(GOOD_SIGNS, min_size=1, max_size=3) | st.just("5"), max_size=8
    )
    return "".join(draw(pieces))


# Words that follow each other without a space are one: a capital within it is what no language has.
def has_a_capital_within(text: str) -> bool:
    return any(one.islower() and other.isupper() for one, other in itertools.pairwise(text))


@given(text=good_texts())
@settings(max_examples=400, deadline=None)
def test_a_good_text_is_never_changed(text):
    if not has_a_capital_within(text):
        assert repaired(text) == text


@given(text=st.lists(st.sampled_from(["Küche", "été", "São", "Šálek", "łódź", "φως", "свет", "50 °C", "a"])))
@settings(deadline=None)
def test_a_text_that_was_encoded_twice_is_what_it_was(text):
    meant = " ".join(text)
    assert repaired(meant.encode().decode("latin-1")) == meant
    assert repaired(meant) == meant


def test_a_title_that_says_nothing_is_named_in_the_reason(tmp_path):
    rejected = play(untitled("x", "k. A.", " "), tmp_path).rejected
    assert rejected["reason"].to_pylist() == [
        "The title is 'k. A.', which says nothing.",
        "The title is empty.",
    ]


def test_a_text_with_two_codes_is_shown_with_both(tmp_path):
    pairs = (("Tisch", "1"), ("Tisch", "2"), ("tisch", "1"), ("Stuhl", "1"), ("Stuhl", "2"))
    found = play(labelled("x", *pairs), tmp_path)
    (finding,) = found.dataset.findings
    assert finding.count == 2
    assert [(place.row, place.value) for place in finding.first] == [
        (42, "Tisch: 1 and 2"),
        (45, "Stuhl: 1 and 2"),
    ]


@pytest.mark.parametrize(
    "name", ["ä" * 128 + ".csv", "a/" + "b" * 256 + ".csv", "a\0.csv", "\ud800.csv"], ids=ascii
)
def test_a_name_that_no_file_can_have_is_one_clear_line(tmp_path, name):
    entry = {"url": URI + name, "meta": {"content_length": 1, "record_count": 1}}
    (tmp_path / "manifest").write_text(json.dumps({"entries": [entry]}), encoding="utf-8")
    with pytest.raises(BadManifest) as refused:
        manifest.read(tmp_path, URI)
    sentence = str(refused.value)
    assert refused.value.kind == "unusable-name"
    assert sentence.encode() and "\n" not in sentence and len(sentence) < 300
