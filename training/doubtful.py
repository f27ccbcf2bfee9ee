"""Training rows whose label is likely wrong: what the rows of other texts teach contradicts it clearly.

After Northcutt et al., "Confident Learning" (2021): margins out of fold are compared with the labels as
delivered. Found once, in Featurize; a trial and Train only read which rows not to learn from (`left_out` of
a TrainingSet). Compared with cleanlab in benchmarks/wrong_labels.py.
"""

from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.arrays import Booleans, Floats, Integers
from processing.dataset import decisions, doubtful_rows
from processing.dataset.text import TEXT_COLUMNS
from training import confidence, fitting
from training.training_set import TrainingSet

#: The setting by which they are found, and in how many parts: two fits' time, one's where rows are many.
SETTING = Namespace(family="linear", c=0.3, min_df=1, word_weight=1.0, first_word_weight=0.7)
PARTS, PARTS_OF_MANY, MANY = 3, 2, 10_000
#: A row is doubtful where another code's margin is so much higher than that of its label.
LEAD = 1.0
#: Rows are left out only where so many labels are wrong among the share of which the model is SUREST. It was
#: at most 0.06 on sets as they are, which so lose nothing; with a tenth wrong, leaving out wins and loses.
LEAST_NOISE = 0.15
SUREST = 0.3
#: Of a code's rows so many stay, however doubtful they are: a code must not be lost.
STAY = 0.5
#: The worst, at most so many, go into the table beside the report.
LISTED = 2_000


@dataclass(frozen=True)
class Doubts:
    """What was found on the group's own rows.

    Attributes:
        code: the number of the code that the model gives, `(n_own,)`.
        sure: how often a code that the model gives so surely is the label, `(n_own,)`, in [0, 1].
        lead: how much higher that code's margin is than the label's, 0 where they are one, `(n_own,)`.
        noise: of the rows of which the model is surest, the share that has another label, in [0, 1]. About
            the share of wrong labels, as a model is hardly ever wrong there.
    """

    code: Integers
    sure: Floats
    lead: Floats
    noise: float

    @property
    def doubtful(self) -> Booleans:
        """The rows whose label is likely wrong, `(n_own,)`."""
        doubtful: Booleans = self.lead > LEAD
        return doubtful


def find(given: TrainingSet) -> Doubts:
    """Compare the own rows' labels with margins that were learned from the rows of other texts."""
    parts = PARTS if given.own.sum() < MANY else PARTS_OF_MANY
    margins, known_share = fitting.out_of_fold(given, SETTING, parts=parts)
    labels, rows = given.labels[given.own], np.arange(given.own.sum())
    codes, best = confidence.best_codes(margins)
    n_words = np.asarray(given.features.words[given.own].sum(axis=1)).ravel()
    inputs = confidence.signals(margins, codes, best, known_share, n_words)
    ahead = best[:, 0] - best[:, 1]
    surest = ahead >= np.quantile(ahead, 1 - SUREST)
    return Doubts(
        code=codes[:, 0],
        sure=confidence.fit(inputs, codes, labels).of(inputs, codes.shape[1])[:, 0],
        lead=best[:, 0] - margins[rows, labels],
        noise=float((codes[:, 0] != labels)[surest].mean()),
    )


def to_leave_out(given: TrainingSet, found: Doubts, decided: Booleans) -> Booleans:
    """Which rows not to learn from, `(n_rows,)`: none where few labels seem wrong.

    `decided`: the own rows that a person decided on, `(n_own,)`; those are learned. So is the less doubtful
    half of every code's rows.
    """
    left_out = np.zeros(len(given.labels), bool)
    if found.noise < LEAST_NOISE:
        return left_out
    own, labels = np.flatnonzero(given.own), given.labels[given.own]
    order = np.lexsort((-found.lead, labels))
    count = np.bincount(labels, minlength=len(given.codes))
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - (np.cumsum(count) - count)[labels[order]]
    may_go = rank < np.floor((1 - STAY) * count)[labels]
    left_out[own[found.doubtful & ~decided & may_go]] = True
    return left_out


def decided(own: pa.Table, reviewed: Path, group: str) -> Booleans:
    """The rows, canonical ones, on whose item and text a person's decision stands, `(n_own,)`.

    `reviewed` is the folder with the group's decisions. Raises BadData where one cannot be read.
    """
    texts = decisions.read_rows(reviewed, dict.fromkeys(("item_id", *TEXT_COLUMNS), "text"), group)
    texts = texts.filter(pc.not_equal(texts["answer"], "withdrawn"))
    known = pc.is_in(decisions.keys(own), value_set=decisions.keys(texts))
    mask: Booleans = np.asarray(known, bool)
    return mask


def write(own: pa.Table, given: TrainingSet, found: Doubts, decided: Booleans, folder: Path) -> None:
    """Put the doubtful rows that nobody decided on, the worst first, and their number into a folder."""
    open_ = found.doubtful & ~decided
    left_out = given.left_out[given.own]
    at = np.flatnonzero(open_)
    worst = at[np.argsort(-found.lead[at], kind="stable")][:LISTED]
    rows = own.select(["item_id", "text_key", "label"]).take(pa.array(worst))
    codes = pa.array(np.array(given.codes, object)[found.code[worst]], pa.string())
    rows = rows.append_column("code", codes)
    rows = rows.append_column("confidence", pa.array(found.sure[worst].astype(np.float64)))
    rows = rows.append_column("left_out", pa.array(left_out[worst]))
    pq.write_table(rows, folder / doubtful_rows.TABLE)
    about = {
        "rows": len(own),
        "doubtful": int(open_.sum()),
        "left_out": int(left_out.sum()),
        "noise": found.noise,
    }
    doubtful_rows.write(folder, about)
