"""Labels for whole batches of items, from strings to codes and calibrated confidence."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import xgboost

from inference import tables
from inference.tables import finish, sum_runs
from processing.arrays import Booleans, Floats, Integers
from training import attributes, confidence, features, hashing, short_list
from training.families import boosted
from training.features import BUCKETS
from training.model import Model

CHUNK = 16_384  # items worked on at once


@dataclass(frozen=True)
class Prediction:
    """Answers for a batch.

    Attributes:
        codes: numbers of the best codes in the model's `codes`, the best first, `(n_items, 3)` (fewer columns
            if the model has fewer codes).
        confidence: the chance that each is right, as `codes`; a row sums to 1 at most.
        review: whether a person must look, `(n_items,)`.
        short_list: numbers of the codes that hold the right one for 95 % of the items that a person sees, the
            best first, `(n_items, 5)`, -1 for none (training/short_list.py).
        short_list_size: how many codes that would take, `(n_items,)`; 0 where one is enough, or not known.
        known_share: share of the text's n-grams that were in the training rows, `(n_items,)`, in [0, 1].
    """

    codes: Integers
    confidence: Floats
    review: Booleans
    short_list: Integers
    short_list_size: Integers
    known_share: Floats


class Labeller:
    """A model ready to label. One object may be used by several threads at a time."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.tables = tables.build(model)

    def label(self, table: pa.Table, threads: int = 1) -> Prediction:
        """Label items.

        Args:
            table: columns `title`, `brand`, `product_type` and the model's attributes, in any order.
            threads: how many to use; numpy, scipy and pyarrow work outside Python's lock.
        """
        texts = features.item_texts(table)
        if threads == 1:
            parts = [self._label(*chunk) for chunk in _chunks(table, texts)]
        else:
            with ThreadPoolExecutor(threads) as pool:
                parts = list(pool.map(lambda chunk: self._label(*chunk), _chunks(table, texts)))
        return Prediction(
            *(np.concatenate([getattr(p, name) for p in parts]) for name in Prediction.__annotations__)
        )

    def _label(self, table: pa.Table, texts: pa.Array) -> Prediction:
        margins, known_share, n_words = self.margins(table, texts)
        codes, values = confidence.best_codes(margins)
        sure = self.model.confidence.of(
            confidence.signals(margins, codes, values, known_share, n_words), codes.shape[1]
        )
        review = sure[:, 0] < self.model.thresholds[codes[:, 0]]
        listed, size = short_list.lists(margins, codes, values, self.model.short_list_gap)
        return Prediction(codes, sure, review, listed, size, known_share)

    def margins(self, table: pa.Table, texts: pa.Array) -> tuple[Floats, Floats, Integers]:
        """Margins `(n_items, n_codes)`, share of known n-grams and number of words, both `(n_items,)`.

        Args:
            table: the items, as `label` takes them.
            texts: the table's `features.item_texts`.
        """
        t, n_codes = self.tables, len(self.model.codes)
        words = hashing.split_words(texts)
        hashes = hashing.hash_words(words)
        number = t.index.find(hashes)
        n_words = np.diff(words.first)
        # The first word of each text; of a text without words none, which adds nothing.
        first_number = np.append(number, t.index.missing)[words.first[:-1]]
        first_number[n_words == 0] = t.index.missing
        first_scores = t.first_words.take(first_number, axis=0)

        sums = sum_runs(t.words, number, n_words)
        block, ngram_sums = sums[:, : n_codes + 1], sums[:, n_codes + 1 :]
        block += self._pair_sums(hashes, words)
        block += first_scores[:, : n_codes + 1]
        first_scores = first_scores[:, n_codes + 1 :]
        self._add_unknown(words, number, ngram_sums, first_scores)

        margins = finish(block, self.model.weighting.word_weight)
        margins += finish(ngram_sums[:, : -tables.COUNTS], 1.0)
        margins += first_scores
        row, value = np.zeros((len(table), 0), np.int32), np.zeros((len(table), 0), np.float32)
        if self.model.attributes:
            column, value = attributes.hash_attributes(table, self.model.attributes, BUCKETS)
            row = t.attribute_row[column]
            margins += finish(
                sum_runs(t.attributes, row.ravel(), np.full(row.shape[0], row.shape[1]), value.ravel()), 1.0
            )
        margins += self.model.intercepts
        if self.model.booster is not None:
            margins = self._refine(self.model.booster, margins, table, row, value)
        return margins, ngram_sums[:, -2] / np.maximum(ngram_sums[:, -1], 1), n_words

    def _refine(
        self, booster: xgboost.Booster, margins: Floats, table: pa.Table, row: Integers, value: Floats
    ) -> Floats:
        """Margins of the boosted candidate.

        `row` and `value` say where each item's attribute features are in their table.
        """
        categories = np.zeros((len(table), len(self.tables.attributes)), np.float32)
        np.add.at(categories, (np.arange(len(table))[:, None], row), value)
        numbers = attributes.numbers(table, self.model.attributes)
        inputs = boosted.inputs(margins, numbers, categories[:, :-1])
        return boosted.margins(booster, inputs)

    def _pair_sums(self, hashes: hashing.Hashes, words: hashing.Words) -> Floats:
        """Scores and squared length of each text's pairs, `(n_items, n_codes + 1)`."""
        t = self.tables
        pairs, _ = hashing.hash_pairs(hashes, words)
        row = t.pair_row[features.bucket(pairs)]
        known = row < len(t.pairs) - 1  # a third of all pairs has no weights
        ends = np.append(0, np.cumsum(np.maximum(np.diff(words.first) - 1, 0)))
        return sum_runs(t.pairs, row[known], np.diff(np.append(0, np.cumsum(known))[ends]))

    def _add_unknown(
        self, words: hashing.Words, number: Integers, ngram_sums: Floats, first_scores: Floats
    ) -> None:
        """Add what words outside the vocabulary say through their n-grams, in place."""
        t = self.tables
        unknown = np.flatnonzero(number == t.index.missing)
        if len(unknown) == 0:
            return
        ngram, n_ngrams = features.hash_ngrams(words.take(unknown))
        bucket = features.bucket(ngram)
        sums = sum_runs(t.ngrams, t.ngram_row[bucket], n_ngrams)
        item = np.searchsorted(words.first, unknown, side="right") - 1
        ngram_sums += sum_runs(sums, np.arange(len(unknown)), np.bincount(item, minlength=len(ngram_sums)))
        is_first = words.first[item] == unknown
        sums = sum_runs(
            t.first_ngrams, t.first_ngram_row[bucket[np.repeat(is_first, n_ngrams)]], n_ngrams[is_first]
        )
        first_scores[item[is_first]] = finish(sums, self.model.weighting.first_word_weight)


def _chunks(table: pa.Table, texts: pa.Array) -> Iterator[tuple[pa.Table, pa.Array]]:
    starts = range(0, max(len(table), 1), CHUNK)
    return ((table.slice(start, CHUNK), texts.slice(start, CHUNK)) for start in starts)
