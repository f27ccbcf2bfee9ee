"""Exact McNemar test on distinct texts: of two models, which is right where the other is wrong?

Beside the test its bounds, and how many texts it would take to show a difference.
"""

import math
from typing import Literal

import numpy as np
from scipy.stats import binomtest, norm

from processing.arrays import Booleans, Integers

POWER = 0.8  # the chance of a verdict that an estimate of the texts needed is made for


def discordant(right_challenger: Booleans, right_winner: Booleans, text: Integers) -> tuple[int, int]:
    """Number of texts on which the challenger has more rows right than the winner, and on which it has fewer.

    Args:
        right_challenger: whether the challenger is right, boolean, shape (n_rows,).
        right_winner: whether the winner is right, boolean, shape (n_rows,).
        text: number of the row's text, whole numbers from 0, shape (n_rows,).
    """
    balance = np.bincount(text, weights=right_challenger.astype(int) - right_winner.astype(int))
    return int((balance > 0).sum()), int((balance < 0).sum())


def mcnemar(
    better: int, worse: int, alternative: Literal["two-sided", "less", "greater"] = "two-sided"
) -> float:
    """How likely so uneven a split of the discordant texts is if both models are equally good; in [0, 1].

    Exact, by the binomial distribution, so it holds for any number of texts; 1 without discordant texts.
    "less" asks only whether `better` is too small, "greater" whether it is too great. Source: McNemar (1947),
    "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 153-157.
    """
    if better + worse == 0:
        return 1.0
    return float(binomtest(better, better + worse, alternative=alternative).pvalue)


def exact_interval(better: int, worse: int, texts: int, level: float) -> tuple[float, float]:
    """Bounds of the difference in the share of texts that are right, in [-1, 1], for any number of texts.

    Given how many texts are discordant, Clopper and Pearson's interval of the share of them that got better
    (1934, "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26,
    404-413). So it lies above 0 exactly where `mcnemar` is at most `level` and more texts got better.

    Args:
        better: texts on which only the challenger is right.
        worse: texts on which only the winner is right.
        texts: all of them, at least one.
        level: what the interval leaves out, half at either end, in (0, 1).
    """
    if better + worse == 0:
        return 0.0, 0.0
    share = binomtest(better, better + worse).proportion_ci(1 - level, method="exact")
    low, high = ((2 * bound - 1) * (better + worse) / texts for bound in share)
    return low, high


def texts_needed(better: int, worse: int, texts: int, level: float) -> int | None:
    """About how many texts would show that the challenger is better, if all were as these; None if it is not.

    An estimate, for a chance of POWER: the number of discordant texts by Connor (1987), "Sample size for
    testing differences in proportions for the paired-sample design", Biometrics 43, 207-211, and at least the
    smallest one that can be significant. `texts`, `level` as of `exact_interval`.
    """
    if better <= worse:
        return None
    discordant_texts = better + worse
    share = better / discordant_texts
    spread = 2 * math.sqrt(share * (1 - share))
    wanted: float = ((norm.isf(level / 2) + norm.isf(1 - POWER) * spread) / (2 * share - 1)) ** 2
    smallest = 1 - math.log2(level)
    return math.ceil(max(wanted, smallest) * texts / discordant_texts)
