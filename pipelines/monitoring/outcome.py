"""What has come of a dataset that was sent: of a training its verdict, of a month its labels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines import names
from pipelines.executions import ENDED_IN_VAIN
from pipelines.failures.failed_runs import Executions, challenger_of
from pipelines.ledger import reading
from processing.words import counted

if TYPE_CHECKING:
    from types_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef


@dataclass(frozen=True)
class Outcome:
    """How it ended for one group: whether well, in a sentence, and what to do or open next."""

    group: str
    well: bool
    sentence: str
    next_steps: tuple[str, ...] = ()


def outcome(known: Executions, run: str) -> Outcome | None:
    """What has come of the dataset that `run` takes; None as long as something is to come."""
    named = names.parse_run(run)
    assert named is not None  # who sends a dataset names its run
    status = known.status(run)
    if status in ENDED_IN_VAIN:
        return _failed(named.group, known.describe(run))
    if status != "SUCCEEDED":
        return None
    ledger = reading.read(known.stack.client("dynamodb"), known.stack.table, named.group)
    if named.purpose == "inference":
        return _of_labels(known, named, run, ledger)
    return _of_training(known, named, run, ledger)


def _of_training(
    known: Executions, named: names.Run, run: str, ledger: reading.GroupLedger
) -> Outcome | None:
    history = f"labelmill models history {named.group}"
    model = next((name for name, item in ledger.models.items() if item.get("run") == run), None)
    if model is None:
        sentence = "No new model: a run before has learned, or learns, the same from the same rows."
        return Outcome(named.group, True, sentence, (history,))
    for decision in ledger.decisions:
        if decision["model"] == model:
            sentence = f"{decision['verdict']}: {decision['reason']}"
            return Outcome(
                named.group, True, sentence, (f"labelmill report comparison {decision['run']}", history)
            )
    for comparison, asked in ledger.approvals.items():
        if asked["model"] == model and "answer" not in asked:
            sentence = f"{asked['verdict']}, and a person must approve."
            steps = f"labelmill report comparison {comparison}", f"labelmill approve {comparison}"
            return Outcome(named.group, True, sentence, steps)
    later = _tests_and_comparisons(known, named, known.by_name[run]["startDate"])
    failed = [name for name in later if known.status(name) in ENDED_IN_VAIN]
    of_model = [name for name in failed if challenger_of(known.given(name)) == model]
    return _failed(named.group, known.describe(of_model[0])) if of_model else None


def _tests_and_comparisons(known: Executions, training: names.Run, since: datetime) -> list[str]:
    """The runs of its group and period that began after it."""
    return [
        name
        for name, execution in known.by_name.items()
        if (named := names.parse_run(name)) is not None
        and named.purpose in ("test", "comparison")
        and (named.group, named.period) == (training.group, training.period)
        and execution["startDate"] >= since
    ]


def _of_labels(known: Executions, named: names.Run, run: str, ledger: reading.GroupLedger) -> Outcome:
    group, _, period = named
    mine = [item for item in ledger.labels if item["run"] == run]
    if not mine:
        sentence = "The run has ended, and no labels of it are recorded."
        return Outcome(group, False, sentence, ("labelmill failures",))
    if "superseded_by" in mine[-1]:
        sentence = f"Labelled, but a newer delivery is the month: {mine[-1]['superseded_by']}."
        return Outcome(group, True, sentence)
    folder = mine[-1]["labels"]
    bucket, key = names.split_address(folder)
    body = known.stack.client("s3").get_object(Bucket=bucket, Key=f"{key}manifest.json")["Body"].read()
    counts: dict[str, Any] = json.loads(body)
    sentence = (
        f"{counted(counts['labelled'], 'item')} labelled, {counts['review']:,} to review, "
        f"{counts['rejected']:,} rejected."
    )
    steps = (
        f"labelmill report workbook {group} {period}",
        f"labelmill report labels {group} {period}",
        f"labelmill review export {group} {period}",
    )
    return Outcome(group, True, sentence, steps)


def _failed(group: str, described: DescribeExecutionOutputTypeDef) -> Outcome:
    why = described.get("cause") or described.get("error") or f"It was ended: {described['status']}."
    return Outcome(group, False, f"The run {described['name']} has failed. {why}", ("labelmill failures",))
