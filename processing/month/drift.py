"""How far two months differ, in one plain measure: the share of items that would have to move.

This is the total variation distance: 0 is the same mix, 1 has nothing in common. A small sample differs
from another by chance alone; how much is to be expected stands beside it, so noise crosses no threshold.
"""

from dataclasses import dataclass

import numpy as np

from processing.arrays import Floats, Integers

CONFIDENCE_BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)


@dataclass(frozen=True)
class Drift:
    """Both in [0, 1]: the distance of two mixes, and the distance that chance alone makes one expect."""

    distance: float
    by_chance: float

    def is_beyond(self, threshold: float) -> bool:
        """Whether the distance is above the threshold and clearly above chance."""
        return self.distance > threshold and self.distance > 2 * self.by_chance


def distance(now: Integers, before: Integers) -> Drift | None:
    """The total variation distance of two histograms of the same bins, shape (n_bins,); None if one is empty.

    By chance: half the sum of the bins' expected absolute differences, each a normal difference of two shares
    around the pooled one.
    """
    n_now, n_before = now.sum(), before.sum()
    if not n_now or not n_before:
        return None
    pooled = (now + before) / (n_now + n_before)
    spread = np.sqrt(2 / np.pi * pooled * (1 - pooled) * (1 / n_now + 1 / n_before))
    apart = np.abs(now / n_now - before / n_before).sum() / 2
    return Drift(round(float(apart), 4), round(float(min(spread.sum() / 2, 1)), 4))


def of_confidence(now: Floats, before: Floats) -> Drift | None:
    """The distance of two samples of confidences, each shape (n,), by CONFIDENCE_BINS."""
    return distance(*(np.histogram(values, CONFIDENCE_BINS)[0] for values in (now, before)))
