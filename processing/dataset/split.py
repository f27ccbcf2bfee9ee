"""Which rows train, which validate, which test: decided by the row's text alone, for ever.

The key of a row is the hash of its normalised text, salted by the model group. Its place among all keys
decides: the lowest fifth tests. So identical texts fall on one side, and a row that is test today was test
last year.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.arrays import Booleans

TEST_SHARE = 0.20
VALIDATION_SHARE = 0.15


def shares(text_key: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """The place of each key, 16 hex digits, among all keys: shape (n_rows,), in [0, 1)."""
    digits = np.asarray(text_key).astype("S16")
    return np.frombuffer(bytes.fromhex(b"".join(digits).decode()), ">u8") / 2.0**64


def is_test(text_key: pa.Array | pa.ChunkedArray) -> Booleans:
    """Which rows belong to the test set, shape (n_rows,)."""
    return shares(text_key) < TEST_SHARE


def parts(
    text_key: pa.Array | pa.ChunkedArray, label: pa.Array | pa.ChunkedArray, held: Booleans | None = None
) -> dict[str, Booleans]:
    """The masks `train`, `validation`, `test`, shape (n_rows,) each, every row in at most one.

    Rows that are `held`, shape (n_rows,), never train nor validate; those that are test rows stay so.

    A code that would be in validation and not in train could not be learnt before the last fit: its
    validation texts train instead. Test rows never move, so a code that is rare enough may be in the test set
    only.
    """
    place = shares(text_key)
    test = place < TEST_SHARE
    learned = ~test if held is None else ~test & ~held
    validation = learned & (place < TEST_SHARE + VALIDATION_SHARE)
    train = learned & ~validation
    in_validation, in_train = pc.unique(label.filter(validation)), pc.unique(label.filter(train))
    lost = in_validation.filter(pc.invert(pc.is_in(in_validation, in_train)))
    texts = text_key.filter(validation & np.asarray(pc.is_in(label, lost), bool))
    moved = validation & np.asarray(pc.is_in(text_key, pc.unique(texts)), bool)
    return {"train": train | moved, "validation": validation & ~moved, "test": test}
