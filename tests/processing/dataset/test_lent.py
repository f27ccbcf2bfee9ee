"""After an error of Arrow's, none of its threads has Python's bytes: the process can end."""

import pyarrow as pa
import pyarrow.csv
import pytest

from processing.dataset import lent

BROKEN = b"a,b\n" * 2 + b"a,b,c\n" + b"a,b\n" * (1 << 20)
TIMES = 50


def test_an_error_leaves_only_when_no_thread_has_the_bytes_any_more():
    options = pyarrow.csv.ReadOptions(block_size=1 << 20, column_names=["a", "b"])
    for _ in range(TIMES):
        data = bytearray(BROKEN)
        with pytest.raises(pa.ArrowInvalid):
            lent.read(pyarrow.csv.read_csv, data, read_options=options)
        data.clear()  # raises BufferError while anybody has them
