import numpy as np
import pyarrow as pa
import pytest
from synthetic_group import items

from inference.predict import Labeller
from processing.container import run
from training import features, fitting, model, train
from training.channels import channel, read_codebook, read_training_set
from training.hyperparameters import parser


@pytest.fixture
def labeller(job):
    run(train.main, ["-C", "0.5", "--min_df", "2"])
    return Labeller(model.load(job / "model"))


def test_the_tables_score_what_training_scored(labeller, job):
    """Known and unknown words, quantities, attributes and empty texts: only the rounding of weights may
    differ.
    """
    book = read_codebook(channel("codebook"))
    given = read_training_set(book)
    fitted = fitting.fit(
        given, np.ones(len(given.labels), bool), parser("").parse_args(["-C", "0.5", "--min_df", "2"])
    )
    table = items(400, 5)
    served, known_share, n_words = labeller.margins(table)
    trained, trained_share = margins_of_new_items(fitted, given, table, book)
    np.testing.assert_allclose(served, trained, atol=0.02)
    np.testing.assert_allclose(known_share, trained_share, atol=1e-6)
    assert (served.argmax(axis=1) == trained.argmax(axis=1)).mean() > 0.99
    assert n_words.min() >= 2


def margins_of_new_items(fitted, given, table, book):
    """Score as in training: items counted together with the training rows have the same vocabulary."""
    everything = pa.concat_tables([TRAIN(given, book), table], promote_options="permissive")
    counted = features.count(everything, book.attributes)
    old = np.asarray(given.features.vocabulary.to_pylist(), object)
    new = np.asarray(counted.vocabulary.to_pylist(), object)
    place = {word: i for i, word in enumerate(new)}
    parts = dict(fitted.weighting.parts)
    for name in ("words", "first_word"):
        columns = np.array([place[word] for word in old[parts[name].columns]], np.int32)
        parts[name] = type(parts[name])(columns, parts[name].idf)
    weighting = type(fitted.weighting)(parts, fitted.weighting.word_weight)
    rows = counted[np.arange(len(everything) - len(table), len(everything))]
    return weighting.apply(rows) @ fitted.weights + fitted.intercepts, weighting.known_share(rows)


def TRAIN(given, book):
    from training.channels import read_rows

    return pa.concat_tables([read_rows(channel("train")), read_rows(channel("validation"))])


def test_threads_and_chunks_do_not_change_an_answer(labeller, monkeypatch):
    table = items(500, 6)
    whole = labeller.label(table)
    monkeypatch.setattr("inference.predict.CHUNK", 64)
    for threads in (1, 3):
        parts = labeller.label(table, threads=threads)
        np.testing.assert_array_equal(whole.codes, parts.codes)
        np.testing.assert_array_equal(whole.confidence, parts.confidence)
