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
        (keys.MONTH, {"period": "2026-10"}),
        (keys.LABELS, {"period": "2026-10", "run": RUN}),
        (keys.DECISION, {"time": TIME, "run": RUN}),
        (keys.APPROVAL, {"run": RUN}),
        (keys.STATUS, {"time": TIME}),
        (keys.NO_ITEMS, {"purpose": "inference", "period": "2026-10"}),
    ],
)
def test_an_entry_is_understood_as_what_it_was_made_of(form, fields):
    assert keys.parse(form.format(**fields)) == (form, fields)


def test_an_entry_of_a_kind_that_is_not_known_is_its_own_form():
    assert keys.parse("NOTE#2026-10") == ("NOTE#2026-10", {})
