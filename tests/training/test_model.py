"""The artefact: it survives its files, and what is spoiled is refused."""

import json
import shutil

import numpy as np
import pytest

from training import confidence, model


@pytest.fixture
def artefact(trained, tmp_path):
    """A copy of an artefact, to be spoiled."""
    return shutil.copytree(trained / "model", tmp_path / "model")


def test_a_model_survives_its_files(trained, tmp_path):
    model.save(model.load(trained / "model"), tmp_path)
    for name in ("model.json", "arrays.npz", "confidence.ubj"):
        assert (tmp_path / name).read_bytes() == (trained / "model" / name).read_bytes()


def test_a_model_with_one_threshold_for_all_codes_is_still_read(artefact):
    about = json.loads((artefact / "model.json").read_text())
    codes = about["codes"]
    del about["thresholds"]
    (artefact / "model.json").write_text(json.dumps(about | {"format": 2, "threshold": 0.75}))
    read = model.load(artefact)
    assert [read.threshold_of(code) for code in codes] == [0.75] * len(codes)


def test_a_model_of_another_format_is_refused(artefact):
    about = json.loads((artefact / "model.json").read_text())
    (artefact / "model.json").write_text(json.dumps(about | {"format": 1}))
    with pytest.raises(ValueError, match=r"has format 1, this code reads 2 and 3\. Fix: use the code"):
        model.load(artefact)


def test_the_confidence_of_an_older_model_is_that_of_its_trees(artefact):
    about = json.loads((artefact / "model.json").read_text())
    newer = {
        name: about.pop(name) for name in ("thresholds", "confidence_logistic", "confidence_trees_share")
    }
    assert 0 < newer["confidence_trees_share"] < 1
    (artefact / "model.json").write_text(json.dumps(about | {"format": 2, "threshold": 0.7}))
    older = model.load(artefact)
    inputs = np.random.default_rng(0).uniform(size=(20, 8)).astype(np.float32)
    assert np.array_equal(
        older.confidence.of(inputs, 1)[:, 0],
        np.clip(older.confidence.first.inplace_predict(inputs), confidence.LOWEST, confidence.HIGHEST),
    )
    assert (older.thresholds == 0.7).all()


def test_a_model_from_before_the_search_weighed_first_words_is_read_as_it_was_trained(artefact):
    about = json.loads((artefact / "model.json").read_text())
    del about["first_word_weight"]
    (artefact / "model.json").write_text(json.dumps(about | {"format": 2, "threshold": 0.7}))
    assert model.load(artefact).weighting.first_word_weight == 0.7


def test_a_pickle_among_the_arrays_is_never_loaded(artefact):
    with np.load(artefact / "arrays.npz") as arrays:
        content = dict(arrays)
    np.savez(artefact / "arrays.npz", **content | {"intercepts": np.array([print], object)})
    with pytest.raises(ValueError, match="allow_pickle=False"):
        model.load(artefact)


def test_stored_weights_are_within_half_a_step_of_the_fitted_ones():
    weights = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    weights[3] = 0
    step = np.abs(weights).max(axis=1, keepdims=True) / 127
    assert (np.abs(model.Quantised.of(weights).floats() - weights) <= 0.501 * step).all()
