"""What comes of datasets that were sent, until the end: of a training its verdict, of a month its labels.

Asked of Step Functions and the ledger every few seconds. A run goes on whether or not anybody looks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines import names
from pipelines.executions import ENDED_IN_VAIN
from pipelines.failures.failed_runs import challenger_of
from pipelines.failures.failure import Stack
from pipelines.ledger import reading
from pipelines.own_data.sending import Sent
from processing.words import counted

if TYPE_CHECKING:
    from types_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

POLL_SECONDS = 2.0
#: Longer than a message waits for a function (of the template, with what is tried again): then nothing comes.
IDLE_SECONDS = 15 * 60
#: A page of ListExecutions, the newest first; what belongs to a run that has just ended is among them.
NEWEST = 100
#: Of an execution: among so many the newest there is a state that was entered.
EVENTS = 100


@dataclass(frozen=True)
class Ended:
    """How it ended for one group: whether well, in a sentence, and what to do or open next."""

    group: str
    well: bool
    sentence: str
    next_steps: tuple[str, ...] = ()


@dataclass
class _Group:
    """What is known of one dataset's way."""

    sent: Sent
    said: str = ""
    idle: float = 0
    ended: Ended | None = field(default=None)


def follow(
    stack: Stack, sent: Sequence[Sent], show: Callable[[str, str], None], pause: Callable[[float], None]
) -> list[Ended]:
    """Wait until all have ended; `show` is given a group and what it is at, whenever that changes."""
    groups = [_Group(each) for each in sent]
    while waiting := [group for group in groups if not group.ended]:
        for group in waiting:
            _look_at(stack, group, show)
        if any(not group.ended for group in groups):
            pause(POLL_SECONDS)
    return [group.ended for group in groups if group.ended]


def _look_at(stack: Stack, group: _Group, show: Callable[[str, str], None]) -> None:
    words, group.ended = _look(stack, group.sent)
    group.idle = 0 if words else group.idle + POLL_SECONDS
    words = words or "waiting for the next run to start"
    if group.ended is None and group.idle >= IDLE_SECONDS:
        sentence = f"Nothing has started for {IDLE_SECONDS // 60} minutes."
        group.ended = Ended(group.sent.group, False, sentence, ("labelmill failures",))
    if group.ended is None and words != group.said:
        show(group.sent.group, words)
        group.said = words


def _look(stack: Stack, sent: Sent) -> tuple[str, Ended | None]:
    """What a dataset is at, empty where nothing runs for it, and how it has ended, if it has."""
    states = stack.client("stepfunctions")
    arn = f"{stack.machine(sent.purpose).replace(':stateMachine:', ':execution:')}:{sent.run}"
    try:
        described = states.describe_execution(executionArn=arn)
    except states.exceptions.ExecutionDoesNotExist:
        return "", None
    if described["status"] in ENDED_IN_VAIN:
        return "", _failed(sent.group, described)
    if described["status"] != "SUCCEEDED":
        return f"{sent.purpose}: {_state(states, arn)}", None
    ledger = reading.read(stack.client("dynamodb"), stack.table, sent.group)
    if sent.purpose == "inference":
        return "", _labels(stack, sent, ledger)
    return _after_training(stack, sent, ledger, described["startDate"])


def _after_training(
    stack: Stack, sent: Sent, ledger: reading.GroupLedger, since: datetime
) -> tuple[str, Ended | None]:
    model = next((name for name, item in ledger.models.items() if item.get("run") == sent.run), None)
    if model is None:
        sentence = "No new model: a run before has learned, or learns, the same from the same rows."
        return "", Ended(sent.group, True, sentence, (f"labelmill models history {sent.group}",))
    for decision in ledger.decisions:
        if decision["model"] == model:
            sentence = f"{decision['verdict']}: {decision['reason']}"
            page = f"labelmill report comparison {decision['run']}"
            return "", Ended(sent.group, True, sentence, (page, f"labelmill models history {sent.group}"))
    for run, asked in ledger.approvals.items():
        if asked["model"] == model and "answer" not in asked:
            sentence = f"{asked['verdict']}, and a person must approve."
            steps = f"labelmill report comparison {run}", f"labelmill approve {run}"
            return "", Ended(sent.group, True, sentence, steps)
    at = ""
    for described in _later(stack, sent, since):
        if challenger_of(json.loads(described["input"])) != model:
            continue
        if described["status"] in ENDED_IN_VAIN:
            return "", _failed(sent.group, described)
        if described["status"] == "RUNNING":
            named = names.parse_run(described["name"])
            purpose = named.purpose if named else ""
            at = f"{purpose}: {_state(stack.client('stepfunctions'), described['executionArn'])}"
    return at, None


def _later(stack: Stack, sent: Sent, since: datetime) -> Iterator[DescribeExecutionOutputTypeDef]:
    """The group's tests and comparisons of the period that began after its training."""
    states = stack.client("stepfunctions")
    for machine in ("inference", "comparison"):
        newest = states.list_executions(stateMachineArn=stack.machine(machine), maxResults=NEWEST)
        for execution in newest["executions"]:
            named = names.parse_run(execution["name"])
            if named and named[::2] == (sent.group, sent.period) and execution["startDate"] >= since:
                yield states.describe_execution(executionArn=execution["executionArn"])


def _labels(stack: Stack, sent: Sent, ledger: reading.GroupLedger) -> Ended:
    mine = [item for item in ledger.labels if item["run"] == sent.run]
    if not mine:
        sentence = "The run has ended, and no labels of it are recorded."
        return Ended(sent.group, False, sentence, ("labelmill failures",))
    if "superseded_by" in mine[-1]:
        sentence = f"Labelled, but a newer delivery is the month: {mine[-1]['superseded_by']}."
        return Ended(sent.group, True, sentence, ())
    folder = mine[-1]["labels"]
    bucket, key = names.split_address(folder)
    body = stack.client("s3").get_object(Bucket=bucket, Key=f"{key}manifest.json")["Body"].read()
    counts: dict[str, Any] = json.loads(body)
    sentence = ", ".join(
        (
            f"{counted(counts['labelled'], 'item')} labelled",
            f"{counts['review']:,} to review",
            f"{counts['rejected']:,} rejected",
        )
    )
    steps = (
        f"labelmill report workbook {sent.group} {sent.period}",
        f"labelmill report labels {sent.group} {sent.period}",
        f"labelmill review export {sent.group} {sent.period}",
    )
    return Ended(sent.group, True, f"{sentence}.", steps)


def _failed(group: str, described: DescribeExecutionOutputTypeDef) -> Ended:
    why = described.get("cause") or described.get("error") or f"It was ended: {described['status']}."
    return Ended(group, False, f"The run {described['name']} has failed. {why}", ("labelmill failures",))


def _state(states: Any, arn: str) -> str:
    """The state that an execution entered last."""
    events = states.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=EVENTS)["events"]
    # By number: moto gives the oldest first whatever is asked.
    for event in sorted(events, key=lambda event: -event["id"]):
        if entered := event.get("stateEnteredEventDetails"):
            return str(entered["name"])
    return "starting"
