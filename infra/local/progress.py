"""What a person sees while runs go on: a line for each step that ends, on a terminal also what is running."""

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.local.follow import ENDED
from processing.words import counted


class Progress:
    """A context manager; `show` takes the stack's events, `say` any sentence."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._status = self._console.status("starting the local stack")
        self._started = time.monotonic()
        self._running: dict[str, None] = {}

    def __enter__(self) -> "Progress":
        self._status.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._status.__exit__(*error)

    def say(self, sentence: str) -> None:
        self._console.print(sentence, markup=False)

    def show(self, event: dict[str, Any]) -> None:
        """One event of `LocalStack.events`."""
        if event["kind"] == "job":
            if event["status"] == "InProgress":
                self._running[event["name"]] = None
            else:
                self._running.pop(event["name"], None)
            names = list(self._running)[:4]
            self._status.update(
                f"{counted(len(self._running), 'job')}: {', '.join(names)}" if names else "waiting"
            )
        elif event["kind"] == "execution" and event["status"] in ENDED:
            machine = event["machine"].rpartition("-")[2]
            self._line(
                "ok" if event["status"] == "SUCCEEDED" else event["status"], f"{machine:<11} {event['name']}"
            )
        elif event["kind"] == "misplaced":
            self._line("!", event["problem"])
        elif event["kind"] == "message":
            self._line("SNS", f"to {event['topic'].rpartition('-')[2]}: {event['subject']}")

    def _line(self, mark: str, text: str) -> None:
        self._console.print(f"{time.monotonic() - self._started:6.1f} s  {mark:<4} {text}", markup=False)

    def results(
        self, results: list[dict[str, Any]], story: list[str], pages: list[Path], folder: Path, seconds: float
    ) -> None:
        """The closing table, what the change of codes did, and the paths of what to open next."""
        table = Table(
            title="Synthetic items: the scores show that the flow works, not how good it is on your items"
        )
        columns = ("group", "rows", "verdict", "score", "labelled", "to review")
        for name in columns:
            table.add_column(name, justify="left" if name in ("group", "verdict") else "right")
        for result in results:
            table.add_row(*(_cell(result[name]) for name in columns))
        self._console.print()
        self._console.print(table)
        for result in results:
            self.say(f"{result['group']}: {result['reason']}")
        self.say("\nThe change of codes, in the labels of a model trained before it:")
        for sentence in story:
            self.say(f"  {sentence}")
        self.say(f"\nDone in {seconds:.0f} s. Open next, in {folder}/:")
        for page in pages:
            self.say(f"  {page.relative_to(folder)}")
        self.say("  review-*.csv   the review sheet as it was handed in")
        self.say("  mailbox/       the messages that were sent")
        self.say("  jobs/          each job's request, files and log")
        self.say("  executions/    each run's input, steps and outcome")


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value if value is not None else "-")
