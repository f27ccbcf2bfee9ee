"""What users get: how much each model labels without a person, and whether that is as right as promised.

Which labels need a person is decided in processing/labels/review_queue.py; here two models are compared.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from processing.arrays import Booleans, Integers
from processing.policy import AUTOMATIC
from processing.verdict.mcnemar import discordant, mcnemar

BROKEN_LEVEL = 0.05  # one-sided: so surely must the share of right ones lie below the promise


@dataclass(frozen=True, kw_only=True)
class Automatic:
    """Both models' labels without a person, on the same test rows.

    Attributes:
        share, winner_share: of all rows, in [0, 1].
        right, winner_right: share of right ones among these, in [0, 1]; None where there are none.
        broken, winner_broken: whether these are surely less right than the policy promises.
        lost: how much less of the rows the challenger labels, in [-1, 1]; rows of a broken promise count as
            left to people.
        p_value: exact McNemar of that on the texts, one-sided: small when the challenger labels fewer.
        gain_p_value: the same, small when it labels more.
    """

    share: float
    winner_share: float
    right: float | None
    winner_right: float | None
    broken: bool
    winner_broken: bool
    lost: float
    p_value: float
    gain_p_value: float


def automatic(
    right: Booleans,
    winner_right: Booleans,
    alone: Booleans,
    winner_alone: Booleans,
    text: Integers,
    precision: float,
    promise: str = AUTOMATIC,
) -> Automatic:
    """Compare what two models label without a person.

    Args:
        right: rows on which the challenger is right, shape (n_rows,), at least one row.
        winner_right: the same of the winner.
        alone: rows that the challenger labels without a person, shape (n_rows,).
        winner_alone: the same of the winner.
        text: number of the row's text, shape (n_rows,); equal texts count as one observation.
        precision: the share of right ones that the policy promises, in [0, 1].
        promise: of these labels (`automatic`), or of all with people's decisions counted as right (`month`).
    """
    broken = _broken(right, alone, text, precision, promise)
    winner_broken = _broken(winner_right, winner_alone, text, precision, promise)
    kept, winner_kept = alone & (not broken), winner_alone & (not winner_broken)
    more, fewer = discordant(kept, winner_kept, text)
    return Automatic(
        share=float(alone.mean()),
        winner_share=float(winner_alone.mean()),
        right=_mean(right[alone]),
        winner_right=_mean(winner_right[winner_alone]),
        broken=broken,
        winner_broken=winner_broken,
        lost=float(winner_kept.mean() - kept.mean()),
        p_value=mcnemar(more, fewer, "less"),
        gain_p_value=mcnemar(more, fewer, "greater"),
    )


def _broken(right: Booleans, alone: Booleans, text: Integers, precision: float, promise: str) -> bool:
    """Whether so few right texts among those that it is promised of are not chance; exact."""
    promised = alone if promise == AUTOMATIC else np.ones_like(alone)
    texts, wrong = len(np.unique(text[promised])), len(np.unique(text[alone & ~right]))
    if not texts:
        return False
    return bool(binomtest(texts - wrong, texts, precision, alternative="less").pvalue <= BROKEN_LEVEL)


def _mean(values: Booleans) -> float | None:
    return float(values.mean()) if len(values) else None
