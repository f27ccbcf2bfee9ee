"""Where commands show what goes on: sentences, and below them on a terminal a table that is kept up to date.

A pipe or a log gets the sentences alone. What is shown of runs is in watch_runs.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from pipelines.commands.display import lines, table


class Screen:
    """A context manager.

    Attributes:
        is_live: whether there is a terminal that can draw a table anew.
        text: the sentence and the table as they are now.
    """

    def __init__(self) -> None:
        self.is_live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
        self._live: Any = None
        self.text: Callable[[], str] = str

    def __enter__(self) -> Self:
        if self.is_live:
            from rich.console import Console
            from rich.live import Live
            from rich.text import Text

            # A thread draws it each second, so that times go on while nothing happens.
            self._live = Live(
                console=Console(highlight=False),
                get_renderable=lambda: Text(self.text()),
                refresh_per_second=1,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.transient = error is None  # who interrupts sees how far it was
            self._live.stop()
            self._live = None

    def say(self, text: str) -> None:
        """Lines that stay."""
        if self._live:
            self._live.console.print(lines(text), markup=False, soft_wrap=True)
        else:
            print(lines(text), flush=True)

    def show(
        self, head: Callable[[], str], titles: Sequence[str] = (), rows: Sequence[Sequence[str]] = ()
    ) -> None:
        """A sentence, made anew each second, and a table, in place of the last ones; nothing in a pipe."""
        self.text = lambda: "\n".join([lines(head()), *([table(titles, rows)] if rows else [])])
        if self._live:
            self._live.refresh()
