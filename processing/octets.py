"""The bytes of a column of texts: whether a sign is in any of them is told much faster than in which."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def octets(texts: pa.Array) -> NDArray[np.uint8]:
    """All bytes of the texts, one after the other, for a `string` or `large_string` array."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.zeros(0, np.uint8)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    ends = np.frombuffer(offsets, width)
    return np.frombuffer(data, np.uint8)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def has_any(texts: pa.Array, signs: bytes) -> bool:
    """Whether one of some bytes is in any of the texts."""
    found = octets(texts)
    return any((found == sign).any() for sign in signs)
