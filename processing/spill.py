"""Tables that a job has no memory for, on its disk until they are needed again."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa


class Spill:
    """Tables of one schema, read again as often as needed, in the parts in which they were written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pa.RecordBatchStreamWriter | None = None

    def write(self, table: pa.Table) -> None:
        """Add a table."""
        if self._writer is None:
            self._file = pa.OSFile(str(self._path), "wb")
            self._writer = pa.ipc.new_stream(self._file, table.schema)
        columns = [column.combine_chunks() for column in table.columns]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=table.schema))

    def close(self) -> None:
        """End the file, if it is not; nothing can be added any more."""
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            self._writer = None

    def __iter__(self) -> Iterator[pa.Table]:
        """All tables, of which there is one at least; closes it."""
        self.close()
        with pa.OSFile(str(self._path)) as file:
            for batch in pa.ipc.open_stream(file):
                yield pa.Table.from_batches([batch])
