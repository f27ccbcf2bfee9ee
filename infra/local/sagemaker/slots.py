"""How many processes do job work at the same time."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.sagemaker.failures import Stopped


class Slots:
    """`count` places, given in the order in which jobs lined up for them."""

    def __init__(self, count: int):
        self._free = count
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def line_up(self) -> object:
        """Join the queue; the ticket is good for one `hold`, or is given back by `leave`."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        return ticket

    def leave(self, ticket: object) -> None:
        """Leave the queue; nothing happens if one is no longer in it."""
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
                self._changed.notify_all()

    @contextmanager
    def hold(self, ticket: object, stopped: threading.Event, at_most: int = 1) -> Iterator[int]:
        """Wait for one's turn, then hold 1 to `at_most` places, as many as are free.

        Raises:
            Stopped: as soon as `stopped` is set (and `wake` called).
        """
        with self._changed:
            self._changed.wait_for(lambda: stopped.is_set() or (self._queue[0] is ticket and self._free > 0))
            taken = 0 if stopped.is_set() else min(at_most, self._free)
            self._free -= taken
            self.leave(ticket)
        if not taken:
            raise Stopped
        try:
            yield taken
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify_all()

    def wake(self) -> None:
        """Let those who wait look whether they were stopped."""
        with self._changed:
            self._changed.notify_all()
