"""One model group to do the sums for, on machines and at prices that the sums name."""

import pytest

from pipelines.plan import prices as price_file
from pipelines.plan.groups import ModelGroup
from pipelines.plan.usage import Settings

MACHINES = ("ProcessingInstanceType", "TrainingInstanceType", "TransformInstanceType")


@pytest.fixture
def prices():
    return price_file.load("eu-central-1")


@pytest.fixture
def settings():
    """The budget and the machines of the sums in docs/cost.md, whatever the definitions say today."""
    return Settings(dict.fromkeys(MACHINES, "ml.m5.xlarge"), spot=False, trials=8)


@pytest.fixture
def group():
    return ModelGroup("DE-weee", items=60_000, training_rows=30_000)
