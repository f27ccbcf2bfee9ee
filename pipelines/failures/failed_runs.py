"""Executions that failed, were stopped or ran out of time, and whose work nothing has done since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines import executions, names, runs
from pipelines.failures.failure import Failure, Stack, dismissal
from pipelines.ledger.reading import GroupLedger

if TYPE_CHECKING:
    from types_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef, ExecutionListItemTypeDef

MACHINES = ("training", "inference", "comparison")


@dataclass(frozen=True)
class Executions:
    """Every execution that Step Functions still knows, by its name; for 90 days after its end.

    A list may be behind by moments (API reference of ListExecutions: "eventually consistent").
    """

    stack: Stack
    by_name: Mapping[str, ExecutionListItemTypeDef]
    _described: dict[str, DescribeExecutionOutputTypeDef] = field(default_factory=dict)

    def status(self, name: str) -> str:
        """As Step Functions calls it; empty for one it does not list."""
        return self.by_name[name]["status"] if name in self.by_name else ""

    def describe(self, name: str) -> DescribeExecutionOutputTypeDef:
        """All of it, asked for once."""
        if name not in self._described:
            arn = self.by_name[name]["executionArn"]
            states = self.stack.client("stepfunctions")
            self._described[name] = states.describe_execution(executionArn=arn)
        return self._described[name]

    def given(self, name: str) -> dict[str, Any]:
        """The execution's input."""
        given: dict[str, Any] = json.loads(self.describe(name)["input"])
        return given

    def last_of(self, name: str) -> str:
        """The last execution that was started to do the work of `name`; itself where there is none."""
        following = runs.again({"run": name})["run"]
        return self.last_of(following) if following in self.by_name else name

    def like(self, run: names.Run, status: str) -> list[str]:
        """Those of the same group, purpose and period that have the status."""
        return [
            name
            for name, execution in self.by_name.items()
            if execution["status"] == status and names.parse_run(name) == run
        ]


def read(stack: Stack) -> Executions:
    """All executions of the stack's machines whose names are those of runs."""
    pages = stack.client("stepfunctions").get_paginator("list_executions")
    found = {
        execution["name"]: execution
        for machine in MACHINES
        for page in pages.paginate(stateMachineArn=stack.machine(machine))
        for execution in page["executions"]
    }
    return Executions(stack, {name: found[name] for name in found if names.parse_run(name)})


def find(
    known: Executions, ledgers: Mapping[str, GroupLedger], errors: Mapping[str, str]
) -> Iterator[Failure]:
    """Each run that is not done; `errors` are the errors' names that the failure queue knows, by run."""
    for name, execution in known.by_name.items():
        failed = execution["status"] in executions.ENDED_IN_VAIN
        if failed and known.last_of(name) == name and not is_done(name, known, ledgers):
            yield _failure(name, known, errors.get(name, ""))
        elif failed and known.status(following := runs.again({"run": name})["run"]) == "RUNNING":
            yield _failure(name, known, errors.get(name, ""), following)


def is_listed(name: str, known: Executions) -> bool:
    """Whether `name` is that of a run Step Functions knows."""
    return name in known.by_name


def is_done(name: str, known: Executions, ledgers: Mapping[str, GroupLedger]) -> bool:
    """Whether the work of a run that failed has been done since, or is no longer wanted.

    It is done where it has been made again and ended well; where a challenger has been decided upon; where
    newer data of the same month were processed; or where somebody dismissed it.
    """
    last, named = known.last_of(name), names.parse_run(name)
    if known.status(last) == "SUCCEEDED":
        return True
    if named is None or name not in known.by_name:
        return False
    ledger = ledgers.get(named.group, GroupLedger(named.group))
    if {name, last} & ledger.dismissed.keys():
        return True
    given = known.given(name)
    if challenger := challenger_of(given):
        return any(decision["model"] == challenger for decision in ledger.decisions)
    return named.purpose in ("training", "inference") and any(
        known.given(other).get("delivered", "") > given.get("delivered", "")
        for other in known.like(named, "SUCCEEDED")
    )


def challenger_of(given: Mapping[str, Any]) -> str:
    """The model that a run tests or compares, by its input; empty for a run of another purpose."""
    challenger = given.get("challenger", "")
    return str(challenger if isinstance(challenger, str) else challenger["model"])


def _failure(name: str, known: Executions, error: str, following: str = "") -> Failure:
    described, named = known.describe(name), names.parse_run(name)
    assert named is not None  # read() takes no others
    given, stack = json.loads(described["input"]), known.stack
    machine = described["stateMachineArn"]

    def retry() -> str:
        started = executions.start(stack.client("stepfunctions"), machine, given, again=True)
        return f"started {started}" if started else "runs already, or has ended well"

    next_step = f"labelmill retry --run {name}"
    if named.purpose in ("training", "inference"):
        next_step += " for the same files; corrected ones are another delivery (labelmill deliver, or order)"
    return Failure(
        name=name,
        group=named.group,
        period=named.period,
        what=f"{named.purpose} run",
        since=described.get("stopDate", described["startDate"]),
        error=error or described.get("error", "") or described["status"],
        sentence=described.get("cause", "") or f"It ended from outside: {described['status']}.",
        next_step=f"none: {following} does it again" if following else next_step,
        retry=retry,
        dismiss=dismissal(stack, named.group, name),
    )
