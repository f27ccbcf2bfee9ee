"""How sure an answer is: the chance that each of the three best codes is right.

It is learned from out-of-fold margins. For the first code, boosted trees on a few signals: they see that a
small lead means something else where half of the text is unknown. A few hundred rows teach trees little, and
a logistic regression on six of the signals more, so the confidence is the mean of both, and the more rows
there are the more the trees count. Neither may contradict the order of the margins (monotone constraints).
For the second and third code, a logistic curve: each is the chance to be right where those before it are
wrong.
"""

from dataclasses import dataclass

import numpy as np
import xgboost
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from processing.arrays import Booleans, Floats, Integers

SECOND_LEAD = 2  # its place among the signals
LOWEST, HIGHEST = 0.0001, 0.9999  # every confidence is between these
ROUNDS = 60
EVEN_ROWS = 2000  # with so many rows trees and logistic regression count alike
#: What the logistic regression reads, and the sign that a weight must have, as the trees' constraints.
LOGISTIC_SIGNALS = 6
SIGNS = [(0, None), (0, None), (None, None), (None, 0), (None, None), (None, None)]
PARAMETERS = {
    "objective": "binary:logistic",
    "max_depth": 4,
    "eta": 0.1,
    "min_child_weight": 5,
    "lambda": 5,
    "max_bin": 64,
    "tree_method": "hist",
    "monotone_constraints": "(1,1,0,-1,0,0,0,0)",
    "nthread": 1,
    "seed": 0,
}


@dataclass(frozen=True)
class Confidence:
    """A fitted calibration.

    Attributes:
        first: trees on `signals`, for the first code.
        logistic: weights of the signals as `_smooth` gives them and the intercept, likewise,
            `(LOGISTIC_SIGNALS + 1,)`.
        trees_share: how much of the confidence is the trees', in [0, 1]; the rest is the regression's.
        others: slope and intercept for the second and the third code, on the second's lead over the third,
            `(n_others, 2)`.
    """

    first: xgboost.Booster
    logistic: Floats
    trees_share: float
    others: Floats

    def of(self, inputs: Floats, n_codes: int) -> Floats:
        """The chance that each of the best `n_codes` is right, `(n_items, n_codes)`; at most 1 a row."""
        trees, share = self.first.inplace_predict(inputs), np.float32(self.trees_share)
        *weights, score = self.logistic.astype(np.float32)
        # Term by term: a product of matrices may round an item otherwise in another batch.
        for weight, signal in zip(weights, _smooth(inputs).T, strict=True):
            score = score + weight * signal
        first = np.clip(share * trees + (1 - share) * expit(score), LOWEST, HIGHEST)
        shares, left = [first], 1 - first
        for slope, intercept in self.others[: n_codes - 1].astype(np.float32):
            share = left / (1 + np.exp(-(slope * inputs[:, SECOND_LEAD] + intercept)))
            shares.append(share)
            left = left - share
        return np.stack(shares, axis=1)


def best_codes(margins: Floats, n: int = 3) -> tuple[Integers, Floats]:
    """Numbers and margins of the `n` codes with the highest margins (or of all codes), the best first."""
    rows = np.arange(len(margins))
    rest = margins.copy()
    codes, values = [], []
    for _ in range(min(n, margins.shape[1])):
        code = rest.argmax(axis=1)
        codes.append(code)
        values.append(rest[rows, code])
        rest[rows, code] = -np.inf
    return np.stack(codes, axis=1), np.stack(values, axis=1)


def signals(
    margins: Floats, codes: Integers, best: Floats, known_share: Floats, n_words: Integers | Floats
) -> NDArray[np.float32]:
    """What the confidence is read from, `(n_items, 8)`, float32; codes, best: from `best_codes`.

    The highest margin, its lead over the second, the second's over the third (0 if there is none), the
    entropy of the margins' softmax, the share of known n-grams, the number of words, and the numbers of
    the first and the second code: a lead of a code that is often mistaken for another says less.
    """
    below = 4 * (margins - best[:, :1])
    shares = np.exp(below)
    total = shares.sum(axis=1)
    entropy = np.log(total) - np.multiply(shares, below, out=shares).sum(axis=1) / total
    second_lead = best[:, 1] - best[:, 2] if best.shape[1] > 2 else np.zeros(len(best))
    lead = best[:, 0] - best[:, 1]
    columns = (best[:, 0], lead, second_lead, entropy, known_share, n_words, *codes.T[:2])
    signals = np.empty((len(margins), len(columns)), np.float32)
    for place, column in enumerate(columns):
        signals[:, place] = column
    return signals


def fit(inputs: Floats, codes: Integers, labels: Integers) -> Confidence:
    """Learn from rows that the scoring model was not trained on.

    Args:
        inputs: from `signals`.
        codes: from `best_codes`, `(n_items, n_best)`.
        labels: `(n_items,)`.
    """
    right = codes == labels[:, None]
    start = np.clip(right[:, 0].mean(), 0.01, 0.99)
    data = xgboost.QuantileDMatrix(inputs, right[:, 0], nthread=1, max_bin=PARAMETERS["max_bin"])
    first = xgboost.train(PARAMETERS | {"base_score": float(start)}, data, num_boost_round=ROUNDS)
    others, left = [], ~right[:, 0]
    for rank in range(1, codes.shape[1]):
        others.append(_fit_curve(inputs[left, SECOND_LEAD], right[left, rank]))
        left = left & ~right[:, rank]
    trees_share = len(labels) / (len(labels) + EVEN_ROWS)
    return Confidence(first, _logistic(inputs, right[:, 0]), trees_share, np.array(others))


def _smooth(inputs: Floats) -> Floats:
    """The signals that the logistic regression reads, the number of words by its logarithm."""
    chosen = inputs[:, :LOGISTIC_SIGNALS].copy()
    chosen[:, -1] = np.log1p(chosen[:, -1])
    return chosen


def _logistic(inputs: Floats, right: Booleans) -> Floats:
    """Weights and intercept, `(LOGISTIC_SIGNALS + 1,)`, with weights of the SIGNS.

    Instead of 1 and 0 the targets are Platt's (1999, "Probabilistic Outputs for Support Vector Machines",
    section 2.2): where all of n rows are right, the chance is (n + 1) / (n + 2).
    """
    given = _smooth(inputs).astype(np.float64)
    middle, spread = given.mean(axis=0), given.std(axis=0) + 1e-9
    rows = np.column_stack([(given - middle) / spread, np.ones(len(given))])
    n_right = right.sum()
    target = np.where(right, (n_right + 1) / (n_right + 2), 1 / (len(right) - n_right + 2))
    penalty = np.append(np.ones(LOGISTIC_SIGNALS), 0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        score = rows @ weights
        value = (np.logaddexp(0, score) - target * score).sum() + (penalty * weights**2).sum() / 2
        return value, rows.T @ (expit(score) - target) + penalty * weights

    start = np.zeros(LOGISTIC_SIGNALS + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*SIGNS, (None, None)]).x
    weights = found[:-1] / spread
    return np.append(weights, found[-1] - weights @ middle)


def _fit_curve(lead: Floats, right: Booleans) -> tuple[float, float]:
    """Slope and intercept; a flat curve where there is nothing to learn from."""
    if right.sum() < 5 or (~right).sum() < 5:
        chance = (right.sum() + 0.5) / (len(right) + 1)
        return 0.0, float(np.log(chance / (1 - chance)))
    model = LogisticRegression(C=1.0).fit(lead[:, None], right)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
