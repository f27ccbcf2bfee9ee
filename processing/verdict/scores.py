"""How good one model's labels are on a test set."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from processing.arrays import Booleans, Floats, Texts

BINS = 15  # of confidence, for calibration
DRAWS = 200


def scores(
    truth: Texts, predicted: Texts, confidence: Floats, automatic: Booleans, text: Texts
) -> dict[str, object]:
    """All scores of one model, as JSON holds them; in [0, 1], higher is better except for calibration_error.

    `right_of_all` counts the rows that a person decides as right. Of each code: `rows` that have it, rows
    that were `given` it, and those `rightly_given` it. Macro-F1 is over the codes that have test rows, so
    that it is over the same codes for every model.

    Args:
        truth: codes, shape (n_rows,), at least one row.
        predicted: codes, likewise.
        confidence: of the predicted codes, shape (n_rows,), in [0, 1].
        automatic: rows that need no person, shape (n_rows,).
        text: equal for rows of equal texts, shape (n_rows,).
    """
    codes = np.unique(truth)
    right = predicted == truth
    precision, recall, f1, rows = precision_recall_fscore_support(
        truth, predicted, labels=codes, zero_division=0
    )
    given, rightly = _counts(predicted), _counts(predicted[right])
    return {
        "macro_f1": float(f1_score(truth, predicted, labels=codes, average="macro", zero_division=0)),
        "accuracy": float(accuracy_score(truth, predicted)),
        "weighted_f1": float(f1_score(truth, predicted, labels=codes, average="weighted", zero_division=0)),
        "calibration_error": calibration_error(right, confidence),
        "calibration_error_by_chance": calibration_error_by_chance(confidence, text),
        "calibration": calibration_curve(right, confidence),
        "coverage": float(automatic.mean()),
        "accuracy_of_covered": float(right[automatic].mean()) if automatic.any() else None,
        "right_of_all": float((right | ~automatic).mean()),
        "codes": {
            str(code): {"precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            | {"given": given.get(code, 0), "rightly_given": rightly.get(code, 0)}
            for code, p, r, f, n in zip(codes, precision, recall, f1, rows, strict=True)
        },
    }


def calibration_error(right: Booleans, confidence: Floats) -> float:
    """Expected calibration error over BINS bins of equal width; in [0, 1], lower is better.

    The mean distance between confidence and share of right answers, weighted by rows (Naeini et al. 2015,
    "Obtaining Well Calibrated Probabilities Using Bayesian Binning"). `right` and `confidence` are of shape
    (n_rows,).
    """
    return _error(_bins(confidence), right - confidence)


def calibration_error_by_chance(confidence: Floats, text: Texts) -> dict[str, float]:
    """The calibration error these rows would show if every confidence were exactly the chance to be right.

    Its `mean`, and the `high` value that one in twenty such models exceeds: an error up to there says nothing
    against the model. Consistency resampling (Bröcker and Smith 2007, "Increasing the Reliability of
    Reliability Diagrams"); rows of one text are right or wrong together. `confidence` and `text` are of shape
    (n_rows,). The draws are the same at every call.
    """
    numbers, text = np.unique(text, return_inverse=True)
    rng, at = np.random.default_rng(0), _bins(confidence)
    errors = [
        _error(at, (rng.uniform(size=len(numbers))[text] < confidence) - confidence) for _ in range(DRAWS)
    ]
    return {"mean": float(np.mean(errors)), "high": float(np.quantile(errors, 0.95))}


def calibration_curve(right: Booleans, confidence: Floats) -> list[dict[str, float]]:
    """The bins of the calibration error that hold rows, lowest confidence first.

    Of each bin its edges `low` and `high`, its number of `rows`, their mean `confidence`, their `accuracy`.
    """
    at = _bins(confidence)
    rows = np.bincount(at, minlength=BINS)
    mean, accuracy = (
        np.bincount(at, weights=values, minlength=BINS) / np.maximum(rows, 1)
        for values in (confidence, right)
    )
    return [
        {
            "low": float(n / BINS),
            "high": float((n + 1) / BINS),
            "rows": int(rows[n]),
            "confidence": float(mean[n]),
            "accuracy": float(accuracy[n]),
        }
        for n in np.flatnonzero(rows)
    ]


def _error(bins: NDArray[np.int64], gaps: Floats) -> float:
    """The mean distance over bins; gaps: right (1 or 0) minus confidence, of each row."""
    return float(np.abs(np.bincount(bins, weights=gaps, minlength=BINS)).sum() / len(gaps))


def _counts(codes: Texts) -> dict[str, int]:
    return dict(zip(*(each.tolist() for each in np.unique(codes, return_counts=True)), strict=True))


def _bins(confidence: Floats) -> NDArray[np.int64]:
    """Number of the bin of each confidence; a bin holds its upper edge."""
    bins: NDArray[np.int64] = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    return bins
