"""How sure an answer is: the chance that the first code is right, learned from out-of-fold margins."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

NEVER = 1.0  # a threshold that no confidence reaches: everything goes to a person
HIGHEST = 0.9999  # no confidence is above this


@dataclass(frozen=True)
class Confidence:
    """Logistic models on `signals`: is the first code right; if not, is the second.

    first, second: coefficients, the intercept last, `(n_signals + 1,)`
    """

    first: np.ndarray
    second: np.ndarray

    def of_two(self, margins: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The two best codes of each item, `(n_items, 2)`, and the chance that the first, the second is right."""
        best = best_two(margins)
        inputs = signals(margins, best)
        first = np.minimum(_logistic(inputs, self.first), HIGHEST)
        return best, first, (1 - first) * _logistic(inputs, self.second)


def fit(margins: np.ndarray, labels: np.ndarray) -> Confidence:
    """Fit to margins of rows that the scoring model was not trained on: `(n_items, n_codes)`, labels `(n_items,)`."""
    best = best_two(margins)
    inputs = signals(margins, best)
    right = best[:, 0] == labels
    return Confidence(
        _fit_logistic(inputs, right), _fit_logistic(inputs[~right], best[~right, 1] == labels[~right])
    )


def best_two(margins: np.ndarray) -> np.ndarray:
    """Numbers of the two codes with the highest margins, the best first, `(n_items, 2)`."""
    first = margins.argmax(axis=1)
    rest = margins.copy()
    rest[np.arange(len(rest)), first] = -np.inf
    return np.stack([first, rest.argmax(axis=1)], axis=1)


def signals(margins: np.ndarray, best: np.ndarray) -> np.ndarray:
    """What the confidence is read from, `(n_items, 3)`: highest margin, lead over the second, entropy of the softmax."""
    rows = np.arange(len(margins))
    top = margins[rows, best[:, 0]]
    shares = np.exp(4 * (margins - top[:, None]))
    shares /= shares.sum(axis=1, keepdims=True)
    entropy = -(shares * np.log(np.maximum(shares, 1e-12))).sum(axis=1)
    return np.stack([top, top - margins[rows, best[:, 1]], entropy], axis=1)


def review_threshold(
    confidence: np.ndarray, right: np.ndarray, precision: float, risk: float = 0.05
) -> float:
    """The lowest confidence from which on answers are right in a share of at least `precision`.

    The share is bounded from below (Clopper and Pearson, 1934), so that it holds on new items but for a chance
    of `risk`. Returns NEVER where no threshold does it.
    """
    order = np.argsort(-confidence, kind="stable")
    n_right = np.cumsum(right[order])
    n = np.arange(1, len(order) + 1)
    bound = np.where(n_right > 0, beta.ppf(risk, n_right, n - n_right + 1), 0)
    ranked = confidence[order]
    complete = np.append(ranked[1:] < ranked[:-1], True)  # equal confidences are on one side
    holds = np.flatnonzero((bound >= precision) & complete)
    return float(ranked[holds[-1]]) if len(holds) else NEVER


def _fit_logistic(inputs: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Coefficients and intercept; where all answers are the same, a constant between the two."""
    if right.all() or not right.any():
        n_right = right.sum()
        chance = (n_right + 0.5) / (len(right) + 1)
        return np.append(np.zeros(inputs.shape[1]), np.log(chance / (1 - chance)))
    model = LogisticRegression(C=100, max_iter=1000).fit(inputs, right)
    return np.append(model.coef_[0], model.intercept_[0])


def _logistic(inputs: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(inputs @ coefficients[:-1] + coefficients[-1])))
