"""Learning from other groups' rows: shared features, plus a copy of them for each group.

What is common is learned from everybody; where a group differs, its own copy says so (Daume, 2007,
"Frustratingly Easy Domain Adaptation").
"""

import numpy as np
from scipy import sparse

from processing.arrays import Floats, Integers


def with_copies(features: sparse.csr_matrix, source: Integers) -> sparse.csr_matrix:
    """The features once for all groups and once more for each: `(n_items, n_features * (1 + n_groups))`.

    `source` is the number of each item's group, `(n_items,)`, in [0, n_groups); with one group the features
    stay as they are.
    """
    n_groups = source.max(initial=0) + 1
    if n_groups == 1:
        return features
    n_features = features.shape[1]
    coordinates = features.tocoo()
    copy_column = coordinates.col + n_features * (1 + source[coordinates.row].astype(np.int64))
    row = np.concatenate([coordinates.row, coordinates.row])
    column = np.concatenate([coordinates.col, copy_column])
    value = np.concatenate([coordinates.data, coordinates.data])
    return sparse.coo_matrix(
        (value, (row, column)), shape=(features.shape[0], n_features * (1 + n_groups))
    ).tocsr()


def folded(weights: Floats, group: int, n_features: int) -> Floats:
    """The weights of one group, `(n_features, n_codes)`: what is shared plus its own copy.

    So serving costs no more.
    """
    if len(weights) == n_features:
        return weights
    own = n_features * (1 + group)
    return weights[:n_features] + weights[own : own + n_features]
