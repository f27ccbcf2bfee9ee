"""How many processes do job work at the same time, and which of the jobs that wait is next."""

import bisect
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from infra.local.sagemaker.failures import Stopped


@dataclass(order=True)
class Ticket:
    """A place in the queue: the smallest is next."""

    rank: int
    number: int
    called: threading.Condition = field(compare=False)


class Slots:
    """`count` places, given to jobs by rank, and among equals in the order in which they lined up.

    What belongs together has one rank, that of its first job: what began first comes to its end first, so
    that there are results early, and all is done no later.
    """

    def __init__(self, count: int):
        self._free = count
        self._queue: list[Ticket] = []
        self._lock = threading.Lock()
        self._ranks: dict[object, int] = {}
        self._numbers = itertools.count()

    def line_up(self, family: object) -> Ticket:
        """Join the queue as one of a `family`; the ticket is good for one `hold`, or is given to `leave`."""
        with self._lock:
            rank = self._ranks.setdefault(family, len(self._ranks))
            ticket = Ticket(rank, next(self._numbers), threading.Condition(self._lock))
            bisect.insort(self._queue, ticket)
        return ticket

    def leave(self, ticket: Ticket | None) -> None:
        """Leave the queue; nothing happens if one is no longer in it."""
        with self._lock:
            self._leave(ticket)

    @contextmanager
    def hold(self, ticket: Ticket, stopped: threading.Event, at_most: int = 1) -> Iterator[int]:
        """Wait for one's turn, then hold 1 to `at_most` places, as many as are free.

        Raises:
            Stopped: as soon as `stopped` is set (and `wake` called).
        """
        with self._lock:
            ticket.called.wait_for(lambda: stopped.is_set() or (self._queue[0] is ticket and self._free > 0))
            taken = 0 if stopped.is_set() else min(at_most, self._free)
            self._free -= taken
            self._leave(ticket)
        if not taken:
            raise Stopped
        try:
            yield taken
        finally:
            with self._lock:
                self._free += taken
                self._call_next()

    def wake(self) -> None:
        """Let those who wait look whether they were stopped."""
        with self._lock:
            for ticket in self._queue:
                ticket.called.notify()

    def _leave(self, ticket: Ticket | None) -> None:
        if ticket in self._queue:
            self._queue.remove(ticket)
            self._call_next()

    def _call_next(self) -> None:
        """Only the next one: a thread for each of hundreds of jobs waits."""
        if self._queue and self._free:
            self._queue[0].called.notify()
