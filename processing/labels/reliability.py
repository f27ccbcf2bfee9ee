"""How often a model's automatic labels were right lately, where the truth is known, against what it said.

Compare counts this by the months in which texts came, on rows that the model has not seen (test, then train:
Gama, Sebastião and Rodrigues, "On evaluating stream learning algorithms", Machine Learning 90(3), 2013);
Publish asks whether the model may still be believed. Decisions that people happened to make are no sample and
count for nothing here; a blind sample of a month's own labels is counted in audit.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import gammaln, xlogy

from processing.arrays import Floats

#: How many of the texts may be of a kind that the model has not learned, and is wrong on however sure it is.
SHARES = np.linspace(0, 0.6, 61)
#: Before anything is tested: the chance that such texts begin to come in a month, and their mean share then.
BEGIN, SHARE = 0.03, 0.1
#: The chance that a model which follows one that was doubted has not learned all of the new kind either: of
#: ten such in simulated years (docs/year.md) seven had not.
REMAIN = 0.7
#: How many months are told apart; those before them are one.
MONTHS = 12
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
    """What became of the labels of one model that need no person, by month; shapes (n_months,).

    Attributes:
        since: the months in which the texts came, in order; the first may be FROM_START.
        rows: distinct texts.
        wrong: those with another code than the true one.
        expected: how many of them the model's confidence makes one expect to be wrong.
        doubted_since: the month from which on the model before this one was doubted; None if it was not.
    """

    since: tuple[str, ...]
    rows: Floats
    wrong: Floats
    expected: Floats
    doubted_since: str | None = None

    @classmethod
    def parse(cls, months: Sequence[dict[str, Any]], before: "Record | None" = None) -> "Record":
        """The record in the evidence of a comparison (`count`); `before` is that of the winner until then.

        Months before the last MONTHS are one: each that is told apart may be a beginning, and with years of
        them doubt would come by itself.
        """
        old, months = months[:-MONTHS], months[-MONTHS:]
        if old:
            names = ("rows", "wrong", "expected")
            months = [{"since": old[0]["since"]} | {n: sum(m[n] for m in old) for n in names}, *months]
        rows, wrong, expected = (
            np.array([month[name] for month in months], float) for name in ("rows", "wrong", "expected")
        )
        doubted = before.since[before.begins()] if before and before.is_worse_than_said() else None
        return cls(tuple(month["since"] for month in months), rows, wrong, expected, doubted)

    def is_worse_than_said(self) -> bool:
        """Whether texts of a kind that the model has not learned are more likely to have come than not."""
        return bool(self._chances[:, 1:].sum() > 0.5)

    def begins(self) -> int:
        """The month, by number, in which such texts most likely began to come; 0 where they did not."""
        return int(self._chances[:, 1:].sum(axis=1).argmax()) if self.is_worse_than_said() else 0

    def corrected(self, confidence: Floats) -> Floats:
        """The chance that each label is right, by what became of such labels, (n_items,).

        A model that is as good as it says keeps its confidence. Else it is right only where the text is of no
        new kind, and there as often as it says.
        """
        if not self.is_worse_than_said():
            return confidence
        chances = self._chances[:, 1:].sum(axis=0)
        right: Floats = confidence * (1 - (chances @ SHARES[1:]) / chances.sum())
        return right

    def estimate(self, confidence: Floats) -> Estimate | None:
        """What is right among labels that need no person, (n_items,); None where there are none."""
        if not len(confidence):
            return None
        most = SHARES[np.searchsorted(self._chances.sum(axis=0).cumsum(), 1 - RISK)]
        right = self.corrected(confidence).mean()
        return Estimate(round(float(right), 4), round(float(min(right, confidence.mean() * (1 - most))), 4))

    @cached_property
    def _chances(self) -> Floats:
        """The chance that texts of a new kind began to come in a month and have a share now; sum 1.

        Shape (n_months + 1, n_shares); the share is 0 where they have not begun, which the last row says.
        Wrong labels are Poisson: as many as expected, and from the beginning on those of the new kind. The
        beginning is a change point with a geometric prior, as in Adams and MacKay, "Bayesian online
        changepoint detection", arXiv:0710.3742, 2007; there are few enough months to sum over all of them.
        """
        mean = self.expected[:, None] + (self.rows - self.expected)[:, None] * SHARES
        fit = _poisson(self.wrong[:, None], np.maximum(mean, 1e-9))
        months = len(self.rows)
        share = np.exp(-SHARES / SHARE) * (SHARES > 0)
        begin = BEGIN * (1 - BEGIN) ** np.arange(months + 1)
        begin[months] = (1 - BEGIN) ** months
        if self.doubted_since is not None:
            begin *= 1 - REMAIN
            begin[np.searchsorted(self.since, self.doubted_since)] += REMAIN
        prior = np.outer(begin, share / share.sum())
        prior[months] = begin[months] * (SHARES == 0)
        with np.errstate(divide="ignore"):
            logs = np.log(prior)
        for first in range(months + 1):
            logs[first] += fit[:first, 0].sum() + fit[first:].sum(axis=0)
        chances = np.exp(logs - logs.max())
        normed: Floats = chances / chances.sum()
        return normed


def _poisson(found: Floats, mean: Floats) -> Floats:
    """The logarithm of the chance to find so many, as scipy.stats.poisson has it.

    Importing scipy.stats takes longer than most groups' months take to publish.
    """
    logs: Floats = xlogy(found, mean) - gammaln(found + 1) - mean
    return logs


def count(test_set: pa.Table) -> list[dict[str, Any]]:
    """What became of the labels of a published test set no person must look at, each text counted once.

    Of each month in which texts came (`since`): `rows`, how many were `wrong`, and were `expected` to be.
    """
    rows = test_set.filter(pc.equal(test_set["status"], "labelled"))
    _, first = np.unique(np.asarray(rows["text_key"]).astype(str), return_index=True)
    rows = rows.take(pa.array(first, pa.int64()))
    counted = pa.table(
        {
            "since": rows["since"],
            "wrong": pc.not_equal(rows["code"], rows["truth"]),
            "expected": pc.subtract(1.0, rows["confidence"]),
        }
    )
    months = counted.group_by("since").aggregate([("wrong", "count"), ("wrong", "sum"), ("expected", "sum")])
    return [
        {"since": month["since"], "rows": month["wrong_count"], "wrong": month["wrong_sum"]}
        | {"expected": round(month["expected_sum"], 4)}
        for month in months.sort_by("since").to_pylist()
    ]
