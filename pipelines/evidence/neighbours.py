"""The labelled rows that are most like given items: a help for who decides, not what decided.

Alike is meant as texts: the cosine of their character n-grams, weighted by rarity (tf-idf), in the
classifier's own normal form. Nothing is read here; training_rows.py has the rows.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from processing.arrays import Floats
from processing.dataset.text import TEXT_COLUMNS, fold, normalise

#: So many similarities at a time: 16 MB as float32.
CELLS = 4_000_000
#: Four letters: compounds and misspelt words meet, and they are few enough for 3,000 items in seconds.
NGRAM = (4, 4)
N_FEATURES = 2**20
#: As floats differ in the last digits from machine to machine, what is shown and sorted by is rounded.
DECIMALS = 3


@dataclass(frozen=True)
class Neighbour:
    """A text of the labelled rows, with its code.

    Attributes:
        item_id: of the first of its rows, by id.
        title: of that row, like `brand` and `product_type`.
        code: the row's label.
        rows: how many rows have this text and code.
        similarity: in [0, 1], three decimals; 1 where the text is the item's.
    """

    item_id: str
    title: str
    brand: str
    product_type: str
    code: str
    rows: int
    similarity: float


def most_alike(items: pa.Table, rows: pa.Table, k: int = 5) -> list[tuple[Neighbour, ...]]:
    """The `k` texts of `rows` that are most like each item, the most alike first.

    Texts that have nothing in common with an item are left out, so there may be fewer. Of equals the
    lower id comes first: the same tables give the same neighbours, whatever the rows' order.

    Args:
        items: columns `title`, `brand`, `product_type` (missing values count as empty), `(n_items,)`.
        rows: the same, and `item_id` and `label`, `(n_rows,)`.
        k: at least 1.

    Returns:
        One tuple for each item, in the items' order.
    """
    if items.num_rows == 0 or rows.num_rows == 0:
        return [()] * items.num_rows
    texts = _distinct(rows)
    of_items, of_texts = _vectors(items, texts)
    known = texts.to_pylist()
    # Each non-zero of an item meets a column of the texts: those are kept as rows of the transposed matrix.
    columns = of_texts.T.tocsr()
    step = max(1, CELLS // len(known))
    found: list[tuple[Neighbour, ...]] = []
    for start in range(0, items.num_rows, step):
        cosine = (of_items[start : start + step] @ columns).toarray()
        found += [_nearest(row, known, k) for row in cosine]
    return found


def _distinct(rows: pa.Table) -> pa.Table:
    """One row for each text and code, by id, with `rows`: how many there are."""
    columns = ["item_id", *TEXT_COLUMNS, "label"]
    rows = rows.select(columns).sort_by([("item_id", "ascending"), ("label", "ascending")])
    keyed = rows
    for name in TEXT_COLUMNS:
        keyed = keyed.append_column(f"{name}_key", normalise(rows[name]))
    keyed = keyed.append_column("place", pa.array(np.arange(rows.num_rows)))
    keys = [f"{name}_key" for name in TEXT_COLUMNS]
    one = keyed.group_by([*keys, "label"]).aggregate([("place", "min"), ("place", "count")])
    one = one.sort_by("place_min")
    return rows.take(one["place_min"]).append_column("rows", one["place_count"])


def _vectors(items: pa.Table, texts: pa.Table) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Weighted n-grams of both, each of length 1, `(n, N_FEATURES)` float32; rarity is among the texts."""
    # Hashed, not a vocabulary: what an item has and no text makes it less like all of them.
    count = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=NGRAM,
        n_features=N_FEATURES,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    counts = count.transform(_joined(texts))
    weigh = TfidfTransformer(sublinear_tf=True).fit(counts)
    return weigh.transform(count.transform(_joined(items))), weigh.transform(counts)


def _joined(table: pa.Table) -> list[str]:
    parts = [fold(table[name]) for name in TEXT_COLUMNS]
    texts: list[str] = pc.binary_join_element_wise(*parts, pa.scalar(" ", pa.large_string())).to_pylist()
    return texts


def _nearest(cosine: Floats, known: list[dict[str, object]], k: int) -> tuple[Neighbour, ...]:
    similarity = np.clip(np.round(cosine.astype(float), DECIMALS), 0, 1)
    # The k-th best, and all that are as good: they are sorted by id, as `known` is.
    bound = np.partition(similarity, -k)[-k] if len(similarity) > k else 0
    places: NDArray[np.intp] = np.flatnonzero((similarity >= bound) & (similarity > 0))
    best = places[np.argsort(-similarity[places], kind="stable")][:k]
    return tuple(_neighbour(known[place], float(similarity[place])) for place in best)


def _neighbour(row: dict[str, object], similarity: float) -> Neighbour:
    texts = {name: str(row[name] or "") for name in ("item_id", *TEXT_COLUMNS)}
    return Neighbour(**texts, code=str(row["label"]), rows=int(str(row["rows"])), similarity=similarity)
