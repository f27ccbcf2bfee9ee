"""Why this code: what spoke for the first code and against the second.

The score of a linear model is a sum, so the difference of two codes' scores is one over words, pairs and
attributes. Nothing is approximated: the terms and the bias add up to the margin between the two codes. Of
a boosted model, it is the linear part that is explained: trees have no such terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from inference import jsonlines
from inference.predict import Labeller
from inference.tables import finish, sum_runs
from processing.arrays import Floats
from training import attributes, features, hashing
from training.features import BUCKETS


@dataclass(frozen=True)
class Reason:
    """One word, pair of words or attribute: how far it moved the item from the second code towards the first.

    Attributes:
        kind: `word` (with its n-grams and its place as first word), `pair` or `attribute`.
        text: the word, the pair, or `name=value`, as the model read it.
        weight: positive where it spoke for the first code, negative where for the second.
        known: whether the word as such was in the training rows; an unknown one speaks through its n-grams.
    """

    kind: str
    text: str
    weight: float
    known: bool


@dataclass(frozen=True)
class Explanation:
    """The two best codes of an item, and every reason between them, the strongest first."""

    code: str
    second_code: str
    confidence: float
    second_confidence: float
    review: bool
    bias: float
    reasons: tuple[Reason, ...]


def explain(labeller: Labeller, item: Mapping[str, str | float | None]) -> Explanation:
    """Explain the label of one item.

    `item` has `title` and, where known, `brand`, `product_type` and the model's attributes.
    """
    table = as_table(labeller, item)
    prediction = labeller.label(table)
    first, second = prediction.codes[0, :2]
    reasons = [*_words(labeller, table, first, second), *_attributes(labeller, table, first, second)]
    reasons = [reason for reason in reasons if reason.weight != 0]
    return Explanation(
        code=labeller.model.codes[first],
        second_code=labeller.model.codes[second],
        confidence=float(prediction.confidence[0, 0]),
        second_confidence=float(prediction.confidence[0, 1]),
        review=bool(prediction.review[0]),
        bias=float(labeller.model.intercepts[first] - labeller.model.intercepts[second]),
        reasons=tuple(sorted(reasons, key=lambda reason: -abs(reason.weight))),
    )


def as_table(labeller: Labeller, item: Mapping[str, str | float | None]) -> pa.Table:
    """The item as a table of one row; absent fields are missing, numbers may be given as text.

    Raises:
        ValueError: for a field that the model does not know, and for a number that is none.
    """
    fields = jsonlines.schema(labeller.model.attributes)
    unknown = sorted(set(item) - set(fields.names))
    if unknown:
        raise ValueError(
            f"{unknown[0]} is not a field of this model. Fix: use some of {', '.join(fields.names)}."
        )
    columns = {}
    for field in fields:
        value = item.get(field.name)
        try:
            value = float(value) if field.type == pa.float64() and value is not None else value
        except ValueError:
            raise ValueError(f"{field.name} must be a number, not {value}. Fix: write it like 1.4.") from None
        columns[field.name] = pa.array([value], field.type)
    return pa.table(columns)


def _words(labeller: Labeller, table: pa.Table, first: int, second: int) -> list[Reason]:
    t, n_codes = labeller.tables, len(labeller.model.codes)
    words = hashing.split_words(features.item_texts(table))
    n_words = len(words.start)
    if n_words == 0:
        return []
    hashes = hashing.hash_words(words)
    number = t.index.find(hashes)
    ngram, n_ngrams = features.hash_ngrams(words)
    bucket = features.bucket(ngram)
    ngrams = sum_runs(t.ngrams, t.ngram_row[bucket], n_ngrams)[:, : n_codes + 1]
    first_ngrams = sum_runs(t.first_ngrams, t.first_ngram_row[bucket], n_ngrams)[:1]
    pair_hashes, _ = hashing.hash_pairs(hashes, words)
    pairs = t.pairs[t.pair_row[features.bucket(pair_hashes)]]
    singles = t.words[number][:, : n_codes + 1].copy()
    singles[0] += t.first_words[number[0]][: n_codes + 1]

    def lead(scores: Floats, squares: float, weight: float) -> Floats:
        difference: Floats = (scores[:, first] - scores[:, second]) * weight / np.sqrt(squares or 1)
        return difference

    word_squares = singles[:, -1].sum() + pairs[:, -1].sum()
    weighting = labeller.model.weighting
    word_weight, first_word_weight = weighting.word_weight, weighting.first_word_weight
    of_word = lead(singles, word_squares, word_weight) + lead(ngrams, ngrams[:, -1].sum(), 1.0)
    of_word[0] += lead(finish(first_ngrams, first_word_weight), 1.0, 1.0)[0]
    of_pair = lead(pairs, word_squares, word_weight)
    texts = words.strings(np.arange(n_words)).to_pylist()
    known = number != t.index.missing
    reasons = [Reason("word", texts[i], float(of_word[i]), bool(known[i])) for i in range(n_words)]
    pair_texts = [f"{texts[i]} {texts[i + 1]}" for i in range(n_words - 1)]
    return reasons + [Reason("pair", text, float(of_pair[i]), True) for i, text in enumerate(pair_texts)]


def _attributes(labeller: Labeller, table: pa.Table, first: int, second: int) -> list[Reason]:
    t = labeller.tables
    reasons: list[Reason] = []
    columns, values, names = [], [], []
    for attribute in labeller.model.attributes:
        column, value = attributes.hash_attributes(table, (attribute,), BUCKETS)
        columns.append(t.attributes[t.attribute_row[column[0]]] * value[0][:, None])
        values.append(table[attribute.name][0].as_py())
        names.append(attribute.name)
    if not columns:
        return reasons
    squares = sum(rows[:, -1].sum() for rows in columns)
    for name, value, rows in zip(names, values, columns, strict=True):
        weight = (rows[:, first] - rows[:, second]).sum() / np.sqrt(squares or 1)
        text = f"{name}={'missing' if value is None else value}"
        reasons.append(Reason("attribute", text, float(weight), bool(rows[:, -1].any())))
    return reasons
