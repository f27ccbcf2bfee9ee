"""Bytes of Python's, lent to a thread of Arrow's, and given back before anything else goes on.

Arrow's reader of CSV reads ahead in a thread, also where it is told to use none. When it returns or raises an
error, that may still be at work. A thread that is the last to drop such bytes needs the interpreter for it.
If that is ending by then, as in a job after a refusal, CPython ends the thread and with it, by SIGABRT, the
process, or it hangs
(https://docs.python.org/3.11/c-api/init.html#c.PyGILState_Ensure).
"""

import threading
import weakref
from collections.abc import Callable
from typing import Any

import pyarrow as pa

MOST_SECONDS = 10  # far more than a thread takes for the blocks that it has begun


def read(reader: Callable[..., pa.Table], data: pa.Buffer | bytes | memoryview, **options: Any) -> pa.Table:
    """What one of Arrow's readers makes of the data. It is done when no thread has them any more.

    The reader is called from here, so that no frame of Python's in the error's traceback has the data.
    """
    view = memoryview(data)
    returned = threading.Event()
    last = weakref.ref(view, lambda _: returned.set())
    try:
        return reader(pa.BufferReader(view), **options)
    finally:
        del view
        if last() is not None:
            returned.wait(MOST_SECONDS)
