"""The synthetic items of the demo."""

import pytest

from infra.samples import generate
from pipelines.codebooks.check import problems
from processing.codes.codebook import parse

GROUPS = ["DE-weee", "IT-weee", "FR-packaging", "PL-batteries"]


@pytest.mark.parametrize("group", GROUPS)
def test_a_later_month_is_the_earlier_one_continued(group):
    assert generate.items(group, 0, 30, True) == generate.items(group, 0, 10, True) + generate.items(
        group, 10, 20, True
    )


def test_the_same_item_is_made_on_every_machine():
    (item,) = generate.items("DE-weee", 2, 1, True)
    assert item == {
        "item_id": "DE-weee-0000002",
        "title": "Waschmaschine Zinroju L7746",
        "brand": None,
        "product_type": "Waschmaschine",
        "weight_kg": None,
        "power_w": None,
        "label": "4",
    }


@pytest.mark.parametrize("group", GROUPS)
def test_items_have_the_columns_and_codes_of_their_codebook_which_says_it_is_synthetic(group):
    book = generate.codebook(group, "1")
    rows = generate.items(group, 0, 500, True)
    assert book["source"].startswith("synthetic sample")
    attributes = [attribute["name"] for attribute in book["attributes"]]
    assert list(rows[0]) == ["item_id", "title", "brand", "product_type", *attributes, "label"]
    assert {row["label"] for row in rows} == {code["code"] for code in book["codes"]}


def test_items_to_be_classified_carry_no_label():
    assert all("label" not in row for row in generate.items("IT-weee", 0, 5, False))


def test_the_change_of_codes_is_a_good_codebook_that_follows_the_first():
    book = generate.changed_codebook("FR-packaging", "2026-10", "2026-10-01")
    assert problems(book, "sample") == []
    then = parse(book)
    gone = set(then.in_force("2026-09")) - set(then.in_force("2026-10"))
    assert gone == {"ACI", "CPL"}
    code_map = then.code_map("2026-10")
    assert code_map.outcome("ACI").code == "ACI-N"
    assert code_map.out_of_reach(then.in_force("2026-09")) == ["CPL-1", "CPL-2"]


def test_the_same_items_have_labels_in_the_codes_before_and_after_the_change():
    code_map = parse(generate.changed_codebook("FR-packaging", "2026-10", "2026-10-01")).code_map("2026-10")
    before, after = (generate.items("FR-packaging", 0, 500, True, changed) for changed in (False, True))
    assert [row | {"label": ""} for row in before] == [row | {"label": ""} for row in after]
    moves = {(old["label"], new["label"]) for old, new in zip(before, after, strict=True)}
    assert {new for old, new in moves if old == "CPL"} == {"CPL-1", "CPL-2"}
    assert all(code_map.outcome(old).code == new for old, new in moves if old != "CPL")
