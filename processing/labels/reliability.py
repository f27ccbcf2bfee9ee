"""How often a model's automatic labels were right lately, where the truth is known, against what it said.

Compare counts this on the test rows of each comparison, which are the newest labels there are; Publish asks
whether the model may still be believed. An audit (a blind sample of a month's automatic labels) would be
counted the same way; decisions that people happened to make are no such sample and count for nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from processing.arrays import Booleans, Floats, Integers

#: Lower edges of the bands: of the share of a text that the model knows, and of its confidence.
KNOWN = (0.0, 0.7, 0.85)
SURE = (0.0, 0.98, 0.99, 0.995)
#: How seldom chance alone may make a model that is as good as it says look worse, in a month.
LEVEL = 0.01
PRIOR = 10
RISK = 0.05  # that what is right falls below `at_least`


@dataclass(frozen=True)
class Estimate:
    """How many of a month's automatic labels are expected to be right, both in [0, 1].

    Attributes:
        right: the share.
        at_least: its lower bound, which holds with a chance of 1 - RISK.
    """

    right: float
    at_least: float


@dataclass(frozen=True)
class Record:
    """What became of the labels of one model that need no person, band by band; shapes (n_known, n_sure).

    Attributes:
        rows: distinct texts.
        wrong: those with another code than the true one.
        expected: how many of them the model's confidence makes one expect to be wrong.
    """

    rows: Floats
    wrong: Floats
    expected: Floats

    @classmethod
    def parse(cls, bands: Sequence[dict[str, Any]]) -> "Record":
        """The record in the evidence of a comparison (`count`)."""
        record = cls(*np.zeros((3, len(KNOWN), len(SURE))))
        for band in bands:
            at = KNOWN.index(band["known"]), SURE.index(band["sure"])
            for name in cls.__annotations__:
                getattr(record, name)[at] = band[name]
        return record

    def is_worse_than_said(self) -> bool:
        """Whether more labels were wrong than chance explains: of all, or of those in a band of known share.

        One-sided exact Poisson tests, at a level that counts all of them (Bonferroni).
        """
        wrong = np.append(self.wrong.sum(), self.wrong.sum(axis=1))
        expected = np.append(self.expected.sum(), self.expected.sum(axis=1))
        return bool(stats.poisson.sf(wrong - 1, expected).min() < LEVEL / len(wrong))

    def corrected(self, confidence: Floats, known_share: Floats) -> Floats:
        """The chance that each label is right, by what became of such labels, (n_items,).

        A model that is as good as it says keeps its confidence. Else the chance to be wrong grows as it did
        among the tested labels of the same band, which is drawn towards all bands by PRIOR texts (the mean of
        a beta distribution; Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.4). It never shrinks.
        """
        if not self.is_worse_than_said():
            return confidence
        growth = np.maximum(self._growth(), 1)[_bands(confidence, known_share)]
        corrected: Floats = 1 - np.minimum(growth * (1 - confidence), 1)
        return corrected

    def estimate(self, confidence: Floats, known_share: Floats) -> Estimate | None:
        """What is right among labels that need no person, both (n_items,); None where there are none.

        The tested labels count as often as there are such labels here: each by its band's chance to be wrong.
        """
        if not len(confidence):
            return None
        sure = self.corrected(confidence, known_share)
        items, wrong = np.zeros((2, *self.rows.shape))
        bands = _bands(confidence, known_share)
        np.add.at(items, bands, 1)
        np.add.at(wrong, bands, 1 - sure)
        chance = wrong / np.maximum(items, 1)
        # The spread of the same beta distributions, summed over the bands.
        spread = np.sqrt((items**2 * chance * (1 - chance) / (self.rows + PRIOR + 1)).sum()) / len(sure)
        at_least = max(sure.mean() - stats.norm.isf(RISK) * spread, 0)
        return Estimate(round(float(sure.mean()), 4), round(float(at_least), 4))

    def _growth(self) -> Floats:
        """By what the chance to be wrong that the model gave is to be multiplied."""
        overall = (self.wrong.sum() + 1) / (self.expected.sum() + 1)
        said = np.maximum(self.expected, 1e-9) / np.maximum(self.rows, 1)
        growth: Floats = (self.wrong / said + PRIOR * overall) / (self.rows + PRIOR)
        return growth


def count(test_set: pa.Table) -> list[dict[str, float]]:
    """The bands of a published test set that hold labels no person must look at, each text counted once.

    Each has `known` and `sure`, its lower edges, `rows`, how many were `wrong`, and were `expected` to be.
    """
    rows = test_set.filter(pc.equal(test_set["status"], "labelled"))
    _, first = np.unique(np.asarray(rows["text_key"]).astype(str), return_index=True)
    rows = rows.take(pa.array(first, pa.int64()))
    confidence = rows["confidence"].to_numpy()
    if "known_share" not in rows.column_names:  # published before test sets had it
        rows = rows.append_column("known_share", pa.nulls(len(rows), pa.float64()))
    bands = _bands(confidence, known(rows["known_share"]))
    record = Record(*np.zeros((3, len(KNOWN), len(SURE))))
    np.add.at(record.rows, bands, 1)
    np.add.at(record.wrong, bands, _wrong(rows))
    np.add.at(record.expected, bands, 1 - confidence)
    return [
        {"known": KNOWN[i], "sure": SURE[j], "rows": int(record.rows[i, j])}
        | {"wrong": int(record.wrong[i, j]), "expected": round(float(record.expected[i, j]), 4)}
        for i, j in np.argwhere(record.rows)
    ]


def known(share: pa.ChunkedArray) -> Floats:
    """The known share of each text; of a model that does not say it, all."""
    filled: Floats = pc.fill_null(share.cast(pa.float64()), 1.0).to_numpy()
    return filled


def _wrong(rows: pa.Table) -> Booleans:
    return np.asarray(pc.not_equal(rows["code"], rows["truth"]), bool)


def _bands(confidence: Floats, known_share: Floats) -> tuple[Integers, Integers]:
    return (
        np.searchsorted(KNOWN, known_share, side="right") - 1,
        np.searchsorted(SURE, confidence, side="right") - 1,
    )
