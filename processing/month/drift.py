"""How far months differ: two mixes by one plain measure, and a share over a year by a sequential test.

The measure is the total variation distance, the share of items that would have to move: 0 is the same mix, 1
has nothing in common. A small sample differs from another by chance alone; how much is to be expected stands
beside it, so noise crosses no threshold. What is compared with what is in attention.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from processing.arrays import Floats, Integers

CONFIDENCE_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
#: From where on a rise is none of chance's: without drift one share rises so far in about 1 of 100 years.
LIMIT = 3.7
#: How much arcsin(sqrt(share)) moves from month to month without drift, beyond sampling, at least: a standard
#: deviation. It is 2.4 points where the share is 10 %, 4 where it is 50 %.
MONTHLY = 0.04
#: Mixes of months without drift differ as samples of so many items do, beyond sampling.
MIX = 1_000
#: From so many months on, the group's own months say whether they differ more.
RESTLESS = 6


@dataclass(frozen=True)
class Drift:
    """The distance of two mixes, each figure in [0, 1].

    Attributes:
        distance: how far apart they are.
        by_chance: how far samples of one mix are expected to be.
        limit: how far two months without drift are at most, but for 1 of some thousands.
    """

    distance: float
    by_chance: float
    limit: float

    def is_beyond(self, threshold: float) -> bool:
        """Whether the distance is above the threshold, and no chance explains it."""
        return self.distance > max(threshold, self.limit)


@dataclass(frozen=True)
class Rise:
    """The clearest rise of a share that lasts to the last month.

    Attributes:
        size: in standard deviations; chance does not explain one above LIMIT.
        before: the share in the months with which it is compared, in [0, 1].
        first, last: the numbers of these months.
    """

    size: float
    before: float
    first: int
    last: int


def distance(now: Integers, before: Integers) -> Drift | None:
    """The total variation distance of two histograms of the same bins, shape (n_bins,); None if one is empty.

    By chance: half the sum of the bins' expected absolute differences, each a normal difference of two shares
    around the pooled one. The limit allows for months that differ as samples of MIX items do, too. Of two
    bins it is where 1 of 5,000 differences is; the more bins there are, the less their sum varies.
    """
    n_now, n_before = now.sum(), before.sum()
    if not n_now or not n_before:
        return None
    pooled = (now + before) / (n_now + n_before)
    one = np.sqrt(pooled * (1 - pooled) / (2 * np.pi))  # half of a bin's, for the variance 1
    sampling, bins = 1 / n_now + 1 / n_before, one.sum() ** 2 / max((one**2).sum(), 1e-9)
    limit = one.sum() * np.sqrt(sampling + 2 / MIX) * (1 + 3.66 / np.sqrt(max(bins - 1, 1)))
    found = np.abs(now / n_now - before / n_before).sum() / 2, one.sum() * np.sqrt(sampling), limit
    return Drift(*(round(float(min(figure, 1)), 4) for figure in found))


def confidence_bins(confidence: Floats) -> Integers:
    """The histogram of confidences, shape (n,), by CONFIDENCE_BINS."""
    return np.histogram(confidence, CONFIDENCE_BINS)[0]


def rise(shares: Sequence[float], items: Sequence[int], monthly: float = MONTHLY) -> Rise | None:
    """The clearest rise of a monthly share, None where there is none.

    A change-point test: the months from any one to the last against any run of months right before them, so
    that a slow drift is seen as well as a jump, against the start as well as against the best months since.
    The likelihood-ratio statistic of Hawkins, Qiu and Kang, "The changepoint model for statistical process
    control", Journal of Quality Technology 35(4), 2003, one-sided and with a known spread: that of the
    arcsine of a share's root (Anscombe, Biometrika 35, 1948), to which months that differ more than samples
    do add (as Laney, "Improved control charts for attributes", Quality Engineering 14(4), 2002, widens a
    chart). benchmarks/drift.py simulates its false alarms.

    Args:
        shares: of each month, the oldest first, in [0, 1].
        items: of how many items each is a share, at least 1.
        monthly: as MONTHLY, for the kind of share.
    """
    angles = np.arcsin(np.sqrt(np.asarray(shares, float)))
    sampling = 1 / (4 * np.asarray(items, float))
    weights = 1 / (np.maximum(monthly**2, _between(angles) - sampling) + sampling)
    total, weight = (np.append(0, np.cumsum(values)) for values in (weights * angles, weights))
    clearest, n = None, len(angles)
    for change in range(1, n):
        after = (total[n] - total[change]) / (weight[n] - weight[change])
        first = np.arange(change)
        before = (total[change] - total[first]) / (weight[change] - weight[first])
        spread = 1 / (weight[n] - weight[change]) + 1 / (weight[change] - weight[first])
        sizes = (after - before) / np.sqrt(spread)
        at = int(sizes.argmax())
        if sizes[at] > (clearest.size if clearest else 0):
            share = float(np.sin(before[at]) ** 2)
            clearest = Rise(round(float(sizes[at]), 2), round(share, 4), at, change - 1)
    return clearest


def _between(angles: Floats) -> float:
    """The variance of months around their trend, from second differences, which a steady drift leaves at 0.

    Their median does not heed a jump. 0 where the months are too few.
    """
    bends = np.abs(np.diff(angles, 2))
    return float(np.median(bends) / 0.6745) ** 2 / 6 if len(bends) >= RESTLESS - 2 else 0.0
