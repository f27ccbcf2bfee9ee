"""The year of benchmarks/year.py: its drift is what it says, its true codes fit its codebooks, it runs."""

import pytest

from benchmarks import _year_items
from benchmarks._year_items import PLANS, Group, Item, Size, generated
from benchmarks._year_report import judge, report
from benchmarks.year import Year
from pipelines.codebooks.check import problems
from processing.codes.codebook import parse
from tests.simulation.world import WORK

CODES = ["1", "2", "3", "4", "5", "6"]


def group(*size: int, **events: tuple[int, str]) -> Group:
    return Group("DE-weee", Size(*size or (20, 3, 9)), events, CODES, generated("DE-weee"))


@pytest.mark.parametrize("how", sorted({plan.events["codes"][1] for plan in PLANS if "codes" in plan.events}))
def test_the_true_codes_of_every_month_are_in_force_in_it(how):
    changing = group(codes=(3, how))
    for month in range(1, 13):
        changing.sell(month)
        changing.labelled(month)
        written = changing.codebook(month)
        assert problems(written, "the codebook") == []
        assert set(changing.truth(month).values()) <= set(parse(written).in_force(_year_items.period(month)))
    assert set(changing.truth(12).values()) - set(CODES)


def test_two_thirds_of_the_items_were_there_last_month():
    sold = [{item.item_id for item in steady.sell(month)} for steady in [group()] for month in (1, 2)]
    assert (len(sold[0]), len(sold[1]), len(sold[0] & sold[1])) == (9, 9, 6)


def test_a_year_without_drift_has_the_same_items_until_drift_sets_in():
    calm, drifting = group(), group(words=(3, "at once"))
    rows = [[[item.row() for item in each.sell(month)] for month in (1, 2, 3)] for each in (calm, drifting)]
    assert rows[0][:2] == rows[1][:2]
    assert rows[0][2] != rows[1][2]


def test_old_rows_of_a_split_code_and_wrong_labels_are_put_right_two_months_later():
    splitting = group(60, 0, 3, codes=(1, "renamed, later split"))  # the split is in month 3
    labels = {month: {row["label"] for row in splitting.labelled(month)} for month in (2, 4, 5)}
    assert "3" in labels[2] & labels[4]
    assert {"3 0", "3 1"} <= labels[5] - labels[4]
    assert "3" not in labels[5]
    item = Item("i", "a lamp", "", "", category="1", part=0, arrived=1, wrong="2")
    told = group(corrections=(1, ""))
    told._labelled = [item]
    assert [told.labelled(month)[0]["label"] for month in (1, 2, 3)] == ["2", "2", "1"]


def seen(month: int, automatic: int, right: int, *alarms: str, sets_in: str = "") -> dict:
    row = {"group": "DE-weee", "month": month, "items": 100, "automatic": automatic, "right": right}
    return row | {"alarms": list(alarms), "sets_in": [sets_in] * bool(sets_in)}


def marks(name: str, *rows: dict) -> list[int]:
    return [row["month"] for row in judge(list(rows)) if row[name]]


def test_a_promise_is_broken_where_chance_does_not_explain_it():
    assert marks("broken", seen(1, 90, 82), seen(2, 90, 78)) == [2]


def test_an_alarm_is_due_where_too_few_are_labelled_without_a_person_or_too_few_of_them_are_right():
    assert marks(
        "due", seen(1, 90, 90), seen(2, 44, 44), seen(3, 90, 70), seen(4, 0, 0), seen(5, 46, 46)
    ) == [
        2,
        3,
        4,
    ]


def test_an_alarm_is_missed_until_one_tells_of_it_and_decisions_do_not():
    lost = "Items whose code is not the one a person had decided on: 3."
    rows = [seen(1, 90, 70, lost), seen(2, 90, 70, "It fell."), seen(3, 90, 70), seen(4, 90, 90)]
    assert marks("missed", *rows, seen(5, 90, 70)) == [1, 5]


def test_an_alarm_is_for_nothing_before_anything_has_happened_and_again_where_only_numbers_differ():
    rows = [
        seen(1, 90, 90, "5 % more."),
        seen(2, 90, 90, "6 % more."),
        seen(3, 90, 90, "New.", sets_in="words"),
    ]
    assert marks("for nothing", *rows) == [1, 2]
    assert marks("again", *rows) == [2]


def test_a_rollback_is_undone_where_another_model_labels_the_month_after():
    for model, found in (("old", "none"), ("newer", "1: DE-weee 1")):
        rows = [seen(1, 90, 90) | {"model": "new", "rollback": "old"}, seen(2, 90, 90) | {"model": model}]
        checks = [
            *report([row | {"review": 0, "decided": 0, "verdicts": [], "evidence": []} for row in rows])
        ][-1]
        assert f"| rollbacks that the next training undid | none | {found} |" in checks


def test_two_months_are_labelled_reviewed_and_learned_from_by_the_real_jobs(tmp_path):
    year = Year([group(150, 20, 30)], tmp_path)
    with year.world.entered():
        year.begin()
        for month in (1, 2):
            year.month(month)
    assert len(year.seen) == 2
    row = year.seen[0]
    assert row["items"] == 30 == row["automatic"] + row["review"]
    assert row["right"] <= row["automatic"]
    assert len(row["verdicts"]) == len(row["evidence"]) == 1
    assert row["evidence"][0]["distinct_texts"] > 0
    kept = [key for key in year.world.buckets.objects[WORK] if key.startswith("reviewed/DE-weee/")]
    assert [key for key in kept if key.endswith("decisions.jsonl")]
