"""Hashes of words, pairs and n-grams, against what plain Python would find."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from training import hashing

TEXT = st.text(alphabet="ab é語 ")


def split(texts):
    return hashing.split_words(pa.array([text + " " for text in texts], pa.large_string()))


def read(words, start, end):
    return [bytes(words.buffer[a:b]).decode() for a, b in zip(start, end, strict=True)]


@given(st.lists(TEXT, min_size=1))
def test_words_are_those_that_python_would_split(texts):
    words = split(texts)
    assert read(words, words.start, words.end) == [word for text in texts for word in text.split(" ") if word]
    assert np.diff(words.first).tolist() == [len([w for w in text.split(" ") if w]) for text in texts]


@given(st.lists(TEXT, min_size=1))
def test_ngrams_are_those_of_each_padded_word_counted_in_characters(texts):
    words = split(texts)
    expected, counts = [], []
    for word in (word for text in texts for word in text.split(" ") if word):
        padded = f" {word} "
        of_word = [padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1)]
        expected += of_word
        counts.append(len(of_word))
    start, end, count = hashing.ngrams(words, 3, 5)
    assert (read(words, start, end), count.tolist()) == (expected, counts)


@given(st.lists(TEXT, min_size=1), st.data())
def test_words_in_a_buffer_of_their_own_are_the_same_words(texts, data):
    words = split(texts)
    n = len(words.start)
    some = words.take(np.flatnonzero(data.draw(st.lists(st.booleans(), min_size=n, max_size=n))))
    alone = some.alone()
    read_all = read(some, some.start, some.end)
    assert read(alone, alone.start, alone.end) == read_all
    assert alone.buffer.tobytes().decode() == " " + "".join(word + " " for word in read_all)


@given(st.lists(TEXT, min_size=1))
def test_a_word_has_one_hash_wherever_it_stands_and_pairs_keep_to_their_text(texts):
    words = split(texts)
    hashes = hashing.hash_words(words)
    by_word = {}
    for word, value in zip(read(words, words.start, words.end), hashes.tolist(), strict=True):
        assert by_word.setdefault(word, value) == value
    assert len(set(by_word.values())) == len(by_word)
    _, first = hashing.hash_pairs(hashes, words)
    assert np.array_equal(words.row[first], words.row[first + 1] if len(first) else [])
    assert len(first) == np.maximum(np.diff(words.first) - 1, 0).sum()


def test_hashes_never_change_because_stored_models_are_read_by_them():
    words = split(["wasserkocher 1.5 ltr", "電 気"])
    hashes = hashing.hash_words(words)
    pairs, _ = hashing.hash_pairs(hashes, words)
    assert [f"{value:x}" for value in [*hashes.tolist(), *pairs.tolist()]] == GOLDEN


GOLDEN = [
    "15eacc18654ab88e",
    "329f63f3e9b8cc88",
    "99403f939cc010a4",
    "62e3798bc2cd7850",
    "c20523ac751614af",
    "46a5112ca3594141",
    "7aa921fa24ca6f0c",
    "49c1f2a5179c7c84",
]
