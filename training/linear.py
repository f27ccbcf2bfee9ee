"""The main candidate: linear support vector machines, one for each code against the rest."""

import numpy as np
from scipy import sparse
from sklearn.svm import LinearSVC


def fit(
    features: sparse.csr_matrix, labels: np.ndarray, n_codes: int, c: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(n_features, n_codes)` and intercepts `(n_codes,)`, float32; a code without rows never wins.

    features: `(n_items, n_features)`; labels: code numbers in [0, n_codes), at least two different ones;
    c: the inverse strength of regularisation, above 0.
    """
    svm = LinearSVC(C=c, tol=0.01, random_state=0).fit(features, labels)
    weights = np.zeros((features.shape[1], n_codes), np.float32)
    intercepts = np.full(n_codes, -10, np.float32)
    if len(svm.classes_) == 2:
        weights[:, svm.classes_] = np.stack([-svm.coef_[0], svm.coef_[0]], axis=1)
        intercepts[svm.classes_] = -svm.intercept_[0], svm.intercept_[0]
    else:
        weights[:, svm.classes_] = svm.coef_.T
        intercepts[svm.classes_] = svm.intercept_
    return weights, intercepts
