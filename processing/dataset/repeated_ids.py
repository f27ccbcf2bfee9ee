"""Rows that repeat earlier ones, and ids of several rows, in a dataset too large to hold: told by hashes.

It is what rows.py tells of one table. At first 8 bytes a row are kept, of its id; then, of the rows whose
hash another row has, three hashes. Two different rows are taken for one where 128 bits of their ids and 64 of
the rest are equal by chance.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.arrays import Booleans, Hashes
from processing.hashes import hashes

#: The second hash of an id must not be equal where the first is.
OTHER_KEY = "of ids once more"


class RepeatedIds:
    """First all rows are shown to `first_look`, then those of `suspects` to `second_look`, in their order."""

    def __init__(self) -> None:
        self._ids: list[Hashes] = []
        self._looked: list[pd.DataFrame] = []

    def first_look(self, table: pa.Table) -> None:
        """Take note of the ids of some rows."""
        self._ids.append(_hashes(table["item_id"]))

    @cached_property
    def _several(self) -> Hashes:
        """The hashes that more than one row has."""
        ordered = np.concatenate(self._ids)
        self._ids.clear()
        ordered.sort()
        several: Hashes = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        return several

    @property
    def any_suspects(self) -> bool:
        """Whether any rows may share an id; asked for, like `suspects`, once all rows were shown."""
        return bool(len(self._several))

    def suspects(self, table: pa.Table) -> Booleans:
        """Which rows may share their id with another row, shape (n_rows,)."""
        return np.isin(_hashes(table["item_id"]), self._several)

    def second_look(self, file: int, table: pa.Table) -> None:
        """Rows of `suspects`, their numbers read, of the file with that number."""
        ids = table["item_id"]
        self._looked.append(
            pd.DataFrame(
                {
                    "file": np.full(table.num_rows, file, np.int32),
                    "row": table["_row"].to_numpy(),
                    "id": _hashes(ids),
                    "id_again": _hashes(ids, OTHER_KEY),
                    "rest": _rest(table),
                }
            )
        )

    def found(self) -> Callable[[int], Callable[[pa.Table], tuple[Booleans, Booleans]]]:
        """For the number of a file, the `repeats` that rows.problems_of_items takes."""
        if not self._looked:
            return lambda _: lambda table: (np.zeros(table.num_rows, bool),) * 2
        looked = pd.concat(self._looked, ignore_index=True)
        self._looked.clear()
        same = looked.duplicated(["id", "id_again", "rest"]).to_numpy()
        once = looked[~same]
        differing = once[once.duplicated(["id", "id_again"], keep=False)]
        masks = (looked[same], differing)

        def of_file(file: int) -> Callable[[pa.Table], tuple[Booleans, Booleans]]:
            same, differing = (some["row"][some["file"] == file].to_numpy() for some in masks)
            return lambda table: (_are_in(table, same), _are_in(table, differing))

        return of_file


def _are_in(table: pa.Table, rows: NDArray[np.int32]) -> Booleans:
    return np.isin(table["_row"].to_numpy(), rows) if len(rows) else np.zeros(table.num_rows, bool)


def _hashes(texts: pa.ChunkedArray, key: str | None = None) -> Hashes:
    """SipHash of each text; what is missing is as an empty one."""
    return hashes(pc.fill_null(texts, ""), key)


def _rest(table: pa.Table) -> Hashes:
    """One hash of all columns but the id and those that say where a row is from."""
    columns = {}
    for name in table.column_names:
        values = table[name]
        if name == "item_id" or name.startswith("_"):
            continue
        if pa.types.is_floating(values.type):
            columns[name] = pc.fill_null(values, np.nan).to_numpy() + 0.0  # -0.0 is 0.0
        else:
            columns[name] = pc.fill_null(values, "\0").to_numpy(zero_copy_only=False)
    rows = pd.DataFrame(columns)
    hashes: Hashes = pd.util.hash_pandas_object(rows, index=False, categorize=False).to_numpy()
    return hashes
