"""Features: the same in any batch, and the same for ever."""

import hashlib
import itertools

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from processing.codes.codebook import Attribute
from processing.dataset.text import fold
from tests.training.synthetic_group import ATTRIBUTES, items
from training import attributes, features, weighting
from training.features import Features
from training.quantities import join_units

DECLARED = tuple(Attribute(a["name"], a["type"]) for a in ATTRIBUTES)


def table(*titles):
    empty = [""] * len(titles)
    return pa.table({"title": pa.array(titles, pa.string()), "brand": empty, "product_type": empty})


def dense(matrix):
    return matrix.toarray()


def in_buckets(matrix, buckets):
    """The same with a column for each bucket."""
    shape = (matrix.shape[0], features.BUCKETS)
    return sparse.csr_matrix((matrix.data, buckets[matrix.indices], matrix.indptr), shape=shape)


def hashed(counted, name):
    return in_buckets(getattr(counted, f"{name}s"), getattr(counted, f"{name}_buckets"))


def test_features_are_the_same_in_any_batch():
    rows = items(40, 3)
    together = weighting.fit(features.count(rows, DECLARED), 1, 1.0, 0.7)
    counted = features.count(rows, DECLARED)
    alone = features.count(rows.slice(7, 1), DECLARED)
    for name in ("pair", "attribute"):
        assert (hashed(counted, name)[[7]] != hashed(alone, name)).nnz == 0
    ngrams = (counted.words[[7]] @ hashed(counted, "ngram")) != (alone.words @ hashed(alone, "ngram"))
    assert ngrams.nnz == 0
    assert len(together.parts["words"].columns)


def test_an_items_text_is_its_folded_fields_joined():
    """Each field begins or ends with what could join its neighbour: marks, digits, points, units."""
    ends = ["", None, "1,", "5", ".5 kW", "\u0301É", "e", "ﬁ ½", "漢", "Straße\x1f", "\u212a 3", "w"]
    rows = list(itertools.product(ends, repeat=3))
    titles, types, brands = (pa.array(column, pa.string()) for column in zip(*rows, strict=True))
    given = pa.table({"brand": brands, "title": titles, "product_type": types})
    folded = zip(*(fold(column).to_pylist() for column in (titles, types, brands)), strict=True)
    expected = join_units(pa.array([" ".join(fields) + " " for fields in folded], pa.large_string()))
    assert features.item_texts(given).to_pylist() == expected.to_pylist()


def test_each_block_has_its_length_where_no_word_repeats():
    counted = features.count(table("red kettle", "blue iron", "red iron"), ())
    fitted = weighting.fit(counted, 1, 1.5, 0.3)
    weighted = fitted.apply(counted)
    ends = np.cumsum([len(fitted.parts[name].columns) for name in weighting.PARTS])
    for start, end, length in (
        (0, ends[2], 1.5),
        (ends[2], ends[3], 1),
        (ends[3], ends[4], 0.3),
    ):
        block = weighted[:, start:end].toarray()
        np.testing.assert_allclose(np.linalg.norm(block, axis=1), length, atol=1e-5)


def test_each_row_is_to_the_bit_what_products_of_matrices_make_of_it():
    """Also the order of its columns: margins are sums of floats in that order."""
    counted = features.count(items(60, 3), DECLARED)
    fitted = weighting.fit(counted[np.arange(60) < 45], 2, 0.9, 0.4)
    used = {
        name: counts[:, fitted.parts[name].columns]
        for name, counts in {
            "words": counted.words,
            "pairs": counted.pairs,
            "first_word": counted.first_word,
            "ngrams": counted.ngrams,
            "first_ngrams": counted.ngrams,
            "attributes": counted.attributes,
        }.items()
    }
    blocks = []
    for names, weight, of in (
        (("words", "pairs", "first_word"), 0.9, None),
        (("ngrams",), 1.0, counted.words),
        (("first_ngrams",), 0.4, counted.first_word),
        (("attributes",), 1.0, None),
    ):
        squares = sum(used[name] @ fitted.parts[name].idf ** 2 for name in names)
        block = sparse.hstack([used[name] @ sparse.diags(fitted.parts[name].idf) for name in names], "csr")
        if of is not None:
            squares, block = of @ squares, of @ block
        scale = weight / np.sqrt(np.where(squares > 0, squares, 1))
        blocks.append(sparse.diags(scale.astype(np.float32)) @ block)
    expected, found = sparse.hstack(blocks, "csr", np.float32), fitted.apply(counted)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


