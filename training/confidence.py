"""How sure an answer is: the chance that each of the three best codes is right.

It is learned from out-of-fold margins. For the first code, boosted trees on a few signals: they see that a
small lead means something else where half of the text is unknown. Trees may not contradict the order of the
margins (monotone constraints). For the second and third, a logistic curve: each is the chance to be right
where those before it are wrong.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from processing.arrays import Booleans, Floats, Integers

NEVER = 1.0  # a threshold that no confidence reaches: everything goes to a person
SECOND_LEAD = 2  # its place among the signals
LOWEST, HIGHEST = 0.0001, 0.9999  # every confidence is between these
ROUNDS = 60
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
        others: slope and intercept for the second and the third code, on the second's lead over the third,
            `(n_others, 2)`.
    """

    first: xgboost.Booster
    others: Floats

    def of(self, inputs: Floats, n_codes: int) -> Floats:
        """The chance that each of the best `n_codes` is right, `(n_items, n_codes)`; at most 1 a row."""
        first = np.clip(self.first.inplace_predict(inputs), LOWEST, HIGHEST)
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
    shares = np.exp(4 * (margins - best[:, :1]))
    total = shares.sum(axis=1)
    entropy = np.log(total) - 4 * (shares * (margins - best[:, :1])).sum(axis=1) / total
    second_lead = best[:, 1] - best[:, 2] if best.shape[1] > 2 else np.zeros(len(best))
    columns = (best[:, 0], best[:, 0] - best[:, 1], second_lead, entropy, known_share, n_words, *codes.T[:2])
    signals: NDArray[np.float32] = np.stack(columns, axis=1).astype(np.float32)
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
        others.append(_fit_logistic(inputs[left, SECOND_LEAD], right[left, rank]))
        left = left & ~right[:, rank]
    return Confidence(first, np.array(others))


def review_threshold(
    sure: Floats, right: Booleans, text: Integers, precision: float, risk: float = 0.05
) -> float:
    """The lowest confidence from which on answers are right in a share of at least `precision`.

    The share is bounded from below (Clopper and Pearson, 1934), so that on new items it falls short only with
    a chance of `risk`. Rows of one text are right or wrong together; the bound counts as many rows as would
    be as uncertain if they were independent. Returns NEVER where no threshold does it.

    Args:
        sure: the first code's confidence, out of fold, `(n_items,)`, in [0, 1].
        right: whether it was the label, `(n_items,)`.
        text: number of the row's text, `(n_items,)`.
        precision: the wanted share of right answers, in [0, 1].
        risk: the chance to fall short of it, in (0, 1).
    """
    rows = pd.DataFrame({"sure": sure, "right": right.astype(np.int64), "text": text})
    rows = rows.sort_values("sure", ascending=False, kind="stable")
    texts = rows.groupby("text", sort=False)
    before, right_before = texts.cumcount(), texts["right"].cumsum() - rows["right"]
    n, n_right = np.arange(1, len(rows) + 1), rows["right"].cumsum().to_numpy()
    share = n_right / n
    # Sums over texts of N^2, R N and R^2 (N rows, R right ones), each grown row by row.
    both = (rows["right"] * (before + 1) + right_before).cumsum().to_numpy()
    squares = (2 * before + 1).cumsum().to_numpy()
    right_squares = (rows["right"] * (2 * right_before + 1)).cumsum().to_numpy()
    spread = right_squares - 2 * share * both + share**2 * squares  # sum over texts of (R - share N)^2
    independent = n * np.clip(n * share * (1 - share) / np.maximum(spread, 1e-9), None, 1)
    independent = np.where(spread > 1e-9, independent, n * n / squares)
    bound = beta.ppf(risk, np.maximum(share * independent, 1e-9), (1 - share) * independent + 1)
    last_of_equals = np.append(rows["sure"].to_numpy()[1:] < rows["sure"].to_numpy()[:-1], True)
    holds = np.flatnonzero((bound >= precision) & last_of_equals)
    return float(rows["sure"].iloc[holds[-1]]) if len(holds) else NEVER


def _fit_logistic(lead: Floats, right: Booleans) -> tuple[float, float]:
    """Slope and intercept; a flat curve where there is nothing to learn from."""
    if right.sum() < 5 or (~right).sum() < 5:
        chance = (right.sum() + 0.5) / (len(right) + 1)
        return 0.0, float(np.log(chance / (1 - chance)))
    model = LogisticRegression(C=1.0).fit(lead[:, None], right)
    return float(model.coef_[0, 0]), float(model.intercept_[0])
