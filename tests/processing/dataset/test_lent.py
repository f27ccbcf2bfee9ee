"""When a reader of Arrow's is done, none of its threads has Python's bytes: the process can end."""

import pyarrow as pa
import pyarrow.csv
import pytest

from processing.dataset import lent

ROWS = b"a,b\n" * (1 << 20)
OPTIONS = pyarrow.csv.ReadOptions(block_size=1 << 20, column_names=["a", "b"])
TIMES = 50


def test_an_error_leaves_only_when_no_thread_has_the_bytes_any_more():
    for _ in range(TIMES):
        data = bytearray(b"a,b\na,b,c\n" + ROWS)
        with pytest.raises(pa.ArrowInvalid):
            lent.read(pyarrow.csv.read_csv, data, read_options=OPTIONS)
        data.clear()  # raises BufferError while anybody has them


def test_a_table_is_returned_only_when_no_thread_has_the_bytes_any_more():
    for _ in range(TIMES):
        data = bytearray(b"a,b\n" * 1000)
        table = lent.read(pyarrow.csv.read_csv, data, read_options=OPTIONS)
        data.clear()
        assert table.num_rows == 1000
