"""The boosted candidate: what it wins, and that it is served as it was trained."""

import numpy as np
import pyarrow as pa
import pytest

from inference.explain import explain
from inference.predict import Labeller
from processing.container import run
from tests.training.synthetic_group import codebook, featurized, items, publish_codebook, write_channel
from training import model, train, tune
from training.families import boosted


def interacting(n: int, seed: int) -> pa.Table:
    """Synthetic rows whose code follows from weight and material together, and from no word."""
    rng = np.random.default_rng(seed)
    rows = items(n, seed)
    weight, material = rng.uniform(0.1, 10, n), rng.choice(["steel", "wood"], n)
    labels = np.where((weight > 3) == (material == "steel"), "1", "2")
    for name, values in (
        ("weight_kg", weight),
        ("material", material),
        ("label", labels),
        ("title", ["Teil"] * n),
    ):
        rows = rows.set_column(rows.schema.get_field_index(name), name, pa.array(values))
    return rows


@pytest.fixture
def interaction(job):
    for name, rows in (("train", interacting(900, 1)), ("validation", interacting(300, 2))):
        write_channel(job, name, rows)
    publish_codebook(job, codebook())
    featurized()
    return job


def trial(capsys, family: str) -> float:
    run(tune.main, ["--family", family])
    return float(capsys.readouterr().out.split("macro_f1=")[1].split(";")[0])


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_margins_have_a_column_for_each_code_however_few_items_there_are(rows):
    rng = np.random.default_rng(0)
    given, labels = rng.random((60, 5)).astype(np.float32), np.arange(60) % 3
    margins = boosted.margins(boosted.fit(given, labels, n_codes=3), given[:rows])
    assert (margins.shape, margins.dtype) == ((rows, 3), np.float32)


def test_trees_win_where_attributes_decide_together(interaction, capsys):
    assert trial(capsys, "boosted") > trial(capsys, "linear") + 0.15


def test_a_boosted_model_is_served_as_it_was_trained(interaction):
    run(train.main, ["--family", "boosted"])
    labeller = Labeller(model.load(interaction / "model"))
    new = interacting(300, 3)
    answers = np.array(labeller.model.codes)[labeller.label(new).codes[:, 0]]
    assert (answers == new["label"].to_numpy()).mean() > 0.9
    assert explain(labeller, {"title": "Teil", "weight_kg": 9.0, "material": "steel"}).code == "1"


def test_a_boosted_model_of_a_group_without_attributes_is_served_too(job):
    for name, rows in (("train", items(300, 1)), ("validation", items(100, 2))):
        write_channel(job, name, rows.drop_columns(["weight_kg", "material"]))
    publish_codebook(job, codebook() | {"attributes": []})
    featurized()
    run(train.main, ["--family", "boosted"])
    new = items(100, 3)
    labeller = Labeller(model.load(job / "model"))
    answers = np.array(labeller.model.codes)[labeller.label(new).codes[:, 0]]
    assert (answers == new["label"].to_numpy()).mean() > 0.8
