"""How often a model was right lately, and what follows for the labels that no person looks at."""

import numpy as np
import pyarrow as pa
import pytest

from processing.labels import reliability
from processing.labels.reliability import Record

SURE = 0.98
MONTHS = [f"2027-{month:02}" for month in range(1, 13)]


def rows_of(right: list[bool], since: str = MONTHS[0], **columns) -> pa.Table:
    rows = [
        {"text_key": f"{number:04x} {since}", "status": "labelled", "code": "1", "confidence": SURE}
        | {"truth": "1" if fine else "2", "since": since}
        for number, fine in enumerate(right)
    ]
    return pa.Table.from_pylist([row | columns for row in rows])


def record(*wrong: int, of: int = 50) -> Record:
    """A record of months with so many wrong of 50 texts, of which 1 is expected to be."""
    months = zip(MONTHS, wrong, strict=False)
    rows = [rows_of([False] * count + [True] * (of - count), month) for month, count in months]
    return Record.parse(reliability.count(pa.concat_tables(rows)))


def month(count: int = 1_000) -> np.ndarray:
    return np.full(count, SURE)


def test_labels_that_need_no_person_are_counted_by_the_month_in_which_their_texts_came():
    table = pa.concat_tables(
        [rows_of([True], MONTHS[1]), rows_of([True, False]), rows_of([False], status="review")]
    )
    assert reliability.count(table) == [
        {"since": MONTHS[0], "rows": 2, "wrong": 1, "expected": 0.04},
        {"since": MONTHS[1], "rows": 1, "wrong": 0, "expected": 0.02},
    ]


def test_a_text_counts_once_however_many_rows_have_it():
    assert reliability.count(rows_of([False] * 50, text_key="a"))[0]["rows"] == 1


@pytest.mark.parametrize("wrong", [(0, 0, 0), (1, 1, 1), (2, 0, 1), (1, 1, 3)])
def test_a_model_that_is_as_good_as_it_says_is_believed(wrong):
    sure = month()
    assert record(*wrong).corrected(sure) is sure


def test_a_model_that_is_wrong_more_often_is_believed_as_far_as_it_was_right():
    found = record(10, 10, 10)
    assert found.corrected(month()) == pytest.approx(0.8, abs=0.02)
    assert found.estimate(month()).right == pytest.approx(0.8, abs=0.02)
    assert 0.7 < found.estimate(month()).at_least < 0.77


def test_what_came_lately_is_not_outweighed_by_what_was_right_before():
    """A sixth of the last month's texts are of a new kind, one in sixty of all."""
    found = record(*[1] * 9, 9)
    assert found.is_worse_than_said()
    assert found.since[found.begins()] == MONTHS[9]
    assert found.estimate(month()).right < 0.9


def test_a_share_that_grows_slowly_is_seen_and_its_beginning_is_about_right():
    found = record(1, 1, 1, 3, 5, 7)
    assert found.is_worse_than_said()
    assert found.since[found.begins()] in MONTHS[3:5]
    assert found.estimate(month()).right < 0.93


def test_a_model_that_has_learned_the_new_kind_is_believed_again():
    """A new winner has its own record; its labels of the old test texts count, too."""
    assert record(9, 9).is_worse_than_said()
    assert not record(1, 1, 0, 1).is_worse_than_said()


def test_a_model_that_follows_one_that_was_doubted_must_show_that_it_has_learned_the_new_kind():
    """Of the months in question it has test texts alone; without a doubt before they would prove nothing."""

    def tested(*wrong: int, before: Record | None = None) -> Record:
        months = zip(MONTHS, (50, 9, 9), wrong, strict=False)
        fields = [
            {"since": since, "rows": rows, "wrong": count, "expected": 0.02 * rows}
            for since, rows, count in months
        ]
        return Record.parse(fields, before)

    doubted, believed = record(1, 9), record(1, 1)
    assert tested(1, 1, 1, before=doubted).is_worse_than_said()
    assert not tested(1, 1, 1, before=believed).is_worse_than_said()
    assert not tested(1, 1, 1).is_worse_than_said()
    assert not tested(1, 0, 0, before=doubted).is_worse_than_said()


def test_few_texts_prove_little():
    assert not record(1, of=5).is_worse_than_said()
    assert record(4, of=5).is_worse_than_said()


def test_no_label_becomes_surer_by_what_became_of_others():
    sure = month()
    for found in (record(0, 0, 0), record(0, 9)):
        assert (found.corrected(sure) <= sure).all()
        assert found.estimate(sure).at_least <= found.estimate(sure).right


@pytest.mark.parametrize("tested", [10, 50, 500])
def test_of_years_of_models_as_good_as_they_say_few_have_one_that_is_doubted(tested):
    rng = np.random.default_rng(2)
    doubted = 0
    for _ in range(100):
        wrong = rng.binomial(tested, 1 - SURE, 12)
        so_far = [
            Record(tuple(MONTHS[:n]), np.full(n, tested), wrong[:n], np.full(n, tested * (1 - SURE)))
            for n in range(1, 13)
        ]
        doubted += any(one.is_worse_than_said() for one in so_far)
    assert doubted <= 15


def test_nothing_is_said_of_labels_that_are_not_there_and_nothing_tested_is_no_reason_for_doubt():
    assert record(3).estimate(np.array([])) is None
    nothing = Record.parse([])
    assert nothing.estimate(month()).right == SURE


def test_years_on_record_are_no_reason_for_doubt_by_themselves():
    months = [f"{2020 + n // 12}-{n % 12 + 1:02}" for n in range(60)]
    said = [{"since": month, "rows": 1, "wrong": 0, "expected": 0.01} for month in months]
    assert not Record.parse(said).is_worse_than_said()
    gone_wrong = said[:-2] + [
        {"since": month, "rows": 40, "wrong": 8, "expected": 0.4} for month in months[-2:]
    ]
    found = Record.parse(gone_wrong)
    assert found.is_worse_than_said() and found.since[found.begins()] == months[-2]
