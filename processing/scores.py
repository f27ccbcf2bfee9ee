"""How good one model's labels are on a test set."""

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support


def scores(
    truth: np.ndarray, predicted: np.ndarray, confidence: np.ndarray, automatic: np.ndarray
) -> dict[str, object]:
    """All scores of one model, as JSON holds them; in [0, 1], higher is better but for calibration_error.

    Parameters
    ----------
    truth, predicted: codes, shape (n_rows,), at least one row.
    confidence: of the predicted codes, shape (n_rows,), in [0, 1].
    automatic: rows that need no person, shape (n_rows,).

    Macro-F1 is over the codes that have test rows, so that it is over the same codes for every model.
    """
    codes = np.unique(truth)
    right = predicted == truth
    precision, recall, f1, support = precision_recall_fscore_support(
        truth, predicted, labels=codes, zero_division=0
    )
    return {
        "macro_f1": float(f1_score(truth, predicted, labels=codes, average="macro", zero_division=0)),
        "accuracy": float(accuracy_score(truth, predicted)),
        "weighted_f1": float(f1_score(truth, predicted, labels=codes, average="weighted", zero_division=0)),
        "calibration_error": calibration_error(right, confidence),
        "coverage": float(automatic.mean()),
        "accuracy_of_covered": float(right[automatic].mean()) if automatic.any() else None,
        "codes": {
            str(code): {"precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            for code, p, r, f, n in zip(codes, precision, recall, f1, support, strict=True)
        },
    }


def calibration_error(right: np.ndarray, confidence: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error over `bins` bins of equal width; in [0, 1], lower is better.

    The mean distance between confidence and share of right answers, weighted by rows (Naeini et al. 2015,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning"). `right` and `confidence` are of shape
    (n_rows,).
    """
    at = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(at, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))
