"""Which labels a person must look at: as many as the wanted precision asks for and reviewers can take.

Confidence is calibrated, so the mean confidence of labels is the share of them to be expected right.
"""

from dataclasses import dataclass

import numpy as np

from processing.arrays import Booleans, Floats
from processing.policy import AUTOMATIC, Policy

SIZES = (0, 100, 300, 1_000, 3_000, 10_000, 30_000)


@dataclass(frozen=True)
class Queue:
    """What is decided about each label.

    Attributes:
        unsure: shape (n_items,), to be reviewed because the model is not sure enough.
        let_through: shape (n_items,), would be reviewed too, were reviewers not at capacity.
        plan: the figures, as the summary shows them.
    """

    unsure: Booleans
    let_through: Booleans
    plan: dict[str, object]


def choose(confidence: Floats, marked: Booleans, no_code: Booleans, policy: Policy) -> Queue:
    """Choose the labels to be reviewed.

    Those are the ones the model marked (its own thresholds, from training) and, least certain first, as many
    more as it takes until what the policy promises is to be expected: of the rest, or of all labels with
    people's decisions counted as right. Beyond the reviewers' capacity the most certain
    of them pass without review. Items without a usable code are reviewed in any case, and count first.

    Args:
        confidence: of the best code, shape (n_items,), in [0, 1].
        marked: what the model itself sends to review, shape (n_items,).
        no_code: items without a code in force, shape (n_items,).
        policy: its promise, the wanted precision and the reviewers' capacity.
    """
    order = np.flatnonzero(~no_code)
    order = order[np.argsort(confidence[order], kind="stable")]
    wanted = marked[order]
    rest, published = confidence[order[~wanted]], len(confidence)
    expected = _precision_after(rest) if policy.promise == AUTOMATIC else _right_after(rest, published)
    needed = int(np.searchsorted(expected, policy.precision))
    wanted[np.flatnonzero(~wanted)[:needed]] = True

    fixed, capacity = int(no_code.sum()), policy.review_capacity
    room = len(order) if capacity is None else max(int(capacity) - fixed, 0)
    taken = wanted & (np.cumsum(wanted) <= room)
    unsure, let_through = np.zeros(len(confidence), bool), np.zeros(len(confidence), bool)
    unsure[order[taken]], let_through[order[wanted & ~taken]] = True, True
    after = _precision_after(confidence[order])
    automatic = confidence[order[~taken]]
    plan: dict[str, object] = {
        "promise": policy.promise,
        "wanted_precision": policy.precision,
        "capacity": capacity,
        "items": fixed + int(taken.sum()),
        "without_code": fixed,
        "needed": fixed + int(wanted.sum()),
        "let_through": int(let_through.sum()),
        "automatic": len(automatic),
        "expected_precision": round(float(automatic.mean()), 4) if len(automatic) else None,
        "expected_month": round(1 - float((1 - automatic).sum()) / published, 4) if published else None,
        "surest_reviewed": round(float(confidence[order[taken]].max()), 4) if taken.any() else None,
        "what_a_capacity_buys": [
            {"items": size, "expected_precision": round(float(after[max(size - fixed, 0)]), 4)}
            for size in SIZES
            if max(size - fixed, 0) < len(order)
        ],
    }
    return Queue(unsure, let_through, plan)


def _precision_after(ascending: Floats) -> Floats:
    """Mean of all but the first k confidences, for every k: shape (n + 1,); 1 where none is left."""
    left = np.arange(len(ascending), 0, -1)
    means = np.cumsum(ascending[::-1])[::-1] / left
    # The mean of an ascending rest cannot fall; rounding can let it by a hair.
    return np.append(np.maximum.accumulate(means), 1.0)


def _right_after(ascending: Floats, published: int) -> Floats:
    """Share of all published labels to be expected right with the first k reviewed, for every k: (n + 1,)."""
    wrong = np.append(np.cumsum((1 - ascending)[::-1])[::-1], 0.0)
    return 1 - wrong / max(published, 1)
