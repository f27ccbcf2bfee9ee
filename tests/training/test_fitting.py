"""One setting, fitted on the rows of a mask."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.synthetic_group import featurized
from training import fitting
from training.hyperparameters import parser


@pytest.mark.parametrize("family", ["linear", "boosted"])
def test_rows_outside_the_mask_teach_nothing(job, family):
    given, options = featurized(), parser("").parse_args(["--family", family])
    learned = ~given.validation
    others = np.where(learned, given.labels, (given.labels + 1) % len(given.codes))
    held_out = given.features[given.validation]
    expected = fitting.fit(given, learned, options).margins(held_out)
    found = fitting.fit(replace(given, labels=others), learned, options).margins(held_out)
    assert np.array_equal(found, expected)
