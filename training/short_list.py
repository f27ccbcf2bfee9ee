"""The short list: codes of which one is right for 95 % of the items that a person sees, on average.

Split conformal prediction (Vovk et al., 2005; Angelopoulos and Bates, 2021, arXiv 2107.07511, section 1) on
out-of-fold margins: the score of a row is how far its true code's margin lies below the best. It is
calibrated on the rows that the model would send to review, since of all rows the surest would fill the 95 %
alone. Nothing is promised of one code or of one item. The scores come from models of four fifths of the rows,
and the final model has learned all: its lists hold the right code a little more often.
"""

import numpy as np

from processing.arrays import Booleans, Floats, Integers
from training.confidence import best_codes

COVERAGE = 0.95
SHOWN = 5  # codes of a list; how many it would take is told besides
#: With fewer rows for review, the least sure of the others are taken with them.
LEAST_ROWS = 100


def gap(margins: Floats, labels: Integers, reviewed: Booleans, sure: Floats) -> float | None:
    """How far below the best margin a code may lie and still be listed; None where the rows are too few.

    Args:
        margins: out of fold, `(n_rows, n_codes)`.
        labels: numbers of the true codes, `(n_rows,)`.
        reviewed: rows that the model would send to a person, `(n_rows,)`.
        sure: the first code's confidence, `(n_rows,)`.
    """
    seen = np.lexsort((sure, ~reviewed))[: max(int(reviewed.sum()), LEAST_ROWS)]
    below = margins[seen].max(axis=1) - margins[seen, labels[seen]]
    rank = int(np.ceil((len(seen) + 1) * COVERAGE))
    return float(np.sort(below)[rank - 1]) if rank <= len(seen) else None


def lists(margins: Floats, codes: Integers, values: Floats, gap: float | None) -> tuple[Integers, Integers]:
    """Each item's list, the best code first, `(n_items, SHOWN)`, and how many codes it takes, `(n_items,)`.

    Numbers of codes; -1 where a list is shorter. A list of one code is left empty: it says no more than the
    code does. So are all where `gap` is None.

    Args:
        margins: `(n_items, n_codes)`.
        codes, values: from `confidence.best_codes`.
        gap: from `gap`.
    """
    listed, size = np.full((len(margins), SHOWN), -1, np.int32), np.zeros(len(margins), np.int32)
    if gap is None:
        return listed, size
    lowest = values[:, :1] - np.float32(gap)
    several = np.flatnonzero(values[:, 1:2] >= lowest)  # few items of a good model
    margins, codes, values, lowest = margins[several], codes[several], values[several], lowest[several]
    size[several] = found = (margins >= lowest).sum(axis=1, dtype=np.int32)
    known = codes.shape[1]
    listed[several, :known] = np.where(values >= lowest, codes, -1)
    longer = np.flatnonzero(found > known)
    rest = margins[longer]
    rest[np.arange(len(longer))[:, None], codes[longer]] = -np.inf
    further, _ = best_codes(rest, SHOWN - known)
    shown = np.arange(known, known + further.shape[1]) < found[longer][:, None]
    listed[several[longer], known : known + further.shape[1]] = np.where(shown, further, -1)
    return listed, size
