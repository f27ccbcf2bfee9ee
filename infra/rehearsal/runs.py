"""Runs of a stack as any client starts and sees them: executions, their histories, the failure queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.rehearsal.history import History, tasks
from pipelines.names import DATASET, run_name
from pipelines.runs import landed

if TYPE_CHECKING:
    from infra.samples.deliver import Stack

GROUP, PERIOD = "DE-weee", "2026-10"
POLL_SECONDS = 30
#: How long a message may take through EventBridge.
MESSAGE_SECONDS = 300
#: The output that names a purpose's machine.
MACHINES = {
    "training": "TrainingMachineArn",
    "inference": "InferenceMachineArn",
    "comparison": "ComparisonMachineArn",
}


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


def folder(purpose: str, period: str, delivery: str) -> str:
    """Where a delivery for the rehearsal's group lies in the landing bucket."""
    return DATASET.format(purpose=purpose, group=GROUP, period=period, delivery=delivery)


def name_of(arn: str) -> str:
    """The name of the execution with this ARN."""
    return arn.rpartition(":")[2]


class Runs:
    """The runs of one stack. `clock` is `sleep` and `now`, as of `wait_for`; those in `known` are not new."""

    def __init__(self, stack: Stack, clock: dict[str, Any]):
        self.stack, self.clock = stack, clock
        self._states, self._sqs = stack.client("stepfunctions"), stack.client("sqs")
        self.known = {execution["executionArn"] for execution in self._executions()}

    def new(self) -> list[dict[str, Any]]:
        """The group's executions that are not known."""
        return [
            execution
            for execution in self._executions()
            if execution["executionArn"] not in self.known and execution["name"].startswith(f"{GROUP}-")
        ]

    def start(self, purpose: str, delivery: str, why: str) -> str:
        """Start a run of an earlier delivery, named after `why`; it counts as known. Returns its ARN."""
        run = run_name(GROUP, purpose, PERIOD, why, delivery)
        bucket, key = self.stack.names["LandingBucket"], f"{folder(purpose, PERIOD, delivery)}manifest"
        # As if delivered once more just now: an earlier delivery's labels would count as superseded.
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        given = landed(purpose, bucket, key, why, now) | {"run": run}
        arn: str = self._states.start_execution(
            stateMachineArn=self.stack.names[MACHINES[purpose]], name=run, input=json.dumps(given)
        )["executionArn"]
        self.known.add(arn)
        return arn

    def stop(self, arn: str) -> None:
        """Stop a run as a person would."""
        self._states.stop_execution(executionArn=arn)

    def describe(self, arn: str) -> dict[str, Any]:
        """What Step Functions says of a run."""
        described: dict[str, Any] = self._states.describe_execution(executionArn=arn)
        return described

    def end(self, arn: str, timeout_seconds: float) -> dict[str, Any]:
        """What Step Functions says of a run that has ended. Raises TimeoutError."""

        def ended() -> list[dict[str, Any]]:
            described = self.describe(arn)
            return [described] if described["status"] != "RUNNING" else []

        [described] = wait_for(f"end of {name_of(arn)}", ended, timeout_seconds, **self.clock)
        found: dict[str, Any] = described
        return found

    def history(self, arn: str) -> History:
        """A run's tasks so far."""
        pages = self._states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = (event for page in pages for event in page["events"])
        return History(name_of(arn), self.describe(arn)["status"], tasks(events))

    def pause(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.get("sleep", time.sleep)(seconds)

    def message(self, arn: str) -> dict[str, Any] | None:
        """What the failure queue says of a run, taken out of it; None where it says nothing in time."""

        def told() -> list[dict[str, Any]]:
            return self.failures(lambda body: body["run"] == name_of(arn), delete=True)

        try:
            [message, *_] = wait_for("message", told, MESSAGE_SECONDS, **self.clock)
        except TimeoutError:
            return None
        found: dict[str, Any] = message
        return found

    def failures(self, wanted: Callable[[dict[str, Any]], bool], delete: bool) -> list[dict[str, Any]]:
        """What the failure queue says of `wanted` runs; all else is left in it for the operators."""
        queue, found = self.stack.names["FailureQueueUrl"], []
        while messages := self._sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=POLL_SECONDS
        ).get("Messages"):
            for message in messages:
                body = json.loads(message["Body"])
                if wanted(body):
                    found.append(body)
                    if delete:
                        self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def _executions(self) -> Iterator[dict[str, Any]]:
        """The newest executions of every machine, 100 of each; a rehearsal has no more."""
        for machine in MACHINES.values():
            listed = self._states.list_executions(stateMachineArn=self.stack.names[machine], maxResults=100)
            yield from listed["executions"]
