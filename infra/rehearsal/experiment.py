"""An experiment of AWS FIS around a rehearsal or a part of it: begun before it, its end awaited after it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

from infra.rehearsal.runs import wait_for
from pipelines.errors import Refused


class NotCompleted(Refused):
    """The experiment ended otherwise than completed: what was rehearsed under it proves nothing."""


@contextlib.contextmanager
def experiment(fis: Any, template: str, timeout_seconds: float, **clock: Any) -> Iterator[None]:
    """Start an experiment; after the block wait for its end, also where the block has failed.

    Args:
        fis: a boto3 client.
        template: id of the experiment template.
        timeout_seconds: how long the experiment may still take after the block.
        **clock: `sleep` and `now`, as of `wait_for`.

    Raises:
        NotCompleted: it was stopped or failed.
        TimeoutError: it does not end.
    """
    started = fis.start_experiment(experimentTemplateId=template, clientToken=str(uuid.uuid4()))
    number = started["experiment"]["id"]

    def ended() -> list[Any]:
        state = fis.get_experiment(id=number)["experiment"]["state"]
        return [state] if state["status"] in ("cancelled", "completed", "failed", "stopped") else []

    try:
        yield
    finally:
        [state] = wait_for(f"end of the experiment {number}", ended, timeout_seconds, **clock)
    if state["status"] != "completed":
        reason = state.get("reason", "no reason given")
        raise NotCompleted(
            f"the experiment {number} is {state['status']}: {reason}. Fix: look at it in AWS FIS, "
            "then start the stage again"
        )