def test_a_first_word_counts_within_the_words_by_its_own_weight():
    counted = features.count(table("red kettle", "blue iron", "red iron"), ())
    usual, half = (
        np.sort(weighting.fit(counted, 1, 1.0, weight).parts["first_word"].idf) for weight in (0.7, 0.35)
    )
    np.testing.assert_allclose(usual, np.log([4 / 3, 4 / 2]) + 1, rtol=1e-6)  # red twice, blue once
    np.testing.assert_allclose(half, usual / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Kettle 3 kW", "kettle 3kw"), ("TV 50 cm", "tv 50cm"), ("Pumpe 1,5 l", "pumpe 1.5l")],
)
def test_a_number_and_its_unit_are_one_word(one, other):
    assert (
        features.item_texts(table(one)).to_pylist()[0].split()
        == features.item_texts(table(other)).to_pylist()[0].split()
    )


def test_quantities_of_the_same_size_share_a_feature_whatever_the_unit():
    counted = features.count(table("2 kw", "2000 w", "9 w", "2 kg"), ())
    shared = dense(counted.words @ counted.ngrams)
    same = [np.minimum(shared[0], shared[i]).sum() for i in (1, 2, 3)]
    assert same[0] >= 1
    assert same[1] == 0


def test_min_df_leaves_out_what_only_one_item_has():
    counted = features.count(table("red kettle", "red toaster"), ())
    words = counted.vocabulary.to_pylist()
    assert [words[i] for i in weighting.fit(counted, 2, 1.0, 0.7).parts["words"].columns] == ["red"]


def test_numbers_lie_between_two_steps_and_missing_zero_and_negative_ones_have_their_own():
    lower, share = attributes.steps(np.array([1.0, 2.0, 2.4, np.nan, 0.0, -1.0, np.inf, 1e300]))
    assert lower[1] - lower[0] == attributes.STEPS_PER_DOUBLING
    assert (lower[2], 0 < share[2] < 1) == (lower[1], True)
    assert len({*lower[[0, 3, 4, 5]].tolist()}) == 4
    assert lower[6] == lower[3]
    assert share[[0, 1, 3, 4]].tolist() == [0, 0, 0, 0]


def test_categories_are_compared_folded_and_missing_is_a_value():
    rows = pa.table({"material": pa.array(["Steel", "steel ", None, "wood"])})
    counted = attributes.count(rows, (Attribute("material", "category"),), 2**20)
    columns = counted.indices
    assert len(set(columns.tolist())) >= 3


def test_features_never_change_because_stored_models_are_made_of_them():
    """Text of every kind, attributes of every kind; the digest is the same on every machine."""
    titles = [
        "Wasserkocher 1,5 l 3 kW",
        "Βραστήρας ΝΕΟΣ",
        "Чайник № 5",
        "غلاية كهربائية",
        "电热水壶 白色",
        "กาต้มน้ำไฟฟ้า",
        "",
    ]
    rows = table(*titles).append_column("weight_kg", pa.array([1.5, 0.0, -2.0, None, 1e9, 3.0, 0.1]))
    rows = rows.append_column("material", pa.array(["Steel", None, "wood", "", "PP", "steel", "Glas"]))
    counted = features.count(rows, DECLARED)
    digest = hashlib.sha256("\n".join(counted.vocabulary.to_pylist()).encode())
    for name in ("words", "first_word", "pairs", "attributes", "ngrams"):
        block = getattr(counted, name)
        if name in ("pairs", "attributes", "ngrams"):
            block = hashed(counted, name.removesuffix("s"))
        for part in (block.indptr, block.indices, np.rint(block.data * 10_000)):
            digest.update(part.astype(np.int64).tobytes())
    assert digest.hexdigest()[:16] == GOLDEN


GOLDEN = "34a4c0baa293883d"


def test_features_survive_their_file(tmp_path):
    counted = features.count(items(30, 3), DECLARED)
    counted.save(tmp_path / "features.npz")
    read = Features.load(tmp_path / "features.npz")
    assert read.vocabulary == counted.vocabulary
    for name in ("pair_buckets", "attribute_buckets", "ngram_buckets"):
        np.testing.assert_array_equal(getattr(read, name), getattr(counted, name))
    for name in ("words", "first_word", "pairs", "attributes", "ngrams", "item_ngrams"):
        assert (getattr(read, name) != getattr(counted, name)).nnz == 0
