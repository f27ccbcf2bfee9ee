"""From counts to weighted features: which are used, idf, and each block scaled to length 1.

Four blocks: words (with pairs and the first word), n-grams, n-grams of the first word, attributes. A block's
squared length is the sum of the squared idf of everything in it, each occurrence counted. It is therefore a
sum over words, which is what lets a served model keep one table row for each known word.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from processing.arrays import Floats
from training.features import Features

PARTS = ("words", "pairs", "first_word", "ngrams", "first_ngrams", "attributes")
AS_ANY_WORD = 0.7  # with this weight of first words' n-grams the whole first word counts as any word does


@dataclass(frozen=True)
class Part:
    """The used columns of one kind of count and their idf.

    Attributes:
        columns: ascending, `(n_used,)` int32.
        idf: `(n_used,)` float32.
    """

    columns: NDArray[np.int32]
    idf: NDArray[np.float32]


@dataclass(frozen=True)
class Weighting:
    """What was learned about counts from the training rows.

    `word_weight` is the factor on the block of words, `first_word_weight` on that of first words' n-grams; in
    the block of words it is part of their idf.
    """

    parts: dict[str, Part]
    word_weight: float
    first_word_weight: float

    def apply(self, counts: Features) -> sparse.csr_matrix:
        """Weighted features, `(n_items, n_features)`, float32, parts in the order of PARTS."""
        whole = [
            self._block(
                [("words", counts.words), ("pairs", counts.pairs), ("first_word", counts.first_word)],
                self.word_weight,
            ),
            self._block([("ngrams", counts.ngrams)], 1.0, counts.words),
            self._block([("first_ngrams", counts.ngrams)], self.first_word_weight, counts.first_word),
            self._block([("attributes", counts.attributes)], 1.0),
        ]
        return sparse.hstack(whole, format="csr", dtype=np.float32)

    def known_share(self, counts: Features) -> Floats:
        """Share of each item's n-grams that have a weight, `(n_items,)`, in [0, 1]; 0 without any."""
        known = np.asarray(counts.ngrams[:, self.parts["ngrams"].columns].sum(axis=1)).ravel()
        every = counts.words @ np.asarray(counts.ngrams.sum(axis=1)).ravel()
        share: Floats = (counts.words @ known) / np.maximum(every, 1)
        return share

    def _block(
        self,
        parts: list[tuple[str, sparse.csr_matrix]],
        weight: float,
        items: sparse.csr_matrix | None = None,
    ) -> sparse.csr_matrix:
        """Parts side by side, scaled together to length `weight`.

        With `items`, the parts are counts of words.
        """
        used = [counts[:, self.parts[name].columns] for name, counts in parts]
        squares = sum(
            counts @ self.parts[name].idf ** 2 for (name, _), counts in zip(parts, used, strict=True)
        )
        weighted = sparse.hstack(
            [
                counts @ sparse.diags(self.parts[name].idf)
                for (name, _), counts in zip(parts, used, strict=True)
            ],
            format="csr",
        )
        if items is not None:
            squares, weighted = items @ squares, items @ weighted
        scale = weight / np.sqrt(np.where(squares > 0, squares, 1))
        return sparse.diags(scale.astype(np.float32)) @ weighted


def fit(counts: Features, min_df: int, word_weight: float, first_word_weight: float) -> Weighting:
    """Use what at least `min_df` items have; idf is smoothed as in scikit-learn's TfidfTransformer.

    First words count by `first_word_weight`, whole and as n-grams: that of a sentence says little.
    """
    occurrences = {
        "words": counts.words,
        "pairs": counts.pairs,
        "first_word": counts.first_word,
        "ngrams": counts.words @ counts.ngrams,
        "first_ngrams": counts.first_word @ counts.ngrams,
        "attributes": counts.attributes,
    }
    parts = {}
    for name, block in occurrences.items():
        frequency = np.bincount(block.indices, minlength=block.shape[1])
        used = np.flatnonzero(frequency >= min_df).astype(np.int32)
        idf = np.log((1 + len(counts)) / (1 + frequency[used])) + 1
        if name == "first_word":
            idf *= first_word_weight / AS_ANY_WORD
        parts[name] = Part(used, (np.ones(len(used)) if name == "attributes" else idf).astype(np.float32))
    return Weighting(parts, word_weight, first_word_weight)
