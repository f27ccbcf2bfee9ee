"""From items to sparse counts: one definition for training and serving, and no state but the hash.

What an item is described by: its words, its pairs of neighbouring words, the character n-grams inside its
words, its first word and that word's n-grams once more (what an item is called mostly comes first; on real
product texts that alone is worth a point of accuracy), and its attributes. N-grams depend on the word
only, so they are counted once for each distinct word; an item's n-grams are those of its words.
"""

from dataclasses import dataclass, fields
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
    """Counts of a table's items, as float32 sparse matrices.

    Attributes:
        words: `(n_items, n_words)`, how often each word of the vocabulary occurs.
        first_word: `(n_items, n_words)`, a single 1 in each row that has a word.
        pairs: `(n_items, BUCKETS)`, neighbouring words, hashed.
        attributes: `(n_items, BUCKETS)`, hashed.
        ngrams: `(n_words, BUCKETS)`, the n-grams of each word of the vocabulary, hashed.
        vocabulary: the distinct words of these items, `(n_words,)`.
        numbers: the number attributes as they are, `(n_items, n_numbers)`, NaN where missing.
    """

    words: sparse.csr_matrix
    first_word: sparse.csr_matrix
    pairs: sparse.csr_matrix
    attributes: sparse.csr_matrix
    ngrams: sparse.csr_matrix
    vocabulary: pa.Array
    numbers: Floats

    def __len__(self) -> int:
        n_items: int = self.words.shape[0]
        return n_items

    def __getitem__(self, rows: Booleans) -> "Features":
        """Some of the items; the vocabulary stays whole."""
        return Features(
            self.words[rows],
            self.first_word[rows],
            self.pairs[rows],
            self.attributes[rows],
            self.ngrams,
            self.vocabulary,
            self.numbers[rows],
        )

    def save(self, file: Path) -> None:
        """Write all of it to one `.npz` of plain arrays."""
        arrays = {
            "numbers": self.numbers,
            "vocabulary": np.frombuffer("\n".join(self.vocabulary.to_pylist()).encode(), np.uint8),
        }
        for name, matrix in self._matrices().items():
            arrays |= {
                f"{name}_{part}": getattr(matrix, part) for part in ("data", "indices", "indptr", "shape")
            }
        np.savez(file, **arrays)

    @classmethod
    def load(cls, file: Path) -> "Features":
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as arrays:
            matrices = {
                field.name: sparse.csr_matrix(
                    tuple(arrays[f"{field.name}_{part}"] for part in ("data", "indices", "indptr")),
                    shape=tuple(arrays[f"{field.name}_shape"]),
                )
                for field in fields(cls)
                if field.name not in ("vocabulary", "numbers")
            }
            words = bytes(arrays["vocabulary"]).decode().split("\n")
            numbers = arrays["numbers"]
        return cls(**matrices, vocabulary=pa.array(words, pa.large_string()), numbers=numbers)

    def _matrices(self) -> dict[str, sparse.csr_matrix]:
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if sparse.issparse(getattr(self, field.name))
        }


def count(table: pa.Table, attributes: tuple[Attribute, ...]) -> Features:
    """Count features of items: columns `title`, `product_type`, `brand` and one for each attribute."""
    words = hashing.split_words(item_texts(table))
    hashes = hashing.hash_words(words)
    _, example, number = np.unique(hashes, return_index=True, return_inverse=True)
    shape = (len(table), len(example))
    has_word = np.diff(words.first) > 0
    pairs, first_of_pair = hashing.hash_pairs(hashes, words)
    ngram, n_ngrams = hash_ngrams(words.take(example))
    return Features(
        words=matrix(words.row, number, shape),
        first_word=matrix(np.flatnonzero(has_word), number[words.first[:-1][has_word]], shape),
        pairs=matrix(words.row[first_of_pair], bucket(pairs), (len(table), BUCKETS)),
        attributes=attribute_features.count(table, attributes, BUCKETS),
        ngrams=matrix(np.repeat(np.arange(len(example)), n_ngrams), bucket(ngram), (len(example), BUCKETS)),
        vocabulary=words.strings(example),
        numbers=attribute_features.numbers(table, attributes),
    )


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
