"""One setting, fitted: weighting and weights from some rows, margins for others."""

from argparse import Namespace
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import xgboost

from processing.arrays import Booleans, Floats
from training import sharing, weighting
from training.families import boosted, linear
from training.features import Features
from training.training_set import FOLDS, TrainingSet
from training.weighting import Weighting


@dataclass(frozen=True)
class Fitted:
    """A candidate, fitted for the group's own items.

    Attributes:
        weights: `(n_features, n_codes)`.
        intercepts: `(n_codes,)`.
        booster: trees on the linear margins and the attributes; None for the linear candidate.
    """

    weighting: Weighting
    weights: Floats
    intercepts: Floats
    booster: xgboost.Booster | None = None

    def margins(self, counts: Features) -> Floats:
        """Margins of items, `(n_items, n_codes)`, float32."""
        margins = self.weighting.apply(counts) @ self.weights + self.intercepts
        return (
            margins if self.booster is None else boosted.margins(self.booster, self.inputs(margins, counts))
        )

    def inputs(self, margins: Floats, counts: Features) -> Floats:
        """What the trees are given."""
        categories = counts.attributes[:, self.weighting.parts["attributes"].columns].toarray()
        return boosted.inputs(margins, counts.numbers, categories)


def fit(given: TrainingSet, rows: Booleans, options: Namespace) -> Fitted:
    """Fit on the rows of a mask, `(n_rows,)`; options: those of `hyperparameters.parser`."""
    fitted = _fit_linear(given, rows, options)
    if options.family == "linear":
        return fitted
    margins, _ = _linear_out_of_fold(given, rows, options)
    own = rows & given.own & ~given.left_out
    inputs = fitted.inputs(margins[own], given.features[own])
    return replace(fitted, booster=boosted.fit(inputs, given.labels[own], len(given.codes)))


def out_of_fold(
    given: TrainingSet, options: Namespace, folds: Iterable[int] = range(FOLDS), parts: int = FOLDS
) -> tuple[Floats, Floats]:
    """Margins `(n_own, n_codes)` and share of known n-grams `(n_own,)` of the group's own rows.

    Each comes from a fit that did not see the row's text; there are `parts` of them, at most FOLDS. Rows
    outside `folds`, which only the linear family may leave out, get zeros.
    """
    rows = np.ones(len(given.labels), bool)
    found = _linear_out_of_fold(given, rows, options, folds, parts)
    margins, known_share = (part[given.own] for part in found)
    if options.family == "linear":
        return margins, known_share
    inputs = _fit_linear(given, rows, options).inputs(margins, given.features[given.own])
    labels, fold, learned = (part[given.own] for part in (given.labels, given.fold, ~given.left_out))
    refined = np.zeros_like(margins)
    for number in np.unique(fold):
        rest = learned & (fold != number)
        booster = boosted.fit(inputs[rest], labels[rest], len(given.codes))
        refined[fold == number] = boosted.margins(booster, inputs[fold == number])
    return refined, known_share


def _fit_linear(given: TrainingSet, rows: Booleans, options: Namespace) -> Fitted:
    counts, source = given.features[rows], given.source[rows]
    learned = weighting.fit(counts, options.min_df, options.word_weight, options.first_word_weight)
    features = learned.apply(counts)
    # What is wrong with rows that are left out is their label: their texts count in the weighting.
    stay = ~given.left_out[rows]
    weights, intercepts = linear.fit(
        sharing.with_copies(features, source)[stay], given.labels[rows][stay], len(given.codes), options.c
    )
    return Fitted(learned, sharing.folded(weights, 0, features.shape[1]), intercepts)


def _linear_out_of_fold(
    given: TrainingSet,
    rows: Booleans,
    options: Namespace,
    folds: Iterable[int] = range(FOLDS),
    parts: int = FOLDS,
) -> tuple[Floats, Floats]:
    """Margins and known shares of the own rows of a mask; zero for all others."""
    margins = np.zeros((len(given.labels), len(given.codes)), np.float32)
    known_share = np.zeros(len(given.labels), np.float32)
    for part in folds:
        here = given.fold % parts == part
        held_out = rows & given.own & here
        rest = rows & ~here
        if not held_out.any() or len(np.unique(given.labels[rest & ~given.left_out])) < 2:
            continue
        fitted = _fit_linear(given, rest, options)
        margins[held_out] = fitted.margins(given.features[held_out])
        known_share[held_out] = fitted.weighting.known_share(given.features[held_out])
    return margins, known_share
