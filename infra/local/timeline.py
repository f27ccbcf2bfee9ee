"""What happens in the local stack, as one numbered list that anybody can wait on."""

import threading
import time
from collections.abc import Callable
from typing import Any

LOOK_AGAIN_SECONDS = 1


class Timeline:
    """An append-only list of small dicts; each has `number` (from 1), `kind` and what belongs to the kind.

    `job`: `type`, `name`, `status`; `statement`: `name`, `status`; `execution`: `machine`, `name`, `status`,
    `arn`; `message`: `topic`, `subject`; `misplaced`: `key` (of a manifest that starts no run), `problem`.
    """

    def __init__(self) -> None:
        self._list: list[dict[str, Any]] = []
        self._changed = threading.Condition()

    def add(self, kind: str, **details: object) -> None:
        """Append one and wake everybody who waits."""
        with self._changed:
            self._list.append({"number": len(self._list) + 1, "kind": kind, **details})
            self._changed.notify_all()

    def poke(self) -> None:
        """Wake the waiters without an event: something they may be waiting for has changed."""
        with self._changed:
            self._changed.notify_all()

    def after(self, number: int, timeout_seconds: float) -> list[dict[str, Any]]:
        """Those later than `number`; waits for the first of them until the time is up, then returns `[]`."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._list) > number, timeout_seconds)
            return self._list[number:]

    def wait_until(self, true: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until `true()` holds; False when the time is up.

        It is checked again after each change, and each second: not everything that changes says so, such as
        a queue that moves a message to its dead-letter queue.
        """
        until = time.monotonic() + timeout_seconds
        with self._changed:
            while not (holds := true()) and (left := until - time.monotonic()) > 0:
                self._changed.wait(min(left, LOOK_AGAIN_SECONDS))
            return holds
