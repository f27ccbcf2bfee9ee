"""What happens in the local stack, as one numbered list that anybody can wait on."""

import threading
from collections.abc import Callable
from typing import Any


class Timeline:
    """An append-only list of small dicts; each has `number` (from 1), `kind` and what belongs to the kind.

    `job`: `type`, `name`, `status`; `statement`: `name`, `status`; `execution`: `machine`, `name`, `status`,
    `arn`; `message`: `topic`, `subject`.
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
        """Wait until `true()` holds, checked again after each change; False when the time is up."""
        with self._changed:
            return self._changed.wait_for(true, timeout_seconds)
