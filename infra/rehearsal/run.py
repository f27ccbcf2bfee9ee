"""Runs synthetic data through a stack: two trainings, new items, faults, orders to the warehouse.

It sees what any client sees: the ledger, the labels, executions (runs.py). Faults are in faults.py.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.rehearsal import faults
from infra.rehearsal.claims import Claim
from infra.rehearsal.proofs import NOT_TRIED, PROVEN, REFUSED, Seen
from infra.rehearsal.runs import GROUP, PERIOD, Runs, folder, wait_for
from pipelines.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

    from infra.samples.deliver import Stack

#: No warehouse has items of it.
EMPTY_PERIOD = "2000-01"
LABELLED_ROWS, NEW_ROWS = 1500, 200
#: How long an order may take through the warehouse.
ORDER_SECONDS = 1800


class RunFailed(Refused):
    """A run of the rehearsal did not succeed, or its labels do not account for every item."""


def rehearse(
    stack: Stack,
    delivery: str,
    warehouse: bool,
    timeout_seconds: float,
    without_keys: str | None = None,
    **clock: Any,
) -> Seen:
    """Run it all and return what was seen, for proofs.py to judge.

    Args:
        stack: where; its outputs by name, and clients.
        delivery: name of the deliveries, new to the stack.
        warehouse: whether the stack has one.
        timeout_seconds: for each run.
        without_keys: id of the experiment that takes the first job's role its keys; None for none.
        clock: `sleep` and `now` for `wait_for`.
    """
    runs = Runs(stack, clock)
    rehearsal = _Rehearsal(stack, delivery, timeout_seconds, runs)
    rehearsal.train_and_label()
    seen, labelled = rehearsal.seen, f"{delivery}-1"
    faults.cut_off(runs, seen, labelled)
    if not seen.problem:
        faults.stop_job(runs, seen, labelled, timeout_seconds)
    if not without_keys:
        seen.told[Claim.WITHOUT_KEYS] = NOT_TRIED, "no experiment takes keys here: the delivery has one"
    elif not seen.problem:
        faults.take_keys(runs, seen, labelled, without_keys, timeout_seconds)
    if warehouse:
        rehearsal.unload_nothing()
        rehearsal.unload_something()
    else:
        for claim in (Claim.UNLOAD, Claim.NO_ROWS):
            seen.told[claim] = NOT_TRIED, "the stack has no warehouse (docs/warehouse.md)"
    return seen


@dataclass
class _Rehearsal:
    stack: Stack
    delivery: str
    timeout_seconds: float
    runs: Runs

    def __post_init__(self) -> None:
        self.seen = Seen()
        self._s3, self._sqs = self.stack.client("s3"), self.stack.client("sqs")

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
        new_items = folder("inference", PERIOD, f"{self.delivery}-1")

        def decided() -> list[Any]:
            return results.decisions(self.stack, GROUP)[decisions:]

        def published() -> list[Any]:
            # By its dataset: what an earlier rehearsal has unloaded may be labelled only now.
            labels = results.published(self.stack, GROUP)
            return [manifest for manifest in labels if manifest["dataset"].endswith(f"/{new_items}")]

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
        deliver(self.stack, folder(purpose, PERIOD, f"{self.delivery}-{number}"), table)

    def _until(self, step: str, purpose: str, found: Callable[[], list[Any]]) -> list[Any]:
        """What `found` finds. Keeps the history of the step's own run, whatever becomes of it.

        Raises TimeoutError, and RunFailed where a run on the way to it has failed.
        """

        def ended() -> list[Any]:
            return found() or [
                each for each in self.runs.new() if each["status"] not in ("RUNNING", "SUCCEEDED")
            ]

        try:
            result = wait_for(f"end of the {step}", ended, self.timeout_seconds, **self.runs.clock)
        finally:
            new = self.runs.new()
            for execution in new:
                if execution["name"].startswith(f"{GROUP}-{purpose}-"):
                    self.seen.runs[step] = self.runs.history(execution["executionArn"])
            self.runs.known |= {execution["executionArn"] for execution in new}
        if "executionArn" in result[0]:
            names = ", ".join(f"{run['name']} is {run['status']}" for run in result)
            raise RunFailed(f"{step}: {names}. Fix: see its history, and the failure queue")
        return result

    def _account_for_all(self, manifest: dict[str, Any]) -> None:
        counts = {status: manifest[status] for status in ("labelled", "review", "rejected")}
        print(f"{NEW_ROWS} items: {counts}", flush=True)
        if manifest["rows"] != NEW_ROWS or sum(counts.values()) != NEW_ROWS:
            problem = f"{NEW_ROWS} items went in, {manifest['rows']} came out: {counts}"
            self.seen.told[Claim.JOIN] = REFUSED, problem
            raise RunFailed(problem)

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
        where = folder("inference", period, delivery)
        entry = NO_ITEMS.format(purpose="inference", period=period)
        self._sqs.send_message(QueueUrl=self.stack.names["UnloadQueueUrl"], MessageBody=json.dumps(order))

        def statement_of_ours(text: str) -> bool:
            return text.endswith(f"/{where.rstrip('/')}")

        def answered() -> list[tuple[str, str]]:
            landing, manifest = self.stack.names["LandingBucket"], f"{where}manifest"
            if self._s3.list_objects_v2(Bucket=landing, Prefix=manifest)["KeyCount"]:
                return [("manifest", manifest)]
            noted = self.stack.client("dynamodb").get_item(
                TableName=self.stack.names["LedgerTable"],
                Key={"group": {"S": GROUP}, "entry": {"S": entry}},
            )
            if statement_of_ours(noted.get("Item", {}).get("statement", {}).get("S", "")):
                return [("no items", entry)]
            failed = self.runs.failures(lambda body: statement_of_ours(body["run"]), delete=False)
            return [("failed", f"{body['error']}: {body['cause']}") for body in failed]

        answer: tuple[str, str]
        try:
            [answer, *_] = wait_for("answer of the warehouse", answered, ORDER_SECONDS, **self.runs.clock)
        except TimeoutError as error:
            return "failed", f"{error}, first at the log of the function that ends in -unload"
        return answer
