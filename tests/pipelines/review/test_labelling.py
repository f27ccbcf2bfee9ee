"""Which codes the page to label on offers for an item, and why."""

import pyarrow as pa

from pipelines.evidence.neighbours import Neighbour
from pipelines.review.labelling import contents, most_frequent, offered

CODES = {code: f"what {code} is" for code in ("1", "2", "3", "4", "5", "6", "7")}
ROW = {
    **{"run": "r", "item_id": "a", "title": "t", "brand": "", "product_type": "p", "same_text": 1},
    **{"suggested_code": "6", "second_code": "3", "confidence": 0.625, "reason": None, "alike": ()},
    **{"waits": True, "decided": False},
}


def alike(*codes: str) -> tuple[Neighbour, ...]:
    return tuple(Neighbour(f"i{code}", "t", "", "", code, 1, 0.5) for code in codes)


def test_offered_are_the_models_codes_those_of_alike_rows_then_the_most_frequent_each_once():
    row = ROW | {"alike": alike("3", "2", "2")}
    assert offered(row, ["1", "6", "4"], CODES) == [
        ("6", "model: 62 %"),
        ("3", "second best"),
        ("2", "2 of 3 alike"),
        ("1", "frequent"),
        ("4", "frequent"),
    ]


def test_the_short_list_is_offered_after_the_two_best_codes_and_says_how_many_more_without_offering_that():
    row = ROW | {"short_list": "6 | 3 | 7 | 1 | and 4 more", "alike": alike("2")}
    assert offered(row, ["4"], CODES) == [
        ("6", "model: 62 %"),
        ("3", "second best"),
        ("7", "short list"),
        ("1", "short list"),
        ("2", "1 of 1 alike"),
    ]


def test_no_more_is_offered_than_there_are_keys():
    row = ROW | {"alike": alike("1", "2", "4", "5", "7")}
    assert [code for code, _ in offered(row, CODES, CODES)] == ["6", "3", "1", "2", "4"]


def test_what_is_not_in_force_is_not_offered():
    row = ROW | {"suggested_code": "old", "alike": alike("older")}
    assert offered(row, ["oldest", "1"], CODES) == [("3", "second best"), ("1", "frequent")]


def test_a_suggestion_that_is_no_models_has_no_confidence_and_without_one_none_is_made():
    assert offered(ROW | {"confidence": None}, [], CODES)[0] == ("6", "suggested")
    blind = {name: ROW[name] for name in ("run", "item_id", "title", "brand", "product_type")}
    assert offered(blind, ["2"], CODES) == [("2", "frequent")]


def test_the_page_has_codes_in_the_codebooks_order_and_offers_them_where_nothing_is_known():
    blind = {name: ROW[name] for name in ("run", "item_id", "title", "brand", "product_type")}
    page = contents([blind], CODES, [], group="DE-weee", period="2026-10", file="x.csv")
    assert page["codes"] == list(CODES.items())
    assert [code for code, _ in page["items"][0]["offered"]] == ["1", "2", "3", "4", "5"]
    assert (page["run"], page["items"][0]["facts"], page["items"][0]["waits"]) == ("r", ["p"], True)


def test_the_most_frequent_code_comes_first_and_rows_without_one_do_not_count():
    assert most_frequent(pa.chunked_array([["1", None, None, None], ["2", "2"]])) == ["2", "1"]
