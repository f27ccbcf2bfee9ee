"""Labels for batches: as training scores, whatever the threads, the chunks and the order of columns."""

import numpy as np
import pyarrow as pa

from inference import lookup
from processing.codes import codebook as codebooks
from tests.training.synthetic_group import SETTING, codebook, items
from training import features, fitting, training_set
from training.channels import read_rows
from training.hyperparameters import parser

OPTIONS = parser("").parse_args(SETTING)
SOME = pa.table(
    {
        "title": ["", "Toastr 1,5 kw", "Bohrmaschine 電気", "!", "Laptop Laptop laptop"],
        "brand": [None, "", "Nordwind", "", ""],
        "product_type": ["", "", "", "", "unbekannt"],
        "weight_kg": [None, 0.0, -1.0, 5.0, None],
        "material": [None, "steel", "new", "", None],
        "text_key": ["0" * 16] * 5,
        "label": ["1"] * 5,
    }
)


def test_the_tables_score_as_training_scores(labeller, trained):
    """Known and unknown words, quantities, attributes, empty texts: only the weights' rounding may differ."""
    book = codebooks.parse(codebook())
    data = trained / "input" / "data"
    known = [read_rows(data / "train"), read_rows(data / "validation")]
    new = pa.concat_tables([items(400, 5), SOME], promote_options="permissive")
    # Counted together with the training rows, new items have the same vocabulary; they are not learned from.
    given = training_set.of_rows(
        [pa.concat_tables([*known, new], promote_options="permissive")], book.attributes, "123"
    )
    is_new = np.arange(len(given.labels)) >= 800
    fitted = fitting.fit(given, ~is_new, OPTIONS)
    expected = fitted.margins(given.features[is_new])
    margins, known_share, n_words = labeller.margins(new, features.item_texts(new))
    np.testing.assert_allclose(margins, expected, atol=0.02)
    np.testing.assert_allclose(known_share, fitted.weighting.known_share(given.features[is_new]), atol=1e-6)
    np.testing.assert_array_equal(n_words, np.asarray(given.features[is_new].words.sum(axis=1)).ravel())


def test_threads_and_chunks_do_not_change_an_answer(labeller, monkeypatch):
    table = items(500, 6)
    whole = labeller.label(table)
    monkeypatch.setattr("inference.predict.CHUNK", 64)
    for threads in (1, 3):
        parts = labeller.label(table, threads=threads)
        np.testing.assert_array_equal(whole.codes, parts.codes)
        np.testing.assert_array_equal(whole.confidence, parts.confidence)


def test_every_known_hash_is_found_and_no_other_even_where_slots_collide():
    rng = np.random.default_rng(0)
    known = np.unique(rng.integers(0, 2**63, 20_000, dtype=np.uint64) | np.uint64(0xFFF << 52))
    index = lookup.HashIndex(known)
    np.testing.assert_array_equal(index.find(known), np.arange(len(known)))
    others = np.setdiff1d(rng.integers(0, 2**63, 5_000, dtype=np.uint64) | np.uint64(0xFFF << 52), known)
    assert (index.find(others) == index.missing).all()
    assert lookup.HashIndex(known[:0]).find(others).tolist() == [0] * len(others)


def test_an_item_is_described_alike_whatever_the_order_of_its_columns(labeller):
    table = items(30, 7)
    turned = table.select(table.column_names[::-1])
    np.testing.assert_array_equal(labeller.label(table).confidence, labeller.label(turned).confidence)
    assert features.item_texts(table) == features.item_texts(turned)
