"""The ledger's sort keys, made and understood again."""

import pytest

from pipelines.ledger import keys

TIME, RUN = "2026-11-01T02:00:00.123Z", "DE-weee-comparison-2026-10-0f3a9c21d4e5"


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (keys.GROUP, {}),
        (keys.TRAINED, {}),
        (keys.WINNER, {}),
        (keys.MODEL, {"model": "DE-weee-2026-10-1a2b3c4d"}),
        (keys.PREDICTIONS, {"test_set": "DE-weee-training-2026-10-0f3a9c21d4e5", "model": "m"}),
        (keys.LABELS, {"period": "2026-10", "time": TIME, "run": RUN}),
        (keys.AMENDED, {"labels": "s3://bucket/labels/DE-weee/2026-10/run/"}),
        (keys.DECISION, {"time": TIME, "run": RUN}),
        (keys.APPROVAL, {"run": RUN}),
        (keys.NO_ITEMS, {"purpose": "inference", "period": "2026-10"}),
    ],
)
def test_an_entry_is_understood_as_what_it_was_made_of(form, fields):
    assert keys.parse(form.format(**fields)) == (form, fields)


def test_an_entry_of_a_kind_that_is_not_known_is_its_own_form():
    assert keys.parse("NOTE#2026-10") == ("NOTE#2026-10", {})


def test_a_months_labels_lie_between_its_two_bounds_and_those_of_other_months_outside():
    def of(period):
        return keys.LABELS.format(period=period, time=TIME, run=RUN)

    before, first, last = (
        form.format(period="2026-10")
        for form in (keys.BEFORE_LABELS_OF_MONTH, keys.LABELS_OF_MONTH, keys.AFTER_LABELS_OF_MONTH)
    )
    assert of("2026-09") < before <= first < of("2026-10") < last < of("2026-11")
