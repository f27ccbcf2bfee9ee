"""Hashes of all words and of all character n-grams of a whole batch of texts, with numpy alone.

Every byte stands for a fixed random number; the hash of a stretch of bytes is the polynomial of those numbers
modulo 2^64 (Karp and Rabin, 1987). With the running sum over the whole batch, the hash of any stretch is one
subtraction and one multiplication, so there is no Python loop over texts, words or n-grams.

The numbers below decide what a stored model means: they never change.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from processing.arrays import Integers

Hashes = NDArray[np.uint64]
SPACE = ord(" ")
_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 2**64)
_SECOND_WORD = np.uint64(0xC2B2AE3D27D4EB4F)


def mix(hashes: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al., 2014): each bit out depends on every bit in."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


_NUMBER_OF_BYTE = mix(np.arange(1, 257, dtype=np.uint64))


@lru_cache(maxsize=4)
def _powers(length: int) -> tuple[Hashes, Hashes]:
    """Powers 0 to length - 1 of the base and of its inverse modulo 2^64, each `(length,)`."""
    base, inverse = (np.full(length, number, np.uint64) for number in (_BASE, _INVERSE))
    base[0] = inverse[0] = 1
    return np.multiply.accumulate(base), np.multiply.accumulate(inverse)


@dataclass(frozen=True)
class Words:
    """The words of a batch of texts, in order.

    Attributes:
        buffer: the bytes of all texts, each word with a space on either side, `(n_bytes,)`, uint8.
        start: where each word's bytes begin in `buffer`, `(n_words,)`.
        end: where they end, `(n_words,)`.
        first: word `first[i]` to word `first[i + 1]` are those of text i, `(n_texts + 1,)`.
    """

    buffer: NDArray[np.uint8]
    start: Integers
    end: Integers
    first: Integers

    @property
    def row(self) -> Integers:
        """The text each word is in, `(n_words,)`."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))

    def strings(self, which: Integers) -> pa.Array:
        """The words with the given indices, as a `large_string` array."""
        return _gather(self.buffer, self.start[which], self.end[which])

    def take(self, which: Integers) -> "Words":
        """The words with the given indices, as if each were a text of its own; the buffer stays the same."""
        return Words(self.buffer, self.start[which], self.end[which], np.arange(len(which) + 1))

    def alone(self) -> "Words":
        """The same words in a buffer that holds nothing else."""
        length = self.end - self.start + 1  # with the space after it
        end = np.cumsum(length)
        source = np.arange(length.sum()) + np.repeat(self.start - end + length, length)
        buffer = np.append(np.uint8(SPACE), self.buffer[source])
        return Words(buffer, end - length + 1, end, self.first)


def split_words(texts: pa.LargeStringArray) -> Words:
    """The words of texts from processing/dataset/text.py `fold`, each of which must end with a space."""
    given, offsets = bytes_of(texts)
    buffer = np.concatenate([np.array([SPACE], np.uint8), given])
    is_space = buffer == SPACE
    edges = np.flatnonzero(is_space[1:] != is_space[:-1]) + 1
    start, end = edges[0::2], edges[1::2]
    return Words(buffer, start, end, np.searchsorted(start, offsets + 1))


def bytes_of(texts: pa.LargeStringArray) -> tuple[NDArray[np.uint8], Integers]:
    """The texts' bytes, `(n_bytes,)`, and where in them each begins and the last ends, `(n_texts + 1,)`."""
    _, offsets, data = texts.buffers()
    offsets = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(data or b"", np.uint8)[offsets[0] : offsets[-1]], offsets - offsets[0]


def running_sum(buffer: NDArray[np.uint8]) -> Hashes:
    """Sum of all terms before each byte, `(n_bytes + 1,)`, uint64."""
    powers, _ = _powers(_capacity(len(buffer)))
    terms = _NUMBER_OF_BYTE[buffer]
    terms *= powers[: len(buffer)]
    total = np.zeros(len(buffer) + 1, np.uint64)
    np.cumsum(terms, out=total[1:])
    return total


def hash_stretches(total: Hashes, start: Integers, end: Integers) -> Hashes:
    """Hash of the bytes from `start` to `end` (exclusive), wherever they are in the batch: `(n,)`, uint64."""
    _, inverses = _powers(_capacity(len(total) - 1))
    return mix((total[end] - total[start]) * inverses[start])


def hash_words(words: Words) -> Hashes:
    """Hash of each word, `(n_words,)`, uint64."""
    return hash_stretches(running_sum(words.buffer), words.start, words.end)


def hash_pairs(hashes: Hashes, words: Words) -> tuple[Hashes, Integers]:
    """Hash of each two neighbouring words of a text, and the first one's index, both `(n_pairs,)`."""
    last = np.zeros(len(hashes) + 1, bool)
    last[words.first[1:]] = True  # a text begins after a last word
    first_word = np.flatnonzero(~last[1:])
    return mix(hashes[first_word] * _SECOND_WORD + hashes[first_word + 1]), first_word


def ngrams(words: Words, shortest: int, longest: int) -> tuple[Integers, Integers, NDArray[np.int64]]:
    """Where the character n-grams of each word are; the space on either side counts as part of the word.

    Returns:
        Start and end (bytes in `buffer`), each `(n_ngrams,)`, and how many each word has, `(n_words,)`. The
        n-grams are in the order of the words.
    """
    character = np.flatnonzero((words.buffer & 0xC0) != 0x80)
    before = np.searchsorted(character, words.start) - 1
    after = np.searchsorted(character, words.end) + 1
    character = np.append(character, len(words.buffer))
    lengths = np.arange(shortest, longest + 1)
    count = np.maximum((after - before)[:, None] - lengths + 1, 0)
    flat = count.ravel()
    first = np.repeat(before, len(lengths)) - (np.cumsum(flat) - flat)
    begin = np.arange(flat.sum()) + np.repeat(first, flat)
    stop = begin + np.repeat(np.tile(lengths, len(before)), flat)
    return character[begin], character[stop], count.sum(axis=1)


def _gather(buffer: NDArray[np.uint8], start: Integers, end: Integers) -> pa.Array:
    length = end - start
    offsets = np.concatenate([[0], np.cumsum(length)])
    source = np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], length)
    data = pa.py_buffer(np.ascontiguousarray(buffer[source]))
    return pa.Array.from_buffers(pa.large_string(), len(start), [None, pa.py_buffer(offsets), data])


def hash_whole(texts: pa.LargeStringArray) -> Hashes:
    """Hash of each text as a whole, `(n_texts,)`, uint64."""
    buffer, offsets = bytes_of(texts)
    return hash_stretches(running_sum(buffer), offsets[:-1], offsets[1:])


def _capacity(length: int) -> int:
    """The next power of two, so that few tables of powers are ever made."""
    return 1 << max(length, 1).bit_length()
