"""Training rows whose label is likely wrong are found, and left out where many are; people's word counts."""

import json
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing.dataset import doubtful_rows
from tests.training.synthetic_group import enter_job, featurized, items, make_job, write_channel
from training import doubtful, fitting

WRONG = 0.3


@pytest.fixture
def noisy(tmp_path, monkeypatch):
    """A job whose training rows have wrong labels; returns the folder, and the rows with the true ones."""
    make_job(tmp_path)
    enter_job(tmp_path, monkeypatch)
    true = items(600, 1, wrong=False)
    write_channel(tmp_path, "train", with_wrong_labels(true, WRONG))
    write_channel(tmp_path, "validation", items(200, 2, wrong=False))
    return tmp_path, true


def with_wrong_labels(rows: pa.Table, share: float) -> pa.Table:
    """Other codes at random places: what has a pattern would be learned."""
    rng = np.random.default_rng(0)
    labels = np.array(rows["label"].to_pylist()).astype(int)
    at = rng.choice(len(labels), int(share * len(labels)), replace=False)
    labels[at] = (labels[at] + rng.integers(0, 2, len(at))) % 3 + 1
    return rows.set_column(rows.column_names.index("label"), "label", pa.array(labels.astype(str).tolist()))


def reported(base) -> tuple[dict, list[dict]]:
    folder = base / "processing" / "output" / "report"
    about = doubtful_rows.read(folder)
    assert about is not None
    return about, pq.read_table(folder / doubtful_rows.TABLE).to_pylist()


def decide(base, item: dict, answer: str = "code") -> None:
    folder = base / "processing" / "input" / "reviewed" / "DE-weee-review-2026-09-0f3a9c21d4e5"
    folder.mkdir(parents=True)
    said = {
        "answer": answer,
        "label": item["label"],
        "decided_by": "A",
        "decided_at": "2026-10-01T00:00:00.000Z",
    }
    (folder / "decisions.jsonl").write_text(json.dumps(item | said) + "\n")


def test_wrong_labels_are_found_and_hardly_any_others(noisy):
    base, true = noisy
    featurized()
    about, rows = reported(base)
    right = dict(zip(true["item_id"].to_pylist(), true["label"].to_pylist(), strict=True))
    wrong = [row for row in rows if right.get(row["item_id"]) != row["label"]]
    assert len(wrong) > 0.5 * WRONG * 600
    assert len(wrong) > 0.95 * len(rows)
    assert {row["code"] == right[row["item_id"]] for row in wrong} == {True}
    assert about["doubtful"] == len(rows) and abs(about["noise"] - WRONG * 600 / 800) < 0.06


def test_where_many_labels_are_wrong_the_doubtful_are_not_learned(noisy):
    base, true = noisy
    given = featurized()
    about, rows = reported(base)
    assert given.left_out.sum() == about["left_out"] == sum(row["left_out"] for row in rows) > 60
    kept = featurized(policy='{"doubtful": "keep"}')
    assert not kept.left_out.any() and reported(base)[0]["left_out"] == 0
    right = np.array(true["label"].to_pylist()).astype(int) - 1
    shares = []
    for each in (given, kept):
        fitted = fitting.fit(each, np.ones(len(each.labels), bool), doubtful.SETTING)
        shares.append((fitted.margins(each.features).argmax(axis=1)[:600] == right).mean())
    assert shares[0] > shares[1]


def test_where_few_labels_are_wrong_all_are_learned_and_the_doubtful_are_listed(noisy):
    base, true = noisy
    write_channel(base, "train", with_wrong_labels(true, 0.02))
    assert not featurized().left_out.any()
    assert reported(base)[0]["doubtful"] > 5


def test_a_row_that_a_person_decided_on_is_neither_listed_nor_left_out(noisy):
    base, true = noisy
    featurized()
    worst = reported(base)[1][0]
    [item] = [row for row in true.to_pylist() if row["item_id"] == worst["item_id"]]
    decide(
        base,
        {name: item[name] for name in ("item_id", "title", "brand", "product_type")}
        | {"label": worst["label"]},
    )
    given = featurized()
    assert worst["item_id"] not in {row["item_id"] for row in reported(base)[1]}
    assert not given.left_out[true["item_id"].to_pylist().index(worst["item_id"])]


def test_a_row_whose_decision_was_withdrawn_is_listed_as_if_nobody_had_decided(noisy):
    base, true = noisy
    featurized()
    worst = reported(base)[1][0]
    [item] = [row for row in true.to_pylist() if row["item_id"] == worst["item_id"]]
    text = {name: item[name] for name in ("item_id", "title", "brand", "product_type")}
    decide(base, text | {"label": None}, "withdrawn")
    featurized()
    assert worst["item_id"] in {row["item_id"] for row in reported(base)[1]}


def test_half_of_a_codes_rows_are_learned_however_doubtful_they_are(noisy):
    given = featurized()
    n = len(given.labels)
    found = doubtful.Doubts(
        code=np.zeros(n, int),
        sure=np.ones(n),
        lead=np.where(given.labels == 2, 3.0 + np.arange(n) / n, 0.0),
        noise=0.5,
    )
    left_out = doubtful.to_leave_out(given, found, np.zeros(n, bool))
    of_code = np.flatnonzero(given.labels == 2)
    assert left_out.sum() == len(of_code) // 2
    assert left_out[of_code[-len(of_code) // 2 :]].sum() == len(of_code) // 2


@pytest.mark.parametrize("family", ["linear", "boosted"])
def test_the_labels_of_rows_that_are_left_out_change_no_model(noisy, family):
    given = featurized()
    others = replace(given, labels=np.where(given.left_out, (given.labels + 1) % 3, given.labels))
    assert given.left_out.any()
    options = Namespace(family=family, c=0.5, min_df=1, word_weight=1.0, first_word_weight=0.7)
    every = np.ones(len(given.labels), bool)
    fitted = [fitting.fit(each, every, options).margins(given.features) for each in (given, others)]
    assert np.array_equal(*fitted)
    assert np.array_equal(*(fitting.out_of_fold(each, options)[0] for each in (given, others)))
