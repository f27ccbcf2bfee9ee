"""From which confidence on a label needs no person, code by code, so that a policy's promise holds.

Everything is decided on rows that the scoring model was not trained on. What a confidence is, see
confidence.py; what a month adds to it, processing/labels/review_queue.py.

A group's promise is tested at a hundred thresholds and the lowest that passes is taken. The luckiest of many
tests would promise too much, so each is stricter, by as much as tests on ever more of the same rows count
(`at_once`; Armitage, McPherson and Rowe, 1969, Repeated significance tests on accumulating data). What is
wrong of all published labels can only grow with a lower threshold, so there the first that fails ends it
(Bates et al., 2021, Distribution-free, risk-controlling prediction sets, arXiv 2101.02703; Candes et al.,
2025, Probably approximately correct labels, arXiv 2506.10908).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from processing.arrays import Booleans, Floats, Integers
from processing.labels.without_person import RISK, at_once, needed
from processing.policy import MONTH

NEVER = 1.0  # a threshold that no confidence reaches: everything goes to a person
STEPS = 100  # thresholds that are tried
ENOUGH = 3  # times the rows it takes if all are right: with fewer a good code would seldom show that it is
#: Of a code's rows above the group's threshold, what is tried to keep its floor.
PARTS = (1.0, 0.8, 0.6, 0.4, 0.2)


@dataclass(frozen=True)
class Promise:
    """What a policy promises of labels.

    Attributes:
        kind: `automatic`: of the labels that no person looks at, at least `precision` are right; `month`: of
            all published labels, people's decisions counted as right.
        precision: that share, in [0, 1].
        code_precision: the least share of right ones among each code's labels that no person looks at, in
            [0, 1]; `precision` where that is lower.
        critical: which codes keep the full `precision` there, `(n_codes,)`.
    """

    kind: str
    precision: float
    code_precision: float
    critical: Booleans

    @property
    def floors(self) -> Floats:
        """What each code must keep, `(n_codes,)`."""
        return np.where(self.critical, self.precision, self.floor)

    @property
    def floor(self) -> float:
        """What a code that is not critical must keep."""
        return min(self.code_precision, self.precision)


@dataclass(frozen=True)
class Rows:
    """Rows that were answered out of fold.

    Attributes:
        sure: the first code's confidence, `(n_rows,)`, in [0, 1].
        code: the first code's number, `(n_rows,)`.
        label: the true one's, `(n_rows,)`.
        text: number of the row's text, `(n_rows,)`; rows of one text are right or wrong together.
    """

    sure: Floats
    code: Integers
    label: Integers
    text: Integers

    @property
    def right(self) -> Booleans:
        """Whether the answer is the label, `(n_rows,)`."""
        right: Booleans = self.code == self.label
        return right


def by_code(rows: Rows, promised: Promise, risk: float = RISK) -> Floats:
    """The lowest confidence from which on each code needs no person, `(n_codes,)`; NEVER where none will do.

    Three things hold for what is above, each but for a chance of `risk`:

    - the promise, for all codes together;
    - the floor of each code that has enough rows to show it. Codes with fewer are pooled and the pool keeps
      it, else their items go to people; so do those of a code that even few rows refute. No rule can promise
      one code 98 % at a risk of 5 % on fewer than 149 rows, even if all of them are right: 0.98 ** 148 is
      more than 0.05.
    - no code swallows the others: of other codes' items, those that go to people counted as right, at most
      half of `1 - code_precision` get this code. A common code could keep its own floor with every rare item
      wrong. Where there are too few of them to tell, it is not asked.
    """
    order = np.argsort(-rows.sure, kind="stable")
    rows = Rows(*(getattr(rows, name)[order] for name in Rows.__annotations__))
    n = len(rows.sure)
    never = np.full(len(promised.critical), NEVER)
    if not n:
        return never
    levels = np.unique(np.ceil(np.arange(1, STEPS + 1) / STEPS * n).astype(int) - 1)
    least = _above_swallowed(rows, promised, risk)

    @cache
    def at(place: int) -> Floats:
        return _at(rows, float(rows.sure[levels[place]]), least, promised, risk)

    def share(place: int) -> float:
        return float(without_person(rows, at(place)).mean())

    # Lower is not always more: a code that does not keep its floor so low goes to people as a whole.
    if promised.kind == MONTH:
        kept = _kept_by_all(rows, at, len(levels), promised, risk)
        return at(max(kept, key=share)) if kept else never
    best, most = never, -1.0
    for place in reversed(range(len(levels))):
        # No more can be alone than is above the level, at which codes go to people only in addition.
        at_most = float((rows.sure >= np.maximum(rows.sure[levels[place]], least)[rows.code]).mean())
        if at_most < most:
            break
        if share(place) >= most and _is_kept(rows, at(place), promised, risk):
            best, most = at(place), share(place)
    return best


def at_least(right: Booleans, text: Integers, risk: float = RISK) -> float:
    """A lower bound of the share of right rows, but for a chance of `risk`; 0 of no rows.

    That of Clopper and Pearson (1934). It counts as many rows as would be as uncertain if they were
    independent of others with the same text.
    """
    return float(_bounds(np.zeros(len(right), int), 1, right, text, risk)[0])


def without_person(rows: Rows, thresholds: Floats) -> Booleans:
    """Which rows are above their code's threshold, `(n_rows,)`."""
    alone: Booleans = rows.sure >= thresholds[rows.code]
    return alone


