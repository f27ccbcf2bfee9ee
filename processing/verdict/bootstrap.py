"""Paired bootstrap of two models' scores on the same rows, resampled by distinct text."""

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from processing.arrays import Floats, Integers

REPLICATES = 2_000
CHUNK_CELLS = 2_000_000  # replicates x patterns held at once, 16 MB


@dataclass(frozen=True)
class Replicates:
    """What every replicate says, each number a difference: challenger minus winner.

    Attributes:
        macro_f1: shape (n_replicates,), in [-1, 1].
        accuracy: over rows, shape (n_replicates,), in [-1, 1].
        precision: of each code, shape (n_replicates, n_codes); 0 for a model that does not use the code.
    """

    macro_f1: Floats
    accuracy: Floats
    precision: Floats


def interval(differences: Floats, level: float) -> tuple[float, float]:
    """Percentile interval that leaves out `level / 2` at either end; differences of shape (n_replicates,)."""
    low, high = np.quantile(differences, [level / 2, 1 - level / 2])
    return float(low), float(high)


def resample(
    truth: Integers, challenger: Integers, winner: Integers, text: Integers, n_codes: int
) -> Replicates:
    """Draw as many distinct texts as there are, with replacement, score both models on them, and repeat.

    All rows of a text are drawn together, since they are one observation. Texts that no score can tell apart
    (as many rows, the same truth, the same two predictions) are drawn as one count: the same bootstrap in a
    fraction of the time. The seed is a digest of the data: the same data, in any order of rows, give the same
    replicates.

    A code whose rows were not drawn has F1 0 for both models (scikit-learn's `zero_division=0`) and so adds
    nothing to the difference.

    Args:
        truth: number of the true code, shape (n_rows,), in [0, n_codes).
        challenger: number of the predicted code, shape (n_rows,), in [0, n_codes]; n_codes is any other code.
        winner: as `challenger`.
        text: number of the row's text, shape (n_rows,); every number in [0, n_texts) occurs.
        n_codes: how many codes occur in `truth`.
    """
    pattern_of_text, times = _patterns(truth, challenger, winner, text, n_codes)
    features = _features(truth, challenger, winner, text, n_codes, pattern_of_text)
    digest = hashlib.sha256(times.tobytes())
    for part in (features.indptr, features.indices, features.data):
        digest.update(part.astype(np.int64).tobytes())
    rng = np.random.default_rng(int.from_bytes(digest.digest()[:16], "big"))

    n_texts = int(times.sum())
    chunk = max(1, CHUNK_CELLS // len(times))
    parts = []
    for start in range(0, REPLICATES, chunk):
        drawn = rng.multinomial(n_texts, times / n_texts, size=min(chunk, REPLICATES - start))
        parts.append(_differences((features.T @ drawn.T).reshape(5, n_codes, -1)))
    return Replicates(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _patterns(
    truth: Integers, challenger: Integers, winner: Integers, text: Integers, n_codes: int
) -> tuple[Integers, Integers]:
    """Number of each text's pattern, shape (n_texts,), and how many texts have each, (n_patterns,)."""
    width = n_codes + 1
    cell = (truth.astype(np.int64) * width + challenger) * width + winner
    cell = np.unique(cell, return_inverse=True)[1]
    n_cells = cell.max() + 1
    order = np.argsort(text, kind="stable")
    starts = np.flatnonzero(np.diff(text[order], prepend=-1))
    first, last = (edge.reduceat(cell[order], starts) for edge in (np.minimum, np.maximum))
    size = np.diff(starts, append=len(text))
    # A text whose rows differ (same title, another brand) is a pattern of its own.
    own = (size.max() + 1) * n_cells + np.arange(len(starts))
    _, pattern, times = np.unique(
        np.where(first == last, size * n_cells + first, own), return_inverse=True, return_counts=True
    )
    return pattern, times


def _features(
    truth: Integers,
    challenger: Integers,
    winner: Integers,
    text: Integers,
    n_codes: int,
    pattern_of_text: Integers,
) -> sparse.csr_array:
    """Per pattern and code: rows, rows given the code and rows rightly given it, by challenger and by winner.

    Shape (n_patterns, 5 * n_codes); taken from the first text of each pattern.
    """
    texts_taken = np.unique(pattern_of_text, return_index=True)[1]
    row = np.flatnonzero(np.isin(text, texts_taken))
    pattern, truth, challenger, winner = pattern_of_text[text[row]], truth[row], challenger[row], winner[row]
    blocks = [
        (truth, truth < n_codes),
        (challenger, challenger < n_codes),
        (challenger, challenger == truth),
        (winner, winner < n_codes),
        (winner, winner == truth),
    ]
    at = np.concatenate([pattern[keep] for _, keep in blocks])
    column = np.concatenate([code[keep] + block * n_codes for block, (code, keep) in enumerate(blocks)])
    shape = (pattern_of_text.max() + 1, 5 * n_codes)
    return sparse.coo_array((np.ones(len(at), dtype=np.int64), (at, column)), shape=shape).tocsr()


def _differences(counts: Integers) -> tuple[Floats, Floats, Floats]:
    """Differences of macro-F1, accuracy and precision, from counts of shape (5, n_codes, n_replicates)."""
    rows, given_c, right_c, given_w, right_w = counts
    # Where a denominator is 0 so is its numerator; 1 in its place makes the quotient 0.
    f1_c, f1_w = (
        2 * right / np.maximum(rows + given, 1) for right, given in ((right_c, given_c), (right_w, given_w))
    )
    precision = right_c / np.maximum(given_c, 1) - right_w / np.maximum(given_w, 1)
    accuracy = (right_c - right_w).sum(axis=0) / rows.sum(axis=0)
    return (f1_c - f1_w).mean(axis=0), accuracy, precision.T
