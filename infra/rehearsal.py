"""Runs synthetic data through a deployed stack: a training dataset, its comparison, new items, their labels.

`python -m infra.rehearsal --env test`; delivery.yaml does so before production is asked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3

    from infra.samples.deliver import Stack

GROUP, PERIOD = "DE-weee", "2026-10"
LABELLED_ROWS, NEW_ROWS = 1500, 200
POLL_SECONDS = 30


class Deployed:
    """A deployed stack as those see it who deliver to it: `client` and the outputs as `names`."""

    def __init__(self, session: boto3.Session, names: dict[str, str]):
        self.client: Callable[..., Any] = session.client
        self.names = names


def wait_for(
    what: str,
    found: Callable[[], list[Any]],
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> list[Any]:
    """What `found` returns once that is not empty. Raises TimeoutError."""
    deadline = now() + timeout_seconds
    while not (result := found()):
        if now() > deadline:
            raise TimeoutError(
                f"no {what} after {timeout_seconds:.0f} s: look at the failure queue and the logs"
            )
        sleep(POLL_SECONDS)
    return result


def rehearse(stack: Stack, delivery: str, timeout_seconds: float, **clock: Any) -> dict[str, Any]:
    """Deliver, wait, and return the manifest of the labels; `delivery` must be new to the stack.

    Raises:
        TimeoutError: the runs take too long.
        ValueError: when the labels do not account for every item.
    """
    import pyarrow as pa

    from infra import results
    from infra.samples import generate
    from infra.samples.deliver import deliver, publish
    from pipelines.names import DATASET

    def rows(start: int, count: int, labelled: bool) -> pa.Table:
        return pa.Table.from_pylist(generate.items(GROUP, start, count, labelled=labelled))

    def folder(purpose: str) -> str:
        return DATASET.format(purpose=purpose, group=GROUP, period=PERIOD, delivery=delivery)

    publish(stack, generate.codebook(GROUP, PERIOD))  # first, as it makes the group known
    before = len(results.decisions(stack, GROUP)), len(results.published(stack, GROUP))
    deliver(stack, folder("training"), rows(0, LABELLED_ROWS, True))
    [*_, decision] = wait_for(
        "decision", lambda: results.decisions(stack, GROUP)[before[0] :], timeout_seconds, **clock
    )
    print(f"{decision['verdict']}: {decision['reason']}", flush=True)
    deliver(stack, folder("inference"), rows(LABELLED_ROWS, NEW_ROWS, False))
    manifest: dict[str, Any]
    [*_, manifest] = wait_for(
        "labels", lambda: results.published(stack, GROUP)[before[1] :], timeout_seconds, **clock
    )
    counts = {status: manifest[status] for status in ("labelled", "review", "rejected")}
    if manifest["rows"] != NEW_ROWS or sum(counts.values()) != NEW_ROWS:
        raise ValueError(f"{NEW_ROWS} items went in, {manifest['rows']} came out: {counts}")
    print(f"{NEW_ROWS} items: {counts}", flush=True)
    return manifest


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--env", default="test", help="a file in infra/environments (default: %(default)s)")
    made.add_argument("--parameters", type=Path, metavar="FILE", help="a file of the same shape")
    made.add_argument("--delivery", required=True, help="name of the deliveries, new to the stack")
    made.add_argument(
        "--timeout", type=float, default=3 * 3600, metavar="SECONDS", help="for each of the two steps"
    )
    return made


def main(words: list[str] | None = None) -> int:
    import boto3

    from infra.deploy.settings import ENVIRONMENTS, load
    from pipelines.stack import outputs

    args = parser().parse_args(words)
    settings = load(args.parameters or ENVIRONMENTS / f"{args.env}.json")
    session = boto3.Session(region_name=settings.region)
    stack = Deployed(session, outputs(settings.stack, session.client("cloudformation")))
    try:
        rehearse(stack, args.delivery, args.timeout)
    except (TimeoutError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
