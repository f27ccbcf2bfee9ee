"""How often a model was right lately, and what follows for the labels that no person looks at."""

import numpy as np
import pyarrow as pa
import pytest

from processing.labels import reliability
from processing.labels.reliability import Record

SURE = 0.992


def rows_of(right: list[bool], known_share: float | None = 0.9, **columns) -> pa.Table:
    rows = [
        {"text_key": f"{number:04x} {known_share}", "status": "labelled", "code": "1", "confidence": SURE}
        | {"truth": "1" if fine else "2", "known_share": known_share}
        for number, fine in enumerate(right)
    ]
    return pa.Table.from_pylist([row | columns for row in rows])


def record(wrong: int, of: int = 400, **more) -> Record:
    return Record.parse(reliability.count(rows_of([False] * wrong + [True] * (of - wrong), **more)))


def month(count: int = 1_000, known_share: float = 0.9) -> tuple[np.ndarray, np.ndarray]:
    return np.full(count, SURE), np.full(count, known_share)


def test_labels_that_need_no_person_are_counted_by_bands_of_known_share_and_confidence():
    table = pa.concat_tables([rows_of([True, False]), rows_of([False], status="review")])
    assert reliability.count(table) == [
        {"known": 0.85, "sure": 0.99, "rows": 2, "wrong": 1, "expected": 0.016}
    ]


def test_a_text_counts_once_however_many_rows_have_it():
    assert reliability.count(rows_of([False] * 50, text_key="a"))[0]["rows"] == 1


def test_a_model_that_does_not_say_what_it_knows_is_counted_as_knowing_all():
    without = rows_of([True], known_share=None)
    assert reliability.count(without) == reliability.count(without.drop_columns("known_share"))
    assert reliability.count(without)[0]["known"] == 0.85


@pytest.mark.parametrize("wrong", [0, 3, 6, 9])
def test_a_model_that_is_as_good_as_it_says_is_believed(wrong):
    """Of 400 texts 3.2 are expected to be wrong: 9 are by chance alone in one month of 175."""
    sure, known = month()
    assert record(wrong).corrected(sure, known) is sure


def test_more_wrong_than_chance_explains_is_doubted_at_a_level_that_counts_every_test():
    """All labels and those of each band of known share are tested: of 10, less than one month in 400."""
    assert record(10).is_worse_than_said()


def test_a_model_that_is_wrong_more_often_is_believed_as_far_as_it_was_right():
    sure, known = month()
    found = record(40).corrected(sure, known)
    assert found == pytest.approx(0.9, abs=0.01)
    assert record(40).estimate(sure, known).right == pytest.approx(0.9, abs=0.01)
    assert 0.85 < record(40).estimate(sure, known).at_least < 0.89


def test_a_month_with_more_texts_of_the_kind_that_went_wrong_has_fewer_right():
    """The test has few of them, as what it was trained on is still most of it."""
    bands = reliability.count(
        pa.concat_tables([rows_of([True] * 399 + [False]), rows_of([False] * 8 + [True] * 22, 0.5)])
    )
    found = Record.parse(bands)
    assert found.estimate(*month(known_share=0.9)).right > 0.985
    assert found.estimate(*month(known_share=0.5)).right < 0.8


def test_no_label_becomes_surer_by_what_became_of_others():
    bands = reliability.count(pa.concat_tables([rows_of([True] * 5_000), rows_of([False] * 20, 0.5)]))
    sure, known = month()
    assert (Record.parse(bands).corrected(sure, known) <= sure).all()


def test_of_models_as_good_as_they_say_hardly_any_is_doubted():
    rng = np.random.default_rng(2)
    doubted = [record(int(rng.binomial(400, 1 - SURE))).is_worse_than_said() for _ in range(400)]
    assert np.mean(doubted) <= reliability.LEVEL


def test_nothing_is_said_of_labels_that_are_not_there():
    assert record(3).estimate(np.array([]), np.array([])) is None