def _is_kept(rows: Rows, thresholds: Floats, promised: Promise, risk: float) -> bool:
    """Whether the labels above the thresholds keep the promise."""
    level = float(at_once(risk, len(np.unique(rows.text)), promised.precision))
    alone = without_person(rows, thresholds)
    return at_least(rows.right[alone], rows.text[alone], level) >= promised.precision


def _kept_by_all(
    rows: Rows, at: Callable[[int], Floats], n: int, promised: Promise, risk: float
) -> list[int]:
    """Of `n` places in the sequence `at`, the first ones, at which all published labels keep the promise."""

    def is_kept(place: int) -> bool:
        right = rows.right | ~without_person(rows, at(place))
        return at_least(right, rows.text, risk) >= promised.precision

    return list(takewhile(is_kept, range(n)))


def _at(rows: Rows, threshold: float, least: Floats, promised: Promise, risk: float) -> Floats:
    """Thresholds by code, none below those given, at which every code keeps its floor, `(n_codes,)`."""
    n_codes, floors = len(promised.critical), promised.floors
    above = rows.sure >= np.maximum(threshold, least)[rows.code]
    code, text, right, sure = rows.code[above], rows.text[above], rows.right[above], rows.sure[above]
    level = risk / np.sqrt(len(PARTS))  # each part holds the smaller ones, so they count as so few tests
    # Pools have numbers after the codes': one for each floor.
    kinds, kind = np.unique(floors, return_inverse=True)
    # n rows, all right, have the bound risk ** (1 / n).
    all_right = _bounds(code, n_codes, np.ones(len(code), bool), text, level)
    refuted = 1 - _bounds(code, n_codes, ~right, text, risk) < floors
    alone = (all_right >= floors ** (1 / ENOUGH)) | refuted
    member = np.where(alone, np.arange(n_codes), n_codes + kind)
    floor = np.append(floors, kinds)
    at = np.full(len(floor), NEVER)
    of = member[code]
    rank = pd.Series(of).groupby(of).cumcount().to_numpy()  # the rows come the surest first
    size = np.bincount(of, minlength=len(floor))
    for part in sorted(PARTS):
        last = np.flatnonzero(rank == np.ceil(part * size[of]).astype(int) - 1)
        lowest = np.full(len(floor), NEVER)
        lowest[of[last]] = threshold if part == 1 else sure[last]
        tried = sure >= lowest[of]
        bounds = _bounds(of[tried], len(floor), right[tried], text[tried], level)
        at = np.where(bounds >= floor, lowest, at)
    return np.maximum(at[member], least)


def _above_swallowed(rows: Rows, promised: Promise, risk: float) -> Floats:
    """The lowest threshold of each code above which it takes few of the other codes' items, `(n_codes,)`.

    What these rows show is asked, not a bound of it: of a hundred rare rows a bound would allow five instead
    of ten, at nearly twice the items that go to people.

    Args:
        rows: the surest first.
    """
    n_codes, most = len(promised.critical), (1 - promised.floor) / 2
    first = ~pd.Series(_pairs(rows.label, rows.text)).duplicated().to_numpy()
    others = first.sum() - np.bincount(rows.label[first], minlength=n_codes)[:n_codes]
    least = np.zeros(n_codes)
    for code in np.flatnonzero(others >= needed(1 - most, risk)):
        taken = np.flatnonzero(first & ~rows.right & (rows.code == code))
        allowed = int(most * others[code] + 1e-9)
        if allowed < len(taken):
            surer = rows.sure[(rows.code == code) & (rows.sure > rows.sure[taken[allowed]])]
            least[code] = surer.min(initial=NEVER)
    return least


def _bounds(group: Integers, n_groups: int, right: Booleans, text: Integers, risk: float) -> Floats:
    """Of each group of rows, a lower bound of the share of right ones, `(n_groups,)`; 0 where it has none."""
    keys = pd.factorize(_pairs(group, text))[0]
    n = np.asarray(np.bincount(keys), float)
    n_right = np.asarray(np.bincount(keys, right), float)
    own = np.zeros(len(n), int)
    own[keys] = group

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(own, values, minlength=n_groups), float)

    rows = total(n)
    share = total(n_right) / np.maximum(rows, 1)
    spread = total(np.square(n_right - share[own] * n))
    independent = rows * np.clip(rows * share * (1 - share) / np.maximum(spread, 1e-9), None, 1)
    independent = np.where(spread > 1e-9, independent, rows**2 / np.maximum(total(np.square(n)), 1))
    bound = betaincinv(np.maximum(share * independent, 1e-9), (1 - share) * independent + 1, risk)
    return np.where(rows > 0, bound, 0.0)


def _pairs(group: Integers, text: Integers) -> Integers:
    """One number for each group and text, `(n_rows,)`."""
    pairs: Integers = group.astype(np.int64) * (text.max(initial=0) + 1) + text
    return pairs
