"""Score tables of a model: what each word, pair and n-gram adds to each code, worked out once at load.

A word's n-grams depend on the word only, so the whole contribution of a known word is one row. Unknown
words are scored from their n-grams; both ways give the same sums (a test compares them).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from inference.lookup import HashIndex, bucket_rows
from processing.arrays import Floats, Integers
from training import features, hashing
from training.features import BUCKETS
from training.model import Model

COUNTS = 2  # columns of an n-gram row after scores and squared length: known n-grams, all n-grams


@dataclass(frozen=True)
class Tables:
    """All tables are float32; the last row of each is zero and stands for what has no weights.

    Attributes:
        words: `(n_words + 1, 2 * n_codes + 4)`: scores and squared length of the block of words, then of the
            block of n-grams, then its known n-grams and all its n-grams.
        first_words: `(n_words + 1, 2 * n_codes + 1)`: what it adds to the block of words as the first one
            (scores and squared length), then the finished scores of the block of its n-grams.
        pairs: `(n + 1, n_codes + 1)`: scores and squared length.
        attributes: likewise.
        ngrams: `(n + 1, n_codes + 3)`.
        first_ngrams: `(n + 1, n_codes + 1)`.
    """

    index: HashIndex
    words: Floats
    first_words: Floats
    pairs: Floats
    pair_row: NDArray[np.int32]
    attributes: Floats
    attribute_row: NDArray[np.int32]
    ngrams: Floats
    ngram_row: NDArray[np.int32]
    first_ngrams: Floats
    first_ngram_row: NDArray[np.int32]


def build(model: Model) -> Tables:
    """Work the tables out; a fraction of a second for 50,000 words and 40 codes."""
    parts, n_codes = model.weighting.parts, len(model.codes)
    by_part = {name: _scored(model, name) for name in parts}
    ngram_row = bucket_rows(parts["ngrams"].columns, BUCKETS)
    first_ngram_row = bucket_rows(parts["first_ngrams"].columns, BUCKETS)
    ngrams = np.column_stack([by_part["ngrams"], np.ones((len(by_part["ngrams"]), COUNTS), np.float32)])
    ngrams[-1, -COUNTS:] = 0, 1  # an n-gram without weights counts among all, not among the known
    vocabulary = _as_words(model.vocabulary)
    ngram, n_ngrams = features.hash_ngrams(vocabulary)
    n_words = len(model.vocabulary)
    words = np.zeros((n_words + 1, 2 * n_codes + 4), np.float32)
    words[parts["words"].columns, : n_codes + 1] = by_part["words"][:-1]
    words[:-1, n_codes + 1 :] = sum_runs(ngrams, ngram_row[features.bucket(ngram)], n_ngrams)
    first_words = np.zeros((n_words + 1, 2 * n_codes + 1), np.float32)
    first_words[parts["first_word"].columns, : n_codes + 1] = by_part["first_word"][:-1]
    sums = sum_runs(by_part["first_ngrams"], first_ngram_row[features.bucket(ngram)], n_ngrams)
    first_words[:-1, n_codes + 1 :] = finish(sums, model.weighting.first_word_weight)
    return Tables(
        index=HashIndex(hashing.hash_words(vocabulary)),
        words=words,
        first_words=first_words,
        pairs=by_part["pairs"],
        pair_row=bucket_rows(parts["pairs"].columns, BUCKETS),
        attributes=by_part["attributes"],
        attribute_row=bucket_rows(parts["attributes"].columns, BUCKETS),
        ngrams=ngrams,
        ngram_row=ngram_row,
        first_ngrams=by_part["first_ngrams"],
        first_ngram_row=first_ngram_row,
    )


def finish(sums: Floats, weight: float) -> Floats:
    """Scores of a block, `(n, n_codes)`.

    `sums` is `(n, n_codes + 1)`; its last column is the squared length.
    """
    squares = sums[:, -1]
    factor = np.float32(weight) / np.sqrt(np.where(squares > 0, squares, np.float32(1)))
    scores: Floats = sums[:, :-1] * factor[:, None]
    return scores


def sum_runs(table: Floats, row: Integers, count: Integers, value: Floats | None = None) -> Floats:
    """Sums of rows of the table, `(len(count), n_columns)`.

    The first sum is of the first `count[0]` of `row`, the second of the next `count[1]`, and so on. `value`
    is a factor for each row, `(len(row),)` float32; 1 if not given.
    """
    value = np.ones(len(row), np.float32) if value is None else value
    ends = np.concatenate([[0], np.cumsum(count)])
    sums: Floats = sparse.csr_matrix((value, row, ends), shape=(len(count), len(table))) @ table
    return sums


def _scored(model: Model, name: str) -> NDArray[np.float32]:
    """A part's rows: weights times idf, then the squared idf; and a row of zeros."""
    part = model.weighting.parts[name]
    rows = np.zeros((len(part.idf) + 1, len(model.codes) + 1), np.float32)
    np.multiply(
        model.weights[name].values, (model.weights[name].scale * part.idf)[:, None], out=rows[:-1, :-1]
    )
    rows[:-1, -1] = part.idf**2
    return rows


def _as_words(vocabulary: pa.Array) -> hashing.Words:
    """The vocabulary as texts of one word each."""
    joined = ("".join(word + " " for word in vocabulary.to_pylist())).encode()
    buffer = np.frombuffer(b" " + joined, np.uint8)
    space = np.flatnonzero(buffer == hashing.SPACE)
    return hashing.Words(buffer, space[:-1] + 1, space[1:], np.arange(len(space)))
