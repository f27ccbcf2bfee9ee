"""Codes that change: what an old code means in a period, for single codes and for columns of them."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from processing.codes.recode import recode, recode_lists, recode_second
from processing.codes.successions import CodeMap, Outcome, Succession, parse

NOVEMBER = ("4", "C", "L", "5a", "5b")
OCTOBER = ("1", "2", "3", "4", "5")


@pytest.fixture
def november(book) -> CodeMap:
    return CodeMap(parse(book["successions"]), NOVEMBER, "2026-11")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("4", Outcome("4", "")),
        ("C", Outcome("C", "")),
        ("1", Outcome("C", "code 1 was renamed C on 2026-11-01")),
        ("2", Outcome("L", "code 2 was merged into L on 2026-11-01")),
        ("3", Outcome("L", "code 3 was merged into L on 2026-11-01")),
        ("5", Outcome(None, "code 5 was split into 5a, 5b on 2026-11-01: a person must choose")),
        ("99", Outcome(None, "code 99: no code in force in 2026-11 replaces it")),
    ],
)
def test_what_an_old_code_means_after_the_change(november, code, expected):
    assert november.outcome(code) == expected


def test_before_the_change_every_old_code_means_itself_and_a_new_one_means_nothing(book):
    october = CodeMap(parse(book["successions"]), OCTOBER, "2026-10")
    assert all(october.outcome(code) == Outcome(code, "") for code in OCTOBER)
    assert october.outcome("5a") == Outcome(None, "code 5a: no code in force in 2026-10 replaces it")


def later(*changes: tuple[str, str, str]) -> tuple[Succession, ...]:
    return tuple(
        Succession(kind, tuple(old.split()), tuple(new.split()), date(2027, month, 1))
        for month, (kind, old, new) in enumerate(changes, 1)
    )


def test_a_chain_of_changes_is_followed_to_its_end_and_told_in_order():
    chain = CodeMap(later(("renamed", "1", "2"), ("merged", "2 3", "4")), ("4",), "2027-03")
    assert chain.outcome("1") == Outcome(
        "4", "code 1 was renamed 2 on 2027-01-01; code 2 was merged into 4 on 2027-02-01"
    )


def test_a_split_whose_parts_were_merged_again_is_certain():
    again = CodeMap(later(("split", "5", "5a 5b"), ("merged", "5a 5b", "6")), ("6",), "2027-03")
    assert again.outcome("5").code == "6"


def test_a_split_with_one_part_left_is_not_certain():
    """An item of the old code may belong to the part that is no longer there."""
    left = CodeMap(later(("split", "5", "5a 5b")), ("5a",), "2027-03")
    assert left.outcome("5").code is None


def test_a_code_whose_successor_is_gone_as_well_says_so():
    gone = CodeMap(later(("renamed", "1", "2")), ("4",), "2027-03")
    assert gone.outcome("1") == Outcome(
        None, "code 1 was renamed 2 on 2027-01-01: no code in force in 2027-03 replaces it"
    )


def test_a_model_reaches_a_renamed_and_a_merged_code_but_not_the_parts_of_a_split(november):
    assert november.out_of_reach(OCTOBER) == ["5a", "5b"]
    assert november.out_of_reach(["4", "C", "2", "5a"]) == ["5b"]
    assert november.out_of_reach(NOVEMBER) == []
    assert november.out_of_reach([]) == list(NOVEMBER)


def test_a_column_is_mapped_and_counted_by_reason(november):
    done = recode(pa.array(["1", "4", "5", "5", "2", "1", None]), november)
    assert done.codes.to_pylist() == ["C", "4", None, None, "L", "C", None]
    assert done.reasons.to_pylist()[1] == ""
    assert done.mapped == {
        "code 1 was renamed C on 2026-11-01": 2,
        "code 2 was merged into L on 2026-11-01": 1,
    }
    assert done.reasons.to_pylist()[2] == "code 5 was split into 5a, 5b on 2026-11-01: a person must choose"
    assert done.reasons.to_pylist()[6] == "there is no code"


def test_the_second_code_goes_where_it_became_the_first_or_nothing(november):
    first = recode(pa.array(["2", "4", "4", "5", "C"]), november).codes
    second = pa.array(["3", "1", "5", "4", None])
    assert recode_second(second, first, november).to_pylist() == [None, "C", None, "4", None]


def test_short_lists_are_brought_to_the_period_and_say_how_many_more_codes_they_would_take(november):
    lists = pa.array([["1", "4"], ["5", "4"], ["2", "3", "4"], ["2", "3"], ["4", "1"], None])
    size = pa.array([2, 2, 9, 2, 2, None])
    wanted = pa.array([True, True, True, True, False, True])
    found = recode_lists(lists, size, wanted, november).to_pylist()
    # 5 was split, 2 and 3 are one code now: what is left of those lists says no more than the code.
    assert found == ["C | 4", None, "L | 4 | and 6 more", None, None, None]


CODES = [str(number) for number in range(12)]


@st.composite
def code_maps(draw) -> CodeMap:
    """Successions always lead from a lower number to higher ones, as time does: there is no circle."""
    following = {}
    for number, code in enumerate(CODES[:-2]):
        following[code] = draw(st.lists(st.sampled_from(CODES[number + 1 :]), max_size=3, unique=True))
    successions = tuple(
        Succession("split" if len(new) > 1 else "renamed", (old,), tuple(new), date(2026, 11, 1))
        for old, new in following.items()
        if new
    )
    return CodeMap(successions, tuple(draw(st.lists(st.sampled_from(CODES), unique=True))), "2026-11")


def ends(code: str, code_map: CodeMap) -> set[str]:
    """Where every path from `code` ends; the definition, without memory or order."""
    following = [new for change in code_map.successions if code in change.old for new in change.new]
    if code in code_map.in_force or not following:
        return {code}
    return set().union(*(ends(new, code_map) for new in following))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(code_maps(), st.sampled_from(CODES))
def test_a_code_is_certain_exactly_when_every_path_ends_at_the_same_code_in_force(code_map, code):
    reached = ends(code, code_map)
    certain = len(reached) == 1 and reached <= set(code_map.in_force)
    outcome = code_map.outcome(code)
    assert outcome.code == (reached.pop() if certain else None)
    assert (outcome.reason == "") == (code in code_map.in_force)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(code_maps(), st.lists(st.one_of(st.none(), st.sampled_from(CODES)), max_size=40))
def test_a_column_says_what_its_codes_say_and_no_row_is_lost(code_map, codes):
    column = pa.chunked_array(
        [pa.array(codes[:7], pa.string()), pa.array(codes[7:], pa.large_string()).cast("string")]
    )
    done = recode(column, code_map)
    expected = [
        Outcome(None, "there is no code") if code is None else code_map.outcome(code) for code in codes
    ]
    assert done.codes.to_pylist() == [outcome.code for outcome in expected]
    assert done.reasons.to_pylist() == [outcome.reason for outcome in expected]
    unchanged = sum(outcome.reason == "" for outcome in expected)
    assert unchanged + sum(done.mapped.values()) + done.codes.null_count == len(codes)
    assert recode(done.codes, code_map).codes == done.codes


def test_a_circle_that_no_check_has_seen_does_not_run_for_ever():
    circle = CodeMap(later(("renamed", "1", "2"), ("renamed", "2", "1")), ("4",), "2027-03")
    assert circle.outcome("1").code is None
