"""From items to sparse features: one definition for training and serving.

Three blocks, each hashed into 2^20 buckets without any state: the words and pairs of neighbouring words of
title, product type and brand; the character n-grams inside those words; the attributes. What is learned from
the training rows is small: which buckets are used, and their inverse document frequencies.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from processing.codebook import Attribute
from processing.text import fold
from training import hashing

BUCKETS = 2**20
SHORTEST, LONGEST = 3, 5
STEPS_PER_DOUBLING = 2
LARGEST_STEP = 60  # numbers beyond 2^30, or below 2^-30, are treated as those


@dataclass(frozen=True)
class Counts:
    """What occurs how often in each item: sparse `(n_items, BUCKETS)`, float32, one matrix for each block."""

    words: sparse.csr_matrix
    characters: sparse.csr_matrix
    attributes: sparse.csr_matrix

    def __getitem__(self, rows) -> "Counts":
        return Counts(self.words[rows], self.characters[rows], self.attributes[rows])

    def __len__(self) -> int:
        return self.words.shape[0]


def count(table: pa.Table, attributes: tuple[Attribute, ...]) -> Counts:
    """Count features of items: columns `title`, `product_type`, `brand` and one for each attribute."""
    words = hashing.split_words(item_texts(table))
    total = hashing.running_sum(words.buffer)
    single = hashing.hash_stretches(total, words.start, words.end)
    pairs, first_word = hashing.hash_pairs(single, words)
    row = words.row
    word_block = _matrix(np.concatenate([row, row[first_word]]), np.concatenate([single, pairs]), len(table))
    start, end, word = hashing.ngrams(words, SHORTEST, LONGEST)
    character_block = _matrix(row[word], hashing.hash_stretches(total, start, end), len(table))
    return Counts(word_block, character_block, _count_attributes(table, attributes))


def item_texts(table: pa.Table) -> pa.Array:
    """The folded text of each item, ending with a space: title, product type, brand."""
    fields = [fold(table[name]) for name in ("title", "product_type", "brand")]
    space = pa.scalar(" ", pa.large_string())
    return pc.binary_join_element_wise(*fields, pa.scalar("", pa.large_string()), space)


def _count_attributes(table: pa.Table, attributes: tuple[Attribute, ...]) -> sparse.csr_matrix:
    rows, hashes, values = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)], [np.zeros(0)]
    everyone = np.arange(len(table))
    for attribute in attributes:
        name = hashing.hash_whole(pa.array([attribute.name], pa.large_string()))
        column = table[attribute.name].combine_chunks()
        if attribute.type == "number":
            low, share = _steps(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False))
            for step, weight in ((low, 1 - share), (low + 1, share)):
                rows.append(everyone)
                hashes.append(hashing.mix(name + step.astype(np.uint64)))
                values.append(weight)
        else:
            rows.append(everyone)
            hashes.append(hashing.mix(name + hashing.hash_whole(fold(column))))
            values.append(np.ones(len(table)))
    return _matrix(np.concatenate(rows), np.concatenate(hashes), len(table), np.concatenate(values))


def _steps(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each number as a point between two steps of a logarithmic scale: the lower step and how far it is from it.

    Steps lie half a doubling apart; zero, negative and missing numbers have steps of their own. Sharing a
    number between its two steps makes the score a continuous, piecewise linear function of its logarithm.
    """
    known = np.isfinite(numbers) & (numbers != 0)
    position = np.log2(np.abs(np.where(known, numbers, 1.0))) * STEPS_PER_DOUBLING
    position = np.clip(position, -LARGEST_STEP, LARGEST_STEP) + 2 * LARGEST_STEP
    low = np.floor(position)
    share = position - low
    low = np.where(numbers < 0, low + 4 * LARGEST_STEP, low)
    low = np.where(known, low, np.where(numbers == 0, 0, 1) * 2)
    return low.astype(np.int64), np.where(known, share, 0.0)


def _matrix(
    row: np.ndarray, hashes: np.ndarray, n_rows: int, values: np.ndarray | None = None
) -> sparse.csr_matrix:
    """Add up what falls on the same row and bucket; the bucket is the hash's highest bits."""
    bucket = (hashes >> np.uint64(44)).astype(np.int32)
    values = np.ones(len(row), np.float32) if values is None else values.astype(np.float32)
    matrix = sparse.coo_matrix((values, (row, bucket)), shape=(n_rows, BUCKETS)).tocsr()
    matrix.sum_duplicates()
    return matrix


@dataclass(frozen=True)
class Weighting:
    """What makes counts comparable: the buckets in use, their idf, the weight of the word block.

    columns: bucket numbers of each block, ascending, `(n_used,)` int32 each
    idf: inverse document frequency of each of them, float32
    word_weight: factor on the word block against the other two, above 0
    """

    columns: tuple[np.ndarray, np.ndarray, np.ndarray]
    idf: tuple[np.ndarray, np.ndarray, np.ndarray]
    word_weight: float

    @property
    def n_features(self) -> int:
        return sum(map(len, self.columns))

    def apply(self, counts: Counts) -> sparse.csr_matrix:
        """Weighted features, `(n_items, n_features)`: each block scaled to length 1 (an empty one stays 0)."""
        blocks = []
        for block, columns, idf, weight in zip(
            (counts.words, counts.characters, counts.attributes),
            self.columns,
            self.idf,
            (self.word_weight, 1, 1),
            strict=True,
        ):
            weighted = block[:, columns] @ sparse.diags(idf)
            length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
            scale = weight / np.where(length > 0, length, 1)
            blocks.append(sparse.diags(scale.astype(np.float32)) @ weighted)
        return sparse.hstack(blocks, format="csr", dtype=np.float32)


def fit_weighting(counts: Counts, min_df: int, word_weight: float) -> Weighting:
    """Use the buckets that at least `min_df` items have; idf is smoothed as in scikit-learn's TfidfTransformer."""
    columns, idfs = [], []
    for block in (counts.words, counts.characters, counts.attributes):
        frequency = np.bincount(block.indices, minlength=BUCKETS)
        used = np.flatnonzero(frequency >= min_df).astype(np.int32)
        columns.append(used)
        idfs.append((np.log((1 + len(counts)) / (1 + frequency[used])) + 1).astype(np.float32))
    idfs[2] = np.ones_like(idfs[2])
    return Weighting(tuple(columns), tuple(idfs), word_weight)
