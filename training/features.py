"""From items to sparse counts: one definition for training and serving, and no state but the hash.

What an item is described by: its words, its pairs of neighbouring words, the character n-grams inside its
words, its first word and that word's n-grams once more (what an item is called mostly comes first; on real
product texts that alone is worth a point of accuracy), and its attributes. N-grams depend on the word
only, so they are counted once for each distinct word; an item's n-grams are those of its words.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from processing.arrays import Booleans, Floats, Integers
from processing.codes.codebook import Attribute
from processing.dataset.text import fold
from training import attributes as attribute_features
from training import hashing
from training.hashing import Hashes
from training.quantities import hash_quantities, join_units

BUCKETS = 2**20
SHORTEST, LONGEST = 3, 5


@dataclass(frozen=True)
class Features:
    """Counts of a table's items, as sparse matrices, float32 but for `item_ngrams`.

    What is hashed has a column for each bucket that occurs in these items, and no others: of a million most
    are empty.

    Attributes:
        words: `(n_items, n_words)`, how often each word of the vocabulary occurs.
        first_word: `(n_items, n_words)`, a single 1 in each row that has a word.
        pairs: `(n_items, n_pairs)`, neighbouring words.
        attributes: `(n_items, n_attributes)`.
        ngrams: `(n_words, n_ngrams)`, the n-grams of each word of the vocabulary.
        item_ngrams: `(n_items, n_ngrams)`, a 1 (int8) for each n-gram of the item's words; not sorted.
        vocabulary: the distinct words of these items, `(n_words,)`.
        pair_buckets, attribute_buckets, ngram_buckets: the bucket of each column, ascending, int32.
        numbers: the number attributes as they are, `(n_items, n_numbers)`, NaN where missing.
    """

    words: sparse.csr_matrix
    first_word: sparse.csr_matrix
    pairs: sparse.csr_matrix
    attributes: sparse.csr_matrix
    ngrams: sparse.csr_matrix
    item_ngrams: sparse.csr_matrix
    vocabulary: pa.Array
    pair_buckets: NDArray[np.int32]
    attribute_buckets: NDArray[np.int32]
    ngram_buckets: NDArray[np.int32]
    numbers: Floats

    def __len__(self) -> int:
        n_items: int = self.words.shape[0]
        return n_items

    def __getitem__(self, rows: Booleans) -> "Features":
        """Some of the items; the columns stay those of all."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _OF_ITEMS})

    def save(self, file: Path) -> None:
        """Write all of it to one `.npz` of plain arrays."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays["vocabulary"] = np.frombuffer("\n".join(self.vocabulary.to_pylist()).encode(), np.uint8)
        for name in _MATRICES:
            matrix = getattr(self, name)
            arrays |= {f"{name}_{part}": getattr(matrix, part) for part in _PARTS}
        np.savez(file, **arrays)

    @classmethod
    def load(cls, file: Path) -> "Features":
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as arrays:
            matrices = {
                name: sparse.csr_matrix(
                    tuple(arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr")),
                    shape=tuple(arrays[f"{name}_shape"]),
                )
                for name in _MATRICES
            }
            words = bytes(arrays["vocabulary"]).decode().split("\n")
            return cls(
                **matrices,
                vocabulary=pa.array(words, pa.large_string()),
                **{name: arrays[name] for name in _ARRAYS},
            )


_MATRICES = ("words", "first_word", "pairs", "attributes", "ngrams", "item_ngrams")
_PARTS = ("data", "indices", "indptr", "shape")
_ARRAYS = ("pair_buckets", "attribute_buckets", "ngram_buckets", "numbers")
_OF_ITEMS = ("words", "first_word", "pairs", "attributes", "item_ngrams", "numbers")


def count(table: pa.Table, attributes: tuple[Attribute, ...]) -> Features:
    """Count features of items: columns `title`, `product_type`, `brand` and one for each attribute."""
    words = hashing.split_words(item_texts(table))
    hashes = hashing.hash_words(words)
    _, example, number = np.unique(hashes, return_index=True, return_inverse=True)
    shape = (len(table), len(example))
    has_word = np.diff(words.first) > 0
    pair, first_of_pair = hashing.hash_pairs(hashes, words)
    ngram, n_ngrams = hash_ngrams(words.take(example))
    pairs, pair_buckets = _without_empty_columns(
        matrix(words.row[first_of_pair], bucket(pair), (len(table), BUCKETS))
    )
    ngrams, ngram_buckets = _without_empty_columns(
        matrix(np.repeat(np.arange(len(example)), n_ngrams), bucket(ngram), (len(example), BUCKETS))
    )
    counted, attribute_buckets = _without_empty_columns(attribute_features.count(table, attributes, BUCKETS))
    of_items = matrix(words.row, number, shape)
    return Features(
        words=of_items,
        first_word=matrix(np.flatnonzero(has_word), number[words.first[:-1][has_word]], shape),
        pairs=pairs,
        attributes=counted,
        ngrams=ngrams,
        item_ngrams=(of_items @ ngrams).astype(bool).astype(np.int8),
        vocabulary=words.strings(example),
        pair_buckets=pair_buckets,
        attribute_buckets=attribute_buckets,
        ngram_buckets=ngram_buckets,
        numbers=attribute_features.numbers(table, attributes),
    )


def _without_empty_columns(counts: sparse.csr_matrix) -> tuple[sparse.csr_matrix, NDArray[np.int32]]:
    """Only the columns in which something is counted, and which those are."""
    occurs = np.zeros(counts.shape[1], bool)
    occurs[counts.indices] = True
    buckets = np.flatnonzero(occurs).astype(np.int32)
    column = (np.cumsum(occurs, dtype=np.int32) - 1)[counts.indices]
    shape = (counts.shape[0], len(buckets))
    return sparse.csr_matrix((counts.data, column, counts.indptr), shape=shape), buckets


def item_texts(table: pa.Table) -> pa.Array:
    """The folded text of each item, ending with a space: title, product type, brand."""
    texts = [pc.cast(table[name], pa.large_string()) for name in ("title", "product_type", "brand")]
    space, nothing = (pa.scalar(text, pa.large_string()) for text in (" ", ""))
    # A space keeps apart what is folded, so the joined text folds as its parts would.
    joined = pc.binary_join_element_wise(*texts, nothing, space, null_handling="replace", null_replacement="")
    return join_units(fold(joined))


def hash_ngrams(words: hashing.Words) -> tuple[Hashes, Integers]:
    """Hash of each character n-gram, `(n_ngrams,)`, in the order of the words, and how many each word has.

    A quantity has one more, for its kind and size.
    """
    words = words.alone()
    start, end, count = hashing.ngrams(words, SHORTEST, LONGEST)
    ngrams = hashing.hash_stretches(hashing.running_sum(words.buffer), start, end)
    quantities, word = hash_quantities(words)
    hashes = np.insert(ngrams, np.cumsum(count)[word], quantities)
    count[word] += 1
    return hashes, count


def bucket(hashes: Hashes) -> NDArray[np.int32]:
    """The highest bits of a hash, in [0, BUCKETS), int32."""
    return (hashes >> np.uint64(64 - 20)).astype(np.int32)


def matrix(
    row: Integers, column: Integers, shape: tuple[int, int], values: Integers | Floats | None = None
) -> sparse.csr_matrix:
    """A sparse matrix of counts; what falls on the same cell is added up."""
    values = np.ones(len(row), np.float32) if values is None else values.astype(np.float32)
    counted = sparse.coo_matrix((values, (row, column)), shape=shape).tocsr()
    counted.sum_duplicates()
    return counted
