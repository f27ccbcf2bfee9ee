"""Exact McNemar test on distinct texts: of two models, which is right where the other is wrong?"""

from typing import Literal

import numpy as np
from scipy.stats import binomtest

from processing.arrays import Booleans, Integers


def discordant(right_challenger: Booleans, right_winner: Booleans, text: Integers) -> tuple[int, int]:
    """Number of texts on which the challenger has more rows right than the winner, and on which it has fewer.

    Args:
        right_challenger: whether the challenger is right, boolean, shape (n_rows,).
        right_winner: whether the winner is right, boolean, shape (n_rows,).
        text: number of the row's text, whole numbers from 0, shape (n_rows,).
    """
    balance = np.bincount(text, weights=right_challenger.astype(int) - right_winner.astype(int))
    return int((balance > 0).sum()), int((balance < 0).sum())


def mcnemar(better: int, worse: int, alternative: Literal["two-sided", "less"] = "two-sided") -> float:
    """How likely so uneven a split of the discordant texts is if both models are equally good; in [0, 1].

    Exact, by the binomial distribution, so it holds for any number of texts; 1 without discordant texts.
    "less" asks only whether `better` is too small. Source: McNemar (1947), "Note on the sampling error of the
    difference between correlated proportions or percentages", Psychometrika 12, 153-157.
    """
    if better + worse == 0:
        return 1.0
    return float(binomtest(better, better + worse, alternative=alternative).pvalue)
