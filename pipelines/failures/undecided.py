"""Models that were trained and that nothing decides upon: not tested, not compared, and no run under way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pipelines import executions, names
from pipelines.failures.failed_runs import Executions, challenger_of, is_done
from pipelines.failures.failure import Failure, Stack
from pipelines.handlers.deciding import next_run
from pipelines.handlers.ledger import Ledger
from pipelines.ledger.reading import GroupLedger
from pipelines.runs import EVENT_VERSION


def find(stack: Stack, known: Executions, ledgers: Mapping[str, GroupLedger]) -> Iterator[Failure]:
    """Each such model. One whose test or comparison has failed is not among them: that run is in the list."""
    for ledger in ledgers.values():
        decided = {decision["model"] for decision in ledger.decisions}
        for model, item in ledger.models.items():
            if model not in decided and not _is_under_way(model, item, known, ledgers):
                yield _failure(stack, ledger.group, model, item)


def _is_under_way(
    model: str, item: Mapping[str, Any], known: Executions, ledgers: Mapping[str, GroupLedger]
) -> bool:
    """Whether a run trains, tests or compares it, or one that has failed is to be started again."""
    if known.status(item["run"]) == "RUNNING":
        return True
    of_model = [
        name
        for purpose in ("test", "comparison")
        for status in ("RUNNING", *executions.ENDED_IN_VAIN)
        for name in known.like(names.Run(item["group"], purpose, item["period"]), status)
        if challenger_of(known.given(name)) == model
    ]
    return any(known.status(name) == "RUNNING" or not is_done(name, known, ledgers) for name in of_model)


def _failure(stack: Stack, group: str, model: str, item: Mapping[str, Any]) -> Failure:
    test_set = item["test_set"]
    folder = names.RUN_FOLDER.format(group=group, run=test_set) + "test/"
    detail = {
        "version": EVENT_VERSION,
        "group": group,
        "period": item["period"],
        "run": item["run"],
        "test_set": test_set,
        "challenger": model,
        "dataset": names.address(stack.outputs["WorkBucket"], folder),
    }

    def retry() -> str:
        """As when its test set has been labelled: test it, or compare it where both models have labels."""
        missing = next_run(detail, Ledger(stack.client("dynamodb"), stack.table))
        if missing is None:
            return "has been decided on"
        machine, run = missing
        started = executions.start(stack.client("stepfunctions"), stack.machine(machine), run, again=True)
        return f"started {started}" if started else "runs already"

    return Failure(
        name=model,
        group=group,
        period=item["period"],
        what="model that is not decided on",
        since=datetime.fromisoformat(item["trained_at"]),
        error="",
        sentence="It was trained, but no run tests it or compares it with the winner.",
        next_step=f"labelmill retry --run {model}",
        retry=retry,
    )
