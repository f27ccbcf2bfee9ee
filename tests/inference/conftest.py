"""A model of the synthetic group of tests/training, and what labels with it."""

import pytest

from inference.predict import Labeller
from tests.training.synthetic_group import job, trained
from training import model

__all__ = ["job", "labeller", "trained"]


@pytest.fixture(scope="session")
def labeller(trained):
    return Labeller(model.load(trained / "model"))
