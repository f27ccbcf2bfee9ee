"""From hashes to row numbers, for whole batches."""

import numpy as np
from numpy.typing import NDArray

from processing.arrays import Integers
from training.hashing import Hashes

SLOT_BITS = 20


def bucket_rows(columns: Integers, n_buckets: int) -> NDArray[np.int32]:
    """For each bucket the row of its weights, `(n_buckets,)` int32; `len(columns)`: it has no weights."""
    rows = np.full(n_buckets, len(columns), np.int32)
    rows[columns] = np.arange(len(columns), dtype=np.int32)
    return rows


class HashIndex:
    """Finds 64-bit hashes among known ones.

    A hash's highest bits are its slot, later bits where that is taken.
    """

    def __init__(self, known: Hashes) -> None:
        """Index the hashes `known`: distinct, `(n_known,)` uint64."""
        self._known = np.append(known, known[:1] if len(known) else np.zeros(1, np.uint64))
        self.missing = len(known)
        self._levels: list[NDArray[np.int32]] = []
        left = np.arange(len(known), dtype=np.int32)
        while len(left):
            slots = np.full(1 << SLOT_BITS, self.missing, np.int32)
            slot = self._slot(known[left], len(self._levels))
            slots[slot] = left
            self._levels.append(slots)
            left = left[slots[slot] != left]

    def find(self, hashes: Hashes) -> NDArray[np.int32]:
        """The number of each hash among the known ones, `missing` where it is not one, `(n,)` int32."""
        found = np.full(len(hashes), self.missing, np.int32)
        open_, wanted = np.arange(len(hashes)), hashes
        for level, slots in enumerate(self._levels):
            found[open_] = slots[self._slot(wanted, level)]
            candidate = found[open_]
            open_ = open_[(self._known[candidate] != wanted) & (candidate < self.missing)]
            wanted = hashes[open_]
        found[open_] = self.missing
        return found

    @staticmethod
    def _slot(hashes: Hashes, level: int) -> NDArray[np.int32]:
        shift = np.uint64(
            64 - SLOT_BITS - 7 * level
        )  # seven new bits a level: four levels in practice, at most six
        return ((hashes >> shift) & np.uint64((1 << SLOT_BITS) - 1)).astype(np.int32)
