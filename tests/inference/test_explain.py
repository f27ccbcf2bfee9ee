"""Why an item gets its code: the reasons add up, and say what the model read."""

import pytest

from inference.explain import as_table, explain
from training.features import item_texts

ITEM = {
    "title": "Laptop blau Wasserkochr 3 kW",
    "brand": "Nordwind",
    "weight_kg": 1.4,
    "material": "plastic",
}


@pytest.mark.parametrize(
    "item",
    [
        ITEM,
        {"title": "Toaster"},
        {"title": ""},
        {"title": "", "weight_kg": 6.0},
        {"brand": "x"},
        # Neither was in a training row.
        {"title": "Toaster", "weight_kg": 1e9, "material": "gold"},
    ],
)
def test_the_reasons_add_up_to_the_margin_between_the_two_codes(labeller, item):
    explained = explain(labeller, item)
    codes = labeller.model.codes
    table = as_table(labeller, item)
    margins, _, _ = labeller.margins(table, item_texts(table))
    lead = margins[0, codes.index(explained.code)] - margins[0, codes.index(explained.second_code)]
    assert explained.bias + sum(reason.weight for reason in explained.reasons) == pytest.approx(
        lead, abs=1e-4
    )


def test_the_telling_word_comes_first_and_unknown_words_are_marked(labeller):
    explained = explain(labeller, {"title": "Bohrmaschine Toastr"})
    assert explained.code == "3"
    assert (explained.reasons[0].kind, explained.reasons[0].text) == ("word", "bohrmaschine")
    assert explained.reasons[0].weight > 0
    assert {reason.text: reason.known for reason in explained.reasons if reason.kind == "word"}[
        "toastr"
    ] is False


def test_attributes_speak_by_name_and_value(labeller):
    texts = {reason.text for reason in explain(labeller, ITEM).reasons}
    assert {"weight_kg=1.4", "material=plastic"} <= texts


def test_a_field_the_model_does_not_know_is_refused(labeller):
    with pytest.raises(
        ValueError, match=r"colour is not a field of this model\. Fix: use some of title, brand,"
    ):
        explain(labeller, {"title": "Toaster", "colour": "red"})


def test_a_number_may_be_given_as_text_and_must_be_one(labeller):
    heavy = explain(labeller, {"title": "Toaster", "weight_kg": "6.0"})
    assert heavy == explain(labeller, {"title": "Toaster", "weight_kg": 6.0})
    with pytest.raises(ValueError, match="weight_kg must be a number, not heavy"):
        explain(labeller, {"title": "Toaster", "weight_kg": "heavy"})
