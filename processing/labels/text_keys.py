"""What Prepare knows of each item and the model need not see: `text_key`; of a test set also the truth."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.errors import NotReconciled
from processing.labels.reconcile import START_AGAIN

BATCH_ROWS = 100_000


class TextKeys:
    """The file `truth.parquet`, read along with the items as long as it has them in the same order."""

    def __init__(self, path: Path, *, test_set: bool) -> None:
        """Raises NotReconciled if a label of a test set is missing."""
        self._path = path
        self._names = {"text_key": "text_key"}
        if test_set:
            self._names |= {"truth": "label", "title": "title", "since": "since"}
            label = pq.read_table(path, columns=["label"])["label"]
            if label.null_count:
                raise NotReconciled(
                    f"{label.null_count} of {len(label)} test items have no label; nothing is published.",
                    START_AGAIN,
                )
        self._columns = ["item_id", *self._names.values()]
        self._file = pq.ParquetFile(path, pre_buffer=False)
        self._batches = self._file.iter_batches(BATCH_ROWS, columns=self._columns)
        self._left = self._file.schema_arrow.empty_table().select(self._columns)

    def added(self, some: pa.Table) -> pa.Table:
        """Items with their columns `text_key`, and for a test set `truth`, `title`, `since`."""
        found = self._next(len(some))
        if not found["item_id"].equals(some["item_id"]):
            found = self._anywhere(some["item_id"])
        for name, column in self._names.items():
            some = some.append_column(name, found[column])
        return some

    def check(self, items: int) -> None:
        """Raise NotReconciled unless these are the keys of so many items, and of no others."""
        rows = self._file.metadata.num_rows
        if rows != items:
            raise NotReconciled(
                f"There are {rows} text keys for {items} items; nothing is published.", START_AGAIN
            )

    def _next(self, rows: int) -> pa.Table:
        while len(self._left) < rows and (batch := next(self._batches, None)) is not None:
            self._left = pa.concat_tables([self._left, pa.Table.from_batches([batch])])
        found, self._left = self._left.slice(0, rows), self._left.slice(rows)
        return found

    def _anywhere(self, ids: pa.ChunkedArray) -> pa.Table:
        known = pq.read_table(self._path, columns=self._columns)
        at = pc.index_in(ids, value_set=known["item_id"].combine_chunks())
        if at.null_count:
            raise NotReconciled(
                f"{at.null_count} of {len(ids)} items have no text key; nothing is published.", START_AGAIN
            )
        return known.take(at)
