"""The main candidate: linear support vector machines, one for each code against the rest."""

import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC

from processing.arrays import Floats, Integers

# Dual coordinate descent (Hsieh et al., 2008) is after three passes as accurate on held-out rows as at
# convergence, in a fifth of the time (docs/classifier.md).
PASSES = 3
ABSENT = -10.0  # the margin of a code without rows: it is never the answer


def fit(
    features: sparse.csr_matrix, labels: Integers, n_codes: int, c: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights `(n_features, n_codes)` and intercepts `(n_codes,)`, float32.

    Args:
        features: `(n_items, n_features)`.
        labels: code numbers in [0, n_codes), at least two different ones.
        n_codes: how many codes there are.
        c: the inverse strength of regularisation, above 0.
    """
    first, count = _distinct(features, labels)
    merged, column, factor = _merge_equal_columns(features[first])
    machine = LinearSVC(C=c, max_iter=PASSES, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping early is the intention, see PASSES
        # Few rows of many codes are no regression by mistake.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        machine.fit(merged, labels[first], sample_weight=count)
    coefficients, intercept = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:
        coefficients, intercept = np.vstack([-coefficients, coefficients]), np.append(-intercept, intercept)
    of_merged = np.zeros((merged.shape[1], n_codes), np.float32)
    of_merged[:, machine.classes_] = coefficients.T
    intercepts = np.full(n_codes, ABSENT, np.float32)
    intercepts[machine.classes_] = intercept
    weights = of_merged.take(column, axis=0)
    weights *= factor[:, None]  # in place: the array is large
    return weights, intercepts


def _distinct(features: sparse.csr_matrix, labels: Integers) -> tuple[Integers, Integers]:
    """The first of all rows with the same features and label, and how many there are, `(n_distinct,)` each.

    Items repeat; learning each once with its weight is the same problem with a quarter fewer rows. Equal rows
    have equal products with a random vector, others do not.
    """
    product = features @ np.random.default_rng(0).uniform(size=features.shape[1])
    order = np.lexsort((labels, product))  # stable: of equal rows the first comes first
    other = np.diff(product[order]).astype(bool) | np.diff(labels[order]).astype(bool)
    start = np.flatnonzero(np.append(True, other))
    first, count = order[start], np.diff(start, append=len(order))
    order = np.argsort(first)
    return first[order], count[order]


def _merge_equal_columns(features: sparse.csr_matrix) -> tuple[sparse.csr_matrix, Integers, Floats]:
    """One column for each set of equal ones; each column's set, and its weight's share of the set's weight.

    The n-grams of a rare word always occur together: most columns equal another one. k equal columns and one
    that is longer by the square root of k give the same scalar products of items, hence the same machine (the
    dual problem knows nothing else), in three quarters of the time.
    """
    by_column = features.tocsc()
    product = by_column.T @ np.random.default_rng(0).uniform(size=features.shape[0])
    column, _ = pd.factorize(product)
    example = np.unique(column, return_index=True)[1]
    length = np.sqrt(np.bincount(column)).astype(np.float32)
    merged = by_column[:, example]
    merged.data *= np.repeat(length, np.diff(merged.indptr))
    return merged.tocsr(), column, (1 / length)[column]
