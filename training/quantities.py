"""Numbers with units: `3 kW` and `3000 w` are one quantity, and 2,9 kW is near it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Integers
from training import hashing

# Unit, as folded: its kind, and how much of the kind's smallest unit it is.
UNITS = {
    "mw": ("power", 0.001), "w": ("power", 1), "watt": ("power", 1), "kw": ("power", 1000),
    "mm": ("length", 1), "cm": ("length", 10), "m": ("length", 1000),
    "zoll": ("length", 25.4), "inch": ("length", 25.4),
    "mg": ("mass", 0.001), "g": ("mass", 1), "gr": ("mass", 1), "kg": ("mass", 1000),
    "ml": ("volume", 1), "cl": ("volume", 10), "l": ("volume", 1000),
    "liter": ("volume", 1000), "litre": ("volume", 1000),
    "v": ("voltage", 1), "volt": ("voltage", 1), "mah": ("charge", 1), "ah": ("charge", 1000),
    "gb": ("memory", 1), "tb": ("memory", 1000), "lm": ("light", 1), "lumen": ("light", 1),
}  # fmt: skip
_KINDS = sorted({kind for kind, _ in UNITS.values()})
_NAMES = "|".join(sorted(UNITS, key=len, reverse=True))
_APART = rf"([0-9]) +({_NAMES})( |$)"
_WORD = rf"^(?P<number>[0-9]{{1,9}}(?:\.[0-9]{{1,6}})?)(?P<unit>{_NAMES})$"
STEPS_PER_DOUBLING = 2


def join_units(texts: pa.Array) -> pa.Array:
    """Put a number and the unit after it into one word: `3 kw` becomes `3kw`. The texts are folded."""
    apart = pc.match_substring_regex(texts, _APART)
    if not pc.any(apart).as_py():
        return texts
    return pc.replace_with_mask(
        texts, apart, pc.replace_substring_regex(texts.filter(apart), _APART, r"\1\2\3")
    )


def hash_quantities(words: hashing.Words) -> tuple[hashing.Hashes, Integers]:
    """Hash of kind and size of each word that is a quantity, and the word's index, both `(n_quantities,)`.

    Sizes within a factor of about 1.4 share a hash.
    """
    first = words.buffer[words.start]
    candidate = np.flatnonzero((first >= ord("0")) & (first <= ord("9")))
    parsed = pc.extract_regex(words.strings(candidate), _WORD)
    found = np.flatnonzero(pc.is_valid(parsed).to_numpy(zero_copy_only=False))
    number, unit = (parsed.take(found).field(i).to_pylist() for i in (0, 1))
    kind = np.array([_KINDS.index(UNITS[name][0]) for name in unit], np.int64)
    size = np.array([float(n) * UNITS[name][1] for n, name in zip(number, unit, strict=True)])
    step = np.rint(np.log2(np.maximum(size, 2.0**-20)) * STEPS_PER_DOUBLING).astype(np.int64)
    return hashing.mix((kind * 1000 + step + 500).astype(np.uint64)), candidate[found]
