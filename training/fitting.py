"""One setting, fitted: weighting and weights from some rows, margins for others."""

from argparse import Namespace
from dataclasses import dataclass

import numpy as np

from training import linear, sharing, weighting
from training.features import Features
from training.training_set import FOLDS, TrainingSet
from training.weighting import Weighting


@dataclass(frozen=True)
class Fitted:
    """weights: `(n_features, n_codes)`, intercepts: `(n_codes,)`, for the group's own items."""

    weighting: Weighting
    weights: np.ndarray
    intercepts: np.ndarray

    def margins(self, counts: Features) -> np.ndarray:
        """Margins of items, `(n_items, n_codes)`, float32."""
        return self.weighting.apply(counts) @ self.weights + self.intercepts


def fit(given: TrainingSet, rows: np.ndarray, options: Namespace) -> Fitted:
    """Fit on the rows of a mask, `(n_rows,)`; options: `c`, `min_df`, `word_weight`."""
    counts, source = given.features[rows], given.source[rows]
    learned = weighting.fit(counts, options.min_df, options.word_weight)
    features = learned.apply(counts)
    weights, intercepts = linear.fit(
        sharing.with_copies(features, source), given.labels[rows], len(given.codes), options.c
    )
    return Fitted(learned, sharing.folded(weights, 0, features.shape[1]), intercepts)


def out_of_fold(given: TrainingSet, options: Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Margins and share of known n-grams of the group's own rows, each from a fit that did not see the
    row's text.
    """
    margins = np.zeros((len(given.labels), len(given.codes)), np.float32)
    known_share = np.zeros(len(given.labels), np.float32)
    for fold in range(FOLDS):
        held_out = given.own & (given.fold == fold)
        rest = given.fold != fold
        if not held_out.any() or len(np.unique(given.labels[rest])) < 2:
            continue
        fitted = fit(given, rest, options)
        margins[held_out] = fitted.margins(given.features[held_out])
        known_share[held_out] = fitted.weighting.known_share(given.features[held_out])
    return margins[given.own], known_share[given.own]
