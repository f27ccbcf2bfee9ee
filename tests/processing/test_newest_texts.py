"""Prepare: since when each text has been there, and that the newest are tested on before they are learned."""

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing import prepare
from processing.dataset import split
from tests.processing.job_folders import (
    DATASET,
    DELIVERED,
    GROUP,
    TEST_SET,
    JobFailed,
    as_jsonl,
    decision,
    from_jsonl,
    items,
)

START, FIRST, NEXT = "2026-10", "2026-11", "2026-12"


@pytest.fixture
def training(new_job):
    """Prepare a training's rows; what runs have recorded is in a folder that all of them share, as in S3."""
    recorded = {}

    def run(rows, period, name=None, sees=None, decisions=()):
        job = new_job()
        job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        if decisions:
            (job.input("reviewed") / "decisions.jsonl").write_bytes(as_jsonl(decisions))
        for file in recorded if sees is None else sees:
            shutil.copy(recorded[file], job.input("texts") / file)
        name = name or f"run-{period}"
        about = {"group": GROUP, "period": period, "purpose": "training", "run": name}
        about |= {"dataset_uri": DATASET, "test_uri": TEST_SET, "delivered": DELIVERED}
        job.run(prepare.main, **about)
        recorded.update({path.name: path for path in job.output("texts").iterdir()})
        return job

    return run


def on_test(job) -> dict[str, str]:
    """Of each row of the test set, since when its text has been there."""
    table = pq.read_table(job.output("test") / "part-00000.parquet")
    return dict(zip(table["item_id"].to_pylist(), table["since"].to_pylist(), strict=True))


def learned(job) -> set[str]:
    parts = (job.output(name) / f"{name}.parquet" for name in ("train", "validation"))
    return {row for part in parts for row in pq.read_table(part)["item_id"].to_pylist()}


def test_the_first_training_tests_on_nothing_that_it_learns(training):
    job = training(items(300), START)
    assert set(on_test(job).values()) == {""}
    assert not learned(job) & on_test(job).keys()


def test_what_came_since_is_tested_on_by_who_has_not_seen_it_and_learned_as_well(training):
    training(items(300), START)
    job = training(items(400), FIRST)
    new = {row["item_id"] for row in items(400)[300:]}
    assert {row for row, since in on_test(job).items() if since == FIRST} == new
    assert learned(job) & on_test(job).keys() == learned(job) & new != set()
    assert job.report()["newest"] == len(learned(job) & new)


def test_the_rows_that_are_learned_have_no_other_columns_than_before(training):
    job = training(items(300), START)
    assert "since" not in pq.read_schema(job.output("train") / "train.parquet").names


def test_after_three_months_of_new_texts_a_text_is_no_longer_new(training):
    months = [f"2026-{month:02}" for month in range(5, 10)]
    for number, period in enumerate(months):
        job = training(items(300 + 40 * number), period)
    new = learned(job) & on_test(job).keys()
    assert {on_test(job)[row] for row in new} == set(months[-3:])


def test_a_text_keeps_the_period_in_which_it_came_when_its_item_comes_again(training):
    training(items(300), START)
    training(items(350), FIRST)
    rows = items(360)
    for row in rows[300:350]:
        row["item_id"] += "-again"
    found = on_test(training(rows, NEXT))
    assert {found[row["item_id"]] for row in rows[300:350]} == {FIRST}
    assert {found[row["item_id"]] for row in rows[350:]} == {NEXT}


def test_a_training_that_is_repeated_says_what_it_said(training):
    training(items(300), START)
    first = on_test(training(items(300), START, "run-2026-10"))
    assert set(first.values()) == {""}
    training(items(400), FIRST)
    again = on_test(training(items(400), FIRST))
    assert list(again.values()).count(FIRST) == 100
    assert list(on_test(training(items(440), NEXT)).values()).count(FIRST) == 100


def test_what_a_first_attempt_recorded_stays_when_the_second_has_fewer_texts(training):
    training(items(200), START)
    training(items(300), FIRST)
    training(items(250), FIRST)
    later = on_test(training(items(300), NEXT))
    assert FIRST in later.values() and NEXT not in later.values()


def test_of_two_runs_at_once_the_earlier_period_counts(training):
    training(items(300), START)
    sees = [f"run-{START}.parquet"]
    training(items(400), NEXT, sees=sees)
    training(items(400), FIRST, sees=sees)
    assert list(on_test(training(items(400), "2027-01")).values()).count(FIRST) == 100


def test_a_late_delivery_of_an_earlier_month_makes_its_texts_as_old_as_that(training):
    training(items(300), START)
    training(items(400), NEXT)
    training(items(350), FIRST)
    found = list(on_test(training(items(400), "2027-01")).values())
    assert (found.count(FIRST), found.count(NEXT)) == (50, 50)


def test_what_people_decided_is_learned_and_is_no_sample_to_test_on(training):
    training(items(300), START)
    in_dataset, added = range(310, 320), range(401, 411)
    sheet = [decision(number, "2") for number in (*in_dataset, *added)]
    job = training(items(400), FIRST, decisions=sheet)
    of_people = {line["item_id"] for line in sheet}
    assert of_people <= learned(job) | on_test(job).keys()
    assert of_people & learned(job)
    assert not of_people & learned(job) & on_test(job).keys()


def test_labels_of_the_test_set_say_since_when_a_text_has_been_there(training, new_job):
    training(items(300), START)
    made = training(items(400), FIRST)
    job = new_job()
    for path in made.output("test").iterdir():
        shutil.copy(path, job.input("dataset"))
    job.prepare("test", TEST_SET)
    truth = pq.read_table(job.output("truth") / "truth.parquet")
    since = [period or "" for period in truth["since"].to_pylist()]
    assert dict(zip(truth["item_id"].to_pylist(), since, strict=True)) == on_test(made)
    assert "since" not in from_jsonl(job.output("items") / "items-00000.jsonl")[0]


def test_a_record_that_cannot_be_read_stops_the_run_with_its_name(training):
    [record] = training(items(300), START).output("texts").iterdir()
    record.write_bytes(b"PAR1")
    with pytest.raises(JobFailed, match=r"run-2026-10\.parquet, the texts that a run saw first, cannot"):
        training(items(400), FIRST)


def test_a_row_that_was_learned_is_no_test_row_when_its_text_could_be_repaired_once_more(training, new_job):
    """With a thin space, no sign of Windows-1252, the text is left alone; with a plain one it is repaired."""
    titles = [f"KÃ¼hlgerÃ¤t MÃ¶bel\u2009{number}" for number in range(200)]
    training(items(100), START)
    new = [row | {"item_id": f"n{n}", "title": titles[n]} for n, row in enumerate(items(200))]
    job = training(items(100) + new, NEXT)
    tested = new_job()
    shutil.copytree(job.output("test"), tested.input("dataset"), dirs_exist_ok=True)
    about = {"group": GROUP, "period": NEXT, "purpose": "test", "run": "test", "dataset_uri": TEST_SET}
    tested.run(prepare.main, **about)
    truth = pq.read_table(tested.output("truth") / "truth.parquet")
    by_key = set(truth.filter(pa.array(split.is_test(truth["text_key"])))["item_id"].to_pylist())
    assert by_key and not by_key & learned(job)
