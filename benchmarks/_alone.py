"""Which rows two models label without a person: drawn at a known share, with a known share of right ones."""

import numpy as np

OWN = 0.3  # of the rows, the share on which the two models' confidences are drawn apart


def alone(rng: np.random.Generator, right, shares, precisions) -> tuple[np.ndarray, np.ndarray]:
    """Masks of shape (rows,), for challenger and winner.

    Args:
        rng: the source of chance.
        right: on which rows each is right, a pair of shape (rows,).
        shares: what each labels without a person, a pair in [0, 1].
        precisions: the share of right ones among these, a pair in (0, 1).
    """
    common = rng.random(len(right[0]))
    return tuple(
        np.where(rng.random(len(common)) < OWN, rng.random(len(common)), common)
        < np.where(hit, share * precision / hit.mean(), share * (1 - precision) / max(1 - hit.mean(), 1e-9))
        for hit, share, precision in zip(right, shares, precisions, strict=True)
    )
