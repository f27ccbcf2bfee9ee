"""From counts to weighted features: which are used, idf, and each block scaled to length 1.

Four blocks: words (with pairs and the first word), n-grams, n-grams of the first word, attributes. A block's
squared length is the sum of the squared idf of everything in it, each occurrence counted. It is therefore a
sum over words, which is what lets a served model keep one table row for each known word.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from processing.arrays import Floats, Integers
from training.features import Features

PARTS = ("words", "pairs", "first_word", "ngrams", "first_ngrams", "attributes")
AS_ANY_WORD = 0.7  # with this weight of first words' n-grams the whole first word counts as any word does


@dataclass(frozen=True)
class Part:
    """The used columns of one kind of count and their idf.

    Attributes:
        columns: of the counts; of a model, whose counts are hashed, buckets; ascending, `(n_used,)` int32.
        idf: `(n_used,)` float32.
    """

    columns: NDArray[np.int32]
    idf: NDArray[np.float32]

    def squared_length(self, counts: sparse.csr_matrix) -> Floats:
        """What each row adds to the squared length of its block, `(n_rows,)`."""
        squares = np.zeros(counts.shape[1], np.float32)
        squares[self.columns] = self.idf**2
        found: Floats = counts @ squares
        return found

    def weighted(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """The used columns times their idf, `(n_rows, n_used)`, in each row's order."""
        number = np.full(counts.shape[1], -1, np.int32)
        number[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        column = number[counts.indices]
        used = column >= 0
        column, before = column[used], np.zeros(len(used) + 1, np.int64)
        np.cumsum(used, out=before[1:])
        parts = (
            counts.data[used] * self.idf[column],
            column,
            before[counts.indptr].astype(counts.indptr.dtype),
        )
        return sparse.csr_matrix(parts, shape=(counts.shape[0], len(self.columns)))


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
        """Weighted features, `(n_items, n_features)`, float32, parts in the order of PARTS.

        In which order a row holds them is a part of the result: sums of floats, and so margins, depend on it.
        """
        return sparse.hstack(
            [
                self._words(counts),
                self._ngrams(counts),
                self._first_ngrams(counts),
                self._attributes(counts),
            ],
            format="csr",
            dtype=np.float32,
        )

    def known_share(self, counts: Features) -> Floats:
        """Share of each item's n-grams that have a weight, `(n_items,)`, in [0, 1]; 0 without any."""
        is_known = np.zeros(counts.ngrams.shape[1], np.float32)
        is_known[self.parts["ngrams"].columns] = 1
        every = counts.ngrams @ np.ones_like(is_known)
        share: Floats = (counts.words @ (counts.ngrams @ is_known)) / np.maximum(counts.words @ every, 1)
        return share

    def in_buckets(self, counts: Features) -> "Weighting":
        """The same with buckets in place of columns of hashed `counts`, as a model has it."""
        buckets = {
            "pairs": counts.pair_buckets,
            "ngrams": counts.ngram_buckets,
            "first_ngrams": counts.ngram_buckets,
            "attributes": counts.attribute_buckets,
        }
        parts = {
            name: replace(part, columns=buckets[name][part.columns]) if name in buckets else part
            for name, part in self.parts.items()
        }
        return replace(self, parts=parts)

    def _words(self, counts: Features) -> sparse.csr_matrix:
        """The block of words; a row has its first word, then its pairs, then its words."""
        names = ("words", "pairs", "first_word")
        matrices = {name: getattr(counts, name) for name in names}
        words, pairs, first = (self.parts[name].squared_length(matrices[name]) for name in names)
        ends = np.cumsum([0, *(len(self.parts[name].columns) for name in names)])
        block = sparse.hstack([self.parts[name].weighted(matrices[name]) for name in names[::-1]], "csr")
        in_order = [np.arange(*ends[place : place + 2], dtype=np.int32) for place in (2, 1, 0)]
        block.indices = np.concatenate(in_order)[block.indices]
        return _scaled(block, words + pairs + first, self.word_weight)

    def _ngrams(self, counts: Features) -> sparse.csr_matrix:
        """That of n-grams: a row has those of its first word in the vocabulary's order, the last one first.

        scipy's product lists a row's columns in the order opposite to that in which it finds them. Therefore
        it is given the rows from the last one to the first, and all is turned round.
        """
        part, n_words = self.parts["ngrams"], counts.ngrams.shape[0]
        squares = counts.words @ part.squared_length(counts.ngrams)
        items = counts.words[::-1]
        items.indices = n_words - 1 - items.indices
        return _scaled(_turned(items @ _turned(part.weighted(counts.ngrams))), squares, 1.0)

    def _first_ngrams(self, counts: Features) -> sparse.csr_matrix:
        """That of n-grams of the first word, the last one first."""
        part, (n_words, _) = self.parts["first_ngrams"], counts.ngrams.shape
        squares = counts.first_word @ part.squared_length(counts.ngrams)
        of_words = _turned(part.weighted(counts.ngrams))
        none = sparse.csr_matrix((1, of_words.shape[1]), dtype=np.float32)
        word = np.full(len(counts), n_words)
        word[np.diff(counts.first_word.indptr) > 0] = n_words - 1 - counts.first_word.indices
        block = sparse.vstack([of_words, none], "csr")[word]
        return _scaled(block, squares, self.first_word_weight)

    def _attributes(self, counts: Features) -> sparse.csr_matrix:
        part = self.parts["attributes"]
        block = part.weighted(counts.attributes)
        block.eliminate_zeros()  # a number's share in a step may be nothing
        return _scaled(block, part.squared_length(counts.attributes), 1.0)


def _turned(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """The rows from the last one to the first, each with its columns from the last one to the first."""
    parts = matrix.data[::-1].copy(), matrix.indices[::-1].copy(), matrix.indptr[-1] - matrix.indptr[::-1]
    return sparse.csr_matrix(parts, shape=matrix.shape)


def _scaled(block: sparse.csr_matrix, squares: Floats, weight: float) -> sparse.csr_matrix:
    """The rows, whose squared lengths are given, scaled in place to length `weight`."""
    scale = (weight / np.sqrt(np.where(squares > 0, squares, 1))).astype(np.float32)
    block.data *= np.repeat(scale, np.diff(block.indptr))
    return block


def fit(counts: Features, min_df: int, word_weight: float, first_word_weight: float) -> Weighting:
    """Use what at least `min_df` items have; idf is smoothed as in scikit-learn's TfidfTransformer.

    First words count by `first_word_weight`, whole and as n-grams: that of a sentence says little.
    """
    of_first_words = np.bincount(counts.first_word.indices, minlength=counts.ngrams.shape[0])
    n_items = {
        "words": _items_with(counts.words),
        "pairs": _items_with(counts.pairs),
        "first_word": of_first_words,
        "ngrams": _items_with(counts.item_ngrams),
        "first_ngrams": _items_with(counts.ngrams, of_first_words),
        "attributes": _items_with(counts.attributes),
    }
    parts = {}
    for name, frequency in n_items.items():
        used = np.flatnonzero((frequency >= min_df) & (frequency > 0)).astype(np.int32)
        idf = np.log((1 + len(counts)) / (1 + frequency[used])) + 1
        if name == "first_word":
            idf *= first_word_weight / AS_ANY_WORD
        parts[name] = Part(used, (np.ones(len(used)) if name == "attributes" else idf).astype(np.float32))
    return Weighting(parts, word_weight, first_word_weight)


def _items_with(counts: sparse.csr_matrix, n_items: Integers | None = None) -> Floats | Integers:
    """How many items have what each column counts; with `n_items`, each row stands for so many of them."""
    each = None if n_items is None else np.repeat(n_items, np.diff(counts.indptr))
    return np.bincount(counts.indices, each, minlength=counts.shape[1])
