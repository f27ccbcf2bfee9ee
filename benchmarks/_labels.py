"""How good published labels are, where the truth is known: calibration, and what review costs and buys."""

import numpy as np
import pandas as pd
import pyarrow as pa

from processing.labels.review_queue import choose
from processing.policy import Policy
from processing.verdict.scores import calibration_error

WANTED = Policy().precision


def test_rows(labels: pa.Table) -> dict[str, float]:
    """Figures on a published test set: its rows have `code`, `confidence`, `status` and `truth`.

    `ECE`: expected calibration error over 15 bins. `needed %`: the smallest share that must be reviewed,
    least certain first, for WANTED of the others to be right. `planned %`: the share that Publish would send
    to review, and `then right %` what is right of the others.
    """
    frame = labels.select(["code", "confidence", "status", "truth"]).to_pandas()
    right = (frame["code"] == frame["truth"]).to_numpy()
    confidence = frame["confidence"].to_numpy()
    marked = (frame["status"] == "review").to_numpy()
    unsure = choose(confidence, marked, np.zeros(len(frame), bool), Policy()).unsure
    return {
        "test rows": len(frame),
        "ECE": calibration_error(right, confidence),
        "needed %": 100 * smallest_review(right, confidence, WANTED),
        "planned %": 100 * unsure.mean(),
        "then right %": 100 * right[~unsure].mean(),
    }


def smallest_review(right: np.ndarray, confidence: np.ndarray, wanted: float) -> float:
    """The smallest share of rows to review, least certain first, for `wanted` of the others to be right."""
    of_surest = right[np.argsort(-confidence, kind="stable")]
    precise = np.cumsum(of_surest) / np.arange(1, len(right) + 1) >= wanted
    return 1 - (np.flatnonzero(precise).max(initial=-1) + 1) / len(right)


def new_items(labels: pa.Table, truth: pd.Series) -> dict[str, float]:
    """What is right among the labels of a month that nobody reviewed; `truth`: the true codes by item id."""
    frame = labels.select(["item_id", "code", "status"]).to_pandas()
    automatic = frame[frame["status"] == "labelled"]
    right = automatic["code"].to_numpy() == truth.reindex(automatic["item_id"]).to_numpy()
    return {
        "new items": len(frame),
        "to review %": 100 * (frame["status"] == "review").mean(),
        "labelled right %": 100 * right.mean(),
    }
