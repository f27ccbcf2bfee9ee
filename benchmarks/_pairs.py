"""Synthetic pairs of models whose true difference is known, and labels drawn from them."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import root

OWN_ERROR = 0.3  # of the rows on which both are wrong, the share on which the errors are drawn apart


@dataclass(frozen=True)
class Pair:
    """A winner, a challenger and the items they label; all arrays of shape (n_codes,).

    A wrong label is any other code, by the codes' shares.
    """

    share: np.ndarray  # of each code among the items
    accuracy: np.ndarray  # the winner's, on each code
    only_challenger: np.ndarray  # chance that only the challenger is right
    only_winner: np.ndarray

    def true_gain(self) -> tuple[float, float]:
        """Challenger minus winner on endless rows: accuracy, macro-F1."""
        before = _scores(self.share, self.accuracy)
        after = _scores(self.share, self.accuracy + self.only_challenger - self.only_winner)
        return after[0] - before[0], after[1] - before[1]

    def draw(self, rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """True codes, the challenger's and the winner's, as strings, each of shape (rows,)."""
        truth = rng.choice(len(self.share), rows, p=self.share)
        both = (self.accuracy - self.only_winner)[truth]
        one = both + self.only_challenger[truth]
        at = rng.random(rows)
        right_challenger = at < one
        right_winner = (at < both) | ((at >= one) & (at < one + self.only_winner[truth]))
        error = self._wrong(rng, truth)
        own_error = np.where(rng.random(rows) < OWN_ERROR, self._wrong(rng, truth), error)
        names = np.array([f"{code:02d}" for code in range(len(self.share))])
        return (
            names[truth],
            names[np.where(right_challenger, truth, error)],
            names[np.where(right_winner, truth, own_error)],
        )

    def _wrong(self, rng, truth) -> np.ndarray:
        """A code other than the true one for each row."""
        upto = np.cumsum(self.share)
        before, own = upto[truth] - self.share[truth], self.share[truth]
        at = rng.random(len(truth)) * (1 - own)
        at += np.where(at >= before, own, 0)
        return np.minimum(np.searchsorted(upto, at, side="right"), len(upto) - 1)


def alike(n_codes: int, zipf: float, accuracy: float, discordance: float, gain: float) -> Pair:
    """A challenger with the same gain in accuracy on every code. Shares of the codes: rank ** -zipf."""
    return _pair(n_codes, zipf, accuracy, discordance, gain, gain)


def traded(
    n_codes: int, zipf: float, accuracy: float, discordance: float, gain: float, macro_gain: float
) -> Pair | None:
    """A challenger with another gain on the rarer half of the codes: accuracy and macro-F1 part ways.

    None where that cannot be: codes of nearly equal size leave little room between the two.
    """

    def missed(gains):
        made = _pair(n_codes, zipf, accuracy, discordance, *gains)
        return np.subtract(made.true_gain(), (gain, macro_gain))

    found = _pair(n_codes, zipf, accuracy, discordance, *root(missed, (gain, macro_gain)).x)
    reached = np.allclose(found.true_gain(), (gain, macro_gain), atol=1e-4)
    chances = [found.accuracy - found.only_winner, found.only_winner, found.only_challenger]
    both_wrong = 1 - found.accuracy - found.only_challenger
    return found if reached and min(each.min() for each in [*chances, both_wrong]) >= 0 else None


def _pair(n_codes, zipf, accuracy, discordance, frequent_gain, rarer_gain) -> Pair:
    share = np.arange(1.0, n_codes + 1) ** -zipf
    gain = np.where(np.arange(n_codes) < (n_codes + 1) // 2, frequent_gain, rarer_gain)
    # A code that changes by much is discordant at least so often.
    discordance = np.maximum(discordance, 1.3 * np.abs(gain))
    winner = np.full(n_codes, accuracy)
    return Pair(share / share.sum(), winner, (discordance + gain) / 2, (discordance - gain) / 2)


def _scores(share, accuracy) -> tuple[float, float]:
    """Accuracy and macro-F1 on endless rows."""
    right = share * accuracy
    errors = share * (1 - accuracy) / (1 - share)  # of a code's rows, spread over the other codes by share
    given = right + share * (errors.sum() - errors)
    return float(right.sum()), float((2 * right / (share + given)).mean())
