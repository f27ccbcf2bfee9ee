"""The artefact: it survives its files, and what is spoiled is refused."""

import json
import shutil

import numpy as np
import pytest

from training import model


@pytest.fixture
def artefact(trained, tmp_path):
    """A copy of an artefact, to be spoiled."""
    return shutil.copytree(trained / "model", tmp_path / "model")


def test_a_model_survives_its_files(trained, tmp_path):
    model.save(model.load(trained / "model"), tmp_path)
    for name in ("model.json", "arrays.npz", "confidence.ubj"):
        assert (tmp_path / name).read_bytes() == (trained / "model" / name).read_bytes()


def test_a_model_of_another_format_is_refused(artefact):
    about = json.loads((artefact / "model.json").read_text())
    (artefact / "model.json").write_text(json.dumps(about | {"format": 1}))
    with pytest.raises(ValueError, match=r"has format 1, this code reads 2\. Fix: use the code"):
        model.load(artefact)


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
