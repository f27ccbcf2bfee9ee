"""Exact bounds of how much is wrong, from a random sample: of one finite list, or of several pooled.

No approximation and no model: they hold with a chance of at least 1 - LEVEL whatever the truth is. What is
sampled, and what it says of a month, is in audit.py.
"""

from bisect import bisect_left, bisect_right
from functools import cache

import numpy as np
from scipy.special import betaincinv, gammaln

from processing.arrays import Floats, Integers

LEVEL = 0.05  # what an interval leaves out, at most half of it at either end


def wrong_of(items: int, drawn: int, least: int, most: int) -> tuple[int, int]:
    """Bounds of how many of the `items` are wrong, where `drawn` of them were taken at random, each once.

    The hypergeometric test, inverted at either end; nothing is left open where all are drawn. Exact as
    Clopper and Pearson's interval is for an endless list (Biometrika 26, 404, 1934); Buonaccorsi, "A note on
    confidence intervals for proportions in finite populations", The American Statistician 41(3), 1987.

    Args:
        items: how many there are.
        drawn: how many of them are in the sample, at most `items`.
        least: how many of these are known to be wrong.
        most: how many of these may be wrong: those that nobody could tell are.
    """
    if drawn in (0, items):
        return least, items - drawn + most
    low = range(least, items - drawn + least + 1)
    high = range(most, items - drawn + most + 1)
    return (
        low[bisect_right(low, LEVEL / 2, key=lambda wrong: _chance(items, drawn, wrong, least, drawn))],
        high[bisect_left(high, -LEVEL / 2, key=lambda wrong: -_chance(items, drawn, wrong, 0, most)) - 1],
    )


def share_of_pooled(drawn: int, least: int, most: int) -> tuple[float, float]:
    """Bounds of the share that is wrong on average, in [0, 1], over all draws from several lists.

    Each list counts by how many are drawn of it. However its items are right or wrong, the number of wrong
    ones drawn is distributed as the sum of independent trials, since a hypergeometric number is (Vatutin and
    Mikhailov, Theory of Probability and its Applications 27, 734, 1982). Of such sums the binomial one with
    the same mean has the longest tails (Hoeffding, Annals of Mathematical Statistics 27, 713, 1956, theorem
    4), so Clopper and Pearson's interval holds. The theorem leaves a single trial at either end out: there a
    bound is 0 or 1.

    Args:
        drawn: how many are drawn from all lists, at least one.
        least: how many of these are known to be wrong.
        most: how many of these may be wrong.
    """
    low = betaincinv(least, drawn - least + 1, LEVEL / 2) if least > 1 else 0.0
    high = betaincinv(most + 1, drawn - most, 1 - LEVEL / 2) if most < drawn - 1 else 1.0
    return float(low), float(high)


@cache
def rows_needed(items: int, of: int, share: float, width: float) -> int:
    """How many of the `items` to draw, so that the interval is about as narrow as is wanted.

    Args:
        items: how many there are to draw from.
        of: how many labels the interval is of: these items, and what is known anyhow.
        share: of the items the share that is expected to be wrong, in [0, 1].
        width: half of the interval, in [0, 1].
    """

    def too_few(drawn: int) -> bool:
        wrong = round(share * drawn)
        low, high = wrong_of(items, drawn, wrong, wrong)
        return high - low > 2 * width * of

    return bisect_left(range(items), True, key=lambda drawn: not too_few(drawn))


def _chance(items: int, drawn: int, wrong: int, first: int, last: int) -> float:
    """How likely it is that from `first` to `last` of those drawn are wrong, by the hypergeometric law.

    scipy.stats.hypergeom says the same, a hundred times slower.
    """
    found = np.arange(max(first, drawn - (items - wrong)), min(last, wrong) + 1)
    logs = _choose(wrong, found) + _choose(items - wrong, drawn - found) - _choose(items, drawn)
    return float(np.exp(logs).sum())


def _choose(of: int, taken: Integers | int) -> Floats:
    """The logarithm of the number of ways to take some of so many."""
    ways: Floats = gammaln(of + 1) - gammaln(np.add(taken, 1)) - gammaln(np.subtract(of, taken) + 1)
    return ways
