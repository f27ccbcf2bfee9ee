"""The second candidate: boosted trees on the attributes and on the linear margins of the text.

Worth its cost where attributes decide in combination (a weight limit that holds for one material only),
which a sum over features cannot say. Text alone is better left to the linear model (docs/classifier.md).
The margins it learns from are out of fold, as those of new items are.
"""

import numpy as np
import xgboost
from numpy.typing import NDArray

from processing.arrays import Floats, Integers

ROUNDS = 40
PARAMETERS = {
    "objective": "multi:softprob",
    "max_depth": 5,
    "eta": 0.2,
    "min_child_weight": 2,
    "lambda": 2,
    "max_bin": 64,
    "tree_method": "hist",
    "nthread": 1,
    "seed": 0,
}


def inputs(margins: Floats, numbers: Floats, categories: Floats) -> NDArray[np.float32]:
    """One row an item: margins `(n, n_codes)`, numbers `(n, n_numbers)` (NaN: missing), categories (0, 1)."""
    return np.hstack([margins, numbers, categories]).astype(np.float32)


def fit(given: Floats, labels: Integers, n_codes: int) -> xgboost.Booster:
    """Trees on `inputs`; labels `(n,)` in [0, n_codes)."""
    data = xgboost.QuantileDMatrix(given, labels, nthread=1, max_bin=PARAMETERS["max_bin"])
    return xgboost.train(PARAMETERS | {"num_class": n_codes}, data, num_boost_round=ROUNDS)


def margins(booster: xgboost.Booster, given: Floats) -> Floats:
    """Margins of items, `(n, n_codes)`, float32: logarithms of the shares, up to a constant in each row."""
    # Of no rows xgboost makes an array without columns.
    asked = given if len(given) else np.zeros((1, booster.num_features()), np.float32)
    return booster.inplace_predict(asked, predict_type="margin")[: len(given)]
