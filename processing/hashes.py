"""A number for each text, by pandas' SipHash: the same in every run, on every machine."""

import pandas as pd
import pyarrow as pa

from processing.arrays import Hashes


def hashes(texts: pa.Array | pa.ChunkedArray, key: str | None = None) -> Hashes:
    """Hashes of texts, (n,): other texts have another one, but for one pair in 2 ** 64.

    `key`: 16 letters; with another one all hashes are others.
    """
    # Arrow's bytes are what is hashed. As str each would be decoded for nothing, and encoded again.
    kind = pa.large_binary() if pa.types.is_large_string(texts.type) else pa.binary()
    values = texts.cast(kind).to_numpy(zero_copy_only=False)
    # Not `categorize`: to find the different texts first takes longer, unless most of them repeat.
    found: Hashes = pd.util.hash_array(values, categorize=False, **({"hash_key": key} if key else {}))
    return found
