"""Runs synthetic data through a stack: two trainings, new items, orders to the warehouse, a run cut off.

It sees what any client sees: the ledger, the labels, executions and their histories, the failure queue.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.rehearsal.claims import Claim
from infra.rehearsal.history import History, tasks
from infra.rehearsal.proofs import NOT_TRIED, PROVEN, REFUSED, Seen
from pipelines.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

    from infra.samples.deliver import Stack

GROUP, PERIOD = "DE-weee", "2026-10"
#: No warehouse has items of it.
EMPTY_PERIOD = "2000-01"
LABELLED_ROWS, NEW_ROWS = 1500, 200
POLL_SECONDS = 30
#: How long a message may take through EventBridge, or an order through the warehouse.
MESSAGE_SECONDS, ORDER_SECONDS = 300, 1800
MACHINES = ("TrainingMachineArn", "InferenceMachineArn", "ComparisonMachineArn")


class RunFailed(Refused):
    """A run of the rehearsal did not succeed, or its labels do not account for every item."""


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


def rehearse(stack: Stack, delivery: str, warehouse: bool, timeout_seconds: float, **clock: Any) -> Seen:
    """Run it all and return what was seen, for proofs.py to judge.

    Args:
        stack: where; its outputs by name, and clients.
        delivery: name of the deliveries, new to the stack.
        warehouse: whether the stack has one.
        timeout_seconds: for each of the three steps that wait for jobs.
        clock: `sleep` and `now` for `wait_for`.
    """
    rehearsal = _Rehearsal(stack, delivery, timeout_seconds, clock)
    rehearsal.train_and_label()
    rehearsal.cut_off()
    if warehouse:
        rehearsal.unload_nothing()
        rehearsal.unload_something()
    else:
        for claim in (Claim.UNLOAD, Claim.NO_ROWS):
            rehearsal.seen.told[claim] = NOT_TRIED, "the stack has no warehouse (docs/warehouse.md)"
    return rehearsal.seen


@dataclass
class _Rehearsal:
    stack: Stack
    delivery: str
    timeout_seconds: float
    clock: dict[str, Any]

    def __post_init__(self) -> None:
        self.seen = Seen()
        self._states, self._s3, self._sqs = (
            self.stack.client(service) for service in ("stepfunctions", "s3", "sqs")
        )
        self._before = {execution["executionArn"] for execution in self._executions()}

    # ------------------------------------------------------------ runs

    def train_and_label(self) -> None:
        """Deliver three datasets, one after the other, each once the one before has done its work."""
        from infra import results
        from infra.samples import generate
        from infra.samples.deliver import publish

        # Rows that no rehearsal before has delivered: the same rows are not learned twice.
        first = zlib.crc32(self.delivery.encode()) % 100_000 * 10_000
        publish(self.stack, generate.codebook(GROUP, PERIOD))  # first, as it makes the group known
        decisions = len(results.decisions(self.stack, GROUP))
        labels = len(results.published(self.stack, GROUP))

        def decided() -> list[Any]:
            return results.decisions(self.stack, GROUP)[decisions:]

        def published() -> list[Any]:
            return results.published(self.stack, GROUP)[labels:]

        try:
            self._deliver("training", "1", first, LABELLED_ROWS)
            [*_, decision] = self._until("first training", "training", decided)
            print(f"{decision['verdict']}: {decision['reason']}", flush=True)
            self._deliver("inference", "1", first + LABELLED_ROWS, NEW_ROWS)
            [*_, manifest] = self._until("inference", "inference", published)
            self._account_for_all(manifest)
            self._deliver("training", "2", first + LABELLED_ROWS, LABELLED_ROWS)
            decisions = len(results.decisions(self.stack, GROUP))
            [*_, decision] = self._until("second training", "training", decided)
            print(f"{decision['verdict']}: {decision['reason']}", flush=True)
        except (TimeoutError, RunFailed) as error:
            print(error, flush=True)
            self.seen.problem = str(error)

    def _deliver(self, purpose: str, number: str, start: int, count: int) -> None:
        import pyarrow as pa

        from infra.samples import generate
        from infra.samples.deliver import deliver

        labelled = purpose == "training"
        table: pa.Table = pa.Table.from_pylist(generate.items(GROUP, start, count, labelled=labelled))
        deliver(self.stack, self._folder(purpose, PERIOD, f"{self.delivery}-{number}"), table)

    def _folder(self, purpose: str, period: str, delivery: str) -> str:
        from pipelines.names import DATASET

        return DATASET.format(purpose=purpose, group=GROUP, period=period, delivery=delivery)

    def _until(self, step: str, purpose: str, found: Callable[[], list[Any]]) -> list[Any]:
        """What `found` finds. Keeps the history of the step's own run, whatever becomes of it.

        Raises TimeoutError, and RunFailed where a run on the way to it has failed.
        """
        known = set(self._before)

        def ended() -> list[Any]:
            return found() or [
                each for each in self._new(known) if each["status"] not in ("RUNNING", "SUCCEEDED")
            ]

        try:
            result = wait_for(f"end of the {step}", ended, self.timeout_seconds, **self.clock)
        finally:
            new = self._new(known)
            for execution in new:
                if execution["name"].startswith(f"{GROUP}-{purpose}-"):
                    self.seen.runs[step] = self._history(execution)
            self._before |= {execution["executionArn"] for execution in new}
        if "executionArn" in result[0]:
            names = ", ".join(f"{run['name']} is {run['status']}" for run in result)
            raise RunFailed(f"{step}: {names}. Fix: see its history, and the failure queue")
        return result

    def _executions(self) -> Iterator[dict[str, Any]]:
        """The newest executions of every machine, 100 of each; a rehearsal has no more."""
        for machine in MACHINES:
            listed = self._states.list_executions(stateMachineArn=self.stack.names[machine], maxResults=100)
            yield from listed["executions"]

    def _new(self, known: set[str]) -> list[dict[str, Any]]:
        return [
            execution
            for execution in self._executions()
            if execution["executionArn"] not in known and execution["name"].startswith(f"{GROUP}-")
        ]

    def _history(self, execution: dict[str, Any]) -> History:
        pages = self._states.get_paginator("get_execution_history").paginate(
            executionArn=execution["executionArn"]
        )
        events = (event for page in pages for event in page["events"])
        return History(execution["name"], execution["status"], tasks(events))

    def _account_for_all(self, manifest: dict[str, Any]) -> None:
        counts = {status: manifest[status] for status in ("labelled", "review", "rejected")}
        print(f"{NEW_ROWS} items: {counts}", flush=True)
        if manifest["rows"] != NEW_ROWS or sum(counts.values()) != NEW_ROWS:
            problem = f"{NEW_ROWS} items went in, {manifest['rows']} came out: {counts}"
            self.seen.told[Claim.JOIN] = REFUSED, problem
            raise RunFailed(problem)

    # ------------------------------------------------------------ events

    def cut_off(self) -> None:
        """Start a run and stop it at once: EventBridge's event of that must come into the failure queue."""
        from pipelines.failures.failure import Stack, dismissal
        from pipelines.names import address, run_name

        run = run_name(GROUP, "training", PERIOD, "cut off", self.delivery)
        # What was delivered before: a run without data would fail before it can be stopped.
        folder = self._folder("training", PERIOD, f"{self.delivery}-1")
        given = {
            "run": run,
            "group": GROUP,
            "period": PERIOD,
            "purpose": "training",
            "dataset": address(self.stack.names["LandingBucket"], folder),
        }
        arn = self._states.start_execution(
            stateMachineArn=self.stack.names["TrainingMachineArn"], name=run, input=json.dumps(given)
        )["executionArn"]
        self._states.stop_execution(executionArn=arn)
        self._before.add(arn)
        status = self._states.describe_execution(executionArn=arn)["status"]
        if status not in ("ABORTED", "RUNNING"):
            self.seen.told[Claim.EVENTS] = NOT_TRIED, f"{run} was {status} before it could be stopped"
            return
        try:
            wait_for(
                "message",
                lambda: self._failures(lambda body: body["run"] == run, delete=True),
                MESSAGE_SECONDS,
                **self.clock,
            )
            dismiss = dismissal(Stack(self.stack.names, self.stack.client), GROUP, run)
            dismiss("labelmill rehearse", "stopped to see whether the failure queue is told")
            self.seen.told[Claim.EVENTS] = PROVEN, f"{run} was stopped, and the failure queue was told"
        except TimeoutError:
            self.seen.told[Claim.EVENTS] = (
                REFUSED,
                f"{run} was stopped, and the failure queue was told nothing in {MESSAGE_SECONDS} s. Fix: see "
                "the metrics FailedInvocations and InvocationsFailedToBeSentToDlq of the rule that ends in "
                "-cut-off",
            )

    def _failures(self, wanted: Callable[[dict[str, Any]], bool], delete: bool) -> list[dict[str, Any]]:
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

    # ------------------------------------------------------------ the warehouse

    def unload_nothing(self) -> None:
        """Order a month without items."""
        what, answer = self._order(EMPTY_PERIOD, self.delivery)
        told = {
            "no items": (PROVEN, f"the ledger has {answer}"),
            "manifest": (REFUSED, f"the warehouse wrote {answer}"),
        }
        self.seen.told[Claim.NO_ROWS] = told.get(what, (REFUSED, answer))

    def unload_something(self) -> None:
        """Order the rehearsal's month. What comes is labelled by a run that is not waited for."""
        what, answer = self._order(PERIOD, f"{self.delivery}-unload")
        if what != "manifest":
            lacks = f"the warehouse has no items of {GROUP} for {PERIOD}: add some to labelmill.new_items"
            self.seen.told[Claim.UNLOAD] = (NOT_TRIED, lacks) if what == "no items" else (REFUSED, answer)
            return
        wanted = self.stack.names["LandingKeyArn"]
        key = self._s3.head_object(Bucket=self.stack.names["LandingBucket"], Key=answer).get("SSEKMSKeyId")
        verdict = PROVEN if key == wanted else REFUSED
        self.seen.told[Claim.UNLOAD] = verdict, f"{answer} is under {key}"

    def _order(self, period: str, delivery: str) -> tuple[str, str]:
        """Order the items of a month; what came of it.

        Returns:
            `manifest` and its key, `no items` and the ledger's entry, or `failed` and the warehouse's words.
        """
        from pipelines.ledger.keys import NO_ITEMS

        order = {"purpose": "inference", "period": period, "delivery": delivery, "groups": [GROUP]}
        folder = self._folder("inference", period, delivery)
        entry = NO_ITEMS.format(purpose="inference", period=period)
        self._sqs.send_message(QueueUrl=self.stack.names["UnloadQueueUrl"], MessageBody=json.dumps(order))

        def statement_of_ours(text: str) -> bool:
            return text.endswith(f"/{folder.rstrip('/')}")

        def answered() -> list[tuple[str, str]]:
            landing, manifest = self.stack.names["LandingBucket"], f"{folder}manifest"
            if self._s3.list_objects_v2(Bucket=landing, Prefix=manifest)["KeyCount"]:
                return [("manifest", manifest)]
            noted = self.stack.client("dynamodb").get_item(
                TableName=self.stack.names["LedgerTable"],
                Key={"group": {"S": GROUP}, "entry": {"S": entry}},
            )
            if statement_of_ours(noted.get("Item", {}).get("statement", {}).get("S", "")):
                return [("no items", entry)]
            failed = self._failures(lambda body: statement_of_ours(body["run"]), delete=False)
            return [("failed", f"{body['error']}: {body['cause']}") for body in failed]

        answer: tuple[str, str]
        try:
            [answer, *_] = wait_for("answer of the warehouse", answered, ORDER_SECONDS, **self.clock)
        except TimeoutError as error:
            return "failed", f"{error}, first at the log of the function that ends in -unload"
        return answer
