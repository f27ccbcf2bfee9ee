"""The same synthetic model group as in tests/training, a model of it; ledgers as in tests/ledger."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from synthetic_group import trained

from inference.predict import Labeller
from training import model

__all__ = ["labeller", "trained"]


@pytest.fixture(scope="session")
def labeller(trained):
    return Labeller(model.load(trained / "model"))
