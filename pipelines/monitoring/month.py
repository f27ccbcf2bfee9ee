"""How far each model group is with a month, and when the month is due. All but `read` and `standing` is pure.

A group is done when its labels are published, or the warehouse had no items of it, and every model trained on
the month's data has been decided on: as the hourly check has it (../handlers/check_month.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines import names
from pipelines.executions import ENDED_IN_VAIN
from pipelines.failures import failed_runs
from pipelines.failures.failed_runs import Executions, challenger_of
from pipelines.failures.failure import Stack
from pipelines.ledger.reading import GroupLedger, expiry, read_all, waits
from pipelines.monitoring.deliveries import Delivery, deliveries

MISSING, DELIVERED, FAILED = "missing", "delivered", "failed"
#: What a run of a purpose does to a group's labels or model while it runs, in a word.
DOES = {
    "inference": "labelling",
    "training": "training",
    "test": "testing",
    "comparison": "comparing",
}


@dataclass(frozen=True)
class Run:
    """What is to be known of a run here: its name, its status, and what it was given."""

    name: str
    status: str
    given: Mapping[str, object]


@dataclass(frozen=True)
class GroupMonth:
    """How far one group is.

    Attributes:
        group: the model group.
        labels: missing, delivered, labelling, failed, labelled or no items.
        model: missing, delivered, training, nothing new, trained, testing, comparing, waits for a person,
            failed, no items, or the verdict.
        is_done: whether nothing is left to do for the month.
        next_step: the command that brings it on; empty where none is needed.
        answer_by: until when a person can answer, ISO 8601; empty where nobody is asked.
    """

    group: str
    labels: str
    model: str
    is_done: bool
    next_step: str
    answer_by: str = ""


@dataclass(frozen=True)
class Standing:
    """How far all groups are.

    Attributes:
        period: the month.
        groups: those that are not retired, by name.
        due: by when all must be done; None for a stack from before its outputs had the deadline.
        wrong_keys: manifests that lie where no run takes them: what is wrong, and the fix.
        now: when this was so.
    """

    period: str
    groups: list[GroupMonth]
    due: datetime | None
    wrong_keys: list[str]
    now: datetime

    @property
    def done(self) -> int:
        """How many groups are done."""
        return sum(group.is_done for group in self.groups)


def deadline(period: str, zone: str, day: int, hour: int) -> datetime:
    """By when the month must be done: day and hour of the month after it, on the clocks of `zone`."""
    year, month = map(int, period.split("-"))
    return datetime(year + month // 12, month % 12 + 1, day, hour, tzinfo=ZoneInfo(zone))


def standing(stack: Stack, period: str, now: datetime) -> Standing:
    """How far a stack's groups are with a month; `now` has a time zone."""
    known = failed_runs.read(stack)
    landed = deliveries(stack, known, period=period)
    outputs, due = stack.outputs, None
    if "DeadlineDay" in outputs:
        day, hour = int(outputs["DeadlineDay"]), int(outputs["DeadlineHour"])
        due = deadline(period, outputs["TimeZone"], day, hour)
    groups = read(stack, known, period, landed, now)
    return Standing(period, groups, due, [each.problem for each in landed if each.problem], now)


def read(
    stack: Stack, known: Executions, period: str, landed: Iterable[Delivery], now: datetime
) -> list[GroupMonth]:
    """How far all groups are that are not retired, by name; `landed` as deliveries.py gives them."""
    runs: defaultdict[str, list[Run]] = defaultdict(list)
    for name, execution in sorted(known.by_name.items(), key=lambda item: item[1]["startDate"]):
        named = names.parse_run(name)
        if named is not None and named.period == period:
            given = known.given(name) if named.purpose in ("test", "comparison") else {}
            runs[named.group].append(Run(name, execution["status"], given))
    datasets: defaultdict[str, list[Delivery]] = defaultdict(list)
    for delivery in landed:
        datasets[delivery.group].append(delivery)
    return [
        of_group(ledger, period, runs[ledger.group], datasets[ledger.group], now)
        for ledger in read_all(stack.client("dynamodb"), stack.table)
        if ledger.registered and not ledger.is_retired
    ]


def of_group(
    ledger: GroupLedger, period: str, runs: Iterable[Run], landed: Iterable[Delivery], now: datetime
) -> GroupMonth:
    """How far a group is.

    Args:
        ledger: the group's.
        period: the month.
        runs: the group's runs of the month, the oldest first.
        landed: the group's datasets of the month.
        now: with its time zone.
    """
    runs, purposes = list(runs), {delivery.purpose for delivery in landed}
    labels = _labels(ledger, period, runs, purposes)
    model, asked = _model(ledger, period, runs, purposes, now)
    undecided = any(
        item["period"] == period and not _is_decided(ledger, name) for name, item in ledger.models.items()
    )
    is_done = labels in ("labelled", "no items") and not undecided
    step = answer_by = ""
    if FAILED in (labels, model):
        step = f"labelmill failures --group {ledger.group}"
    elif asked:
        step = f"labelmill approve {asked}"
        answer_by = expiry(ledger.approvals[asked]).isoformat()
    elif MISSING in (labels, model):
        purpose = "inference" if labels == MISSING else "training"
        both = labels == model == MISSING
        step = f"labelmill order {ledger.group} {period}" + ("" if both else f" --purpose {purpose}")
    return GroupMonth(ledger.group, labels, model, is_done, step, answer_by)


def _labels(ledger: GroupLedger, period: str, runs: list[Run], purposes: set[str]) -> str:
    if period in ledger.months:
        return "labelled"
    if state := _last(runs, "inference"):
        return state
    if ("inference", period) in ledger.without_items:
        return "no items"
    return DELIVERED if "inference" in purposes else MISSING


def _model(
    ledger: GroupLedger, period: str, runs: list[Run], purposes: set[str], now: datetime
) -> tuple[str, str]:
    """The model's state, and the run that waits for a person where one does."""
    training = _last(runs, "training")
    if training == DOES["training"]:
        return training, ""
    trained = {name: item for name, item in ledger.models.items() if item["period"] == period}
    if not trained:
        if training or any(run.status == "SUCCEEDED" for run in runs if _purpose(run) == "training"):
            return training or "nothing new", ""
        if ("training", period) in ledger.without_items:
            return "no items", ""
        return DELIVERED if "training" in purposes else MISSING, ""
    model = max(trained, key=lambda name: trained[name]["trained_at"])
    if training == FAILED:
        return FAILED, ""
    if made := [decision["verdict"] for decision in ledger.decisions if decision["model"] == model]:
        return made[-1], ""
    decided = {decision["run"] for decision in ledger.decisions}
    for run, asked in ledger.approvals.items():
        if (
            asked["model"] == model
            and run not in decided
            and waits(asked, ledger.winner.get("model", ""), now)
        ):
            return "waits for a person", run
    of_model = [run for run in runs if challenger_of(run.given) == model]
    return _last(of_model, "comparison") or _last(of_model, "test") or "trained", ""


def _is_decided(ledger: GroupLedger, model: str) -> bool:
    return any(decision["model"] == model for decision in ledger.decisions)


def _last(runs: list[Run], purpose: str) -> str:
    """What the last run of a purpose is doing, or that it failed; empty where neither."""
    of_purpose = [run for run in runs if _purpose(run) == purpose]
    if any(run.status == "RUNNING" for run in of_purpose):
        return DOES[purpose]
    return FAILED if of_purpose and of_purpose[-1].status in ENDED_IN_VAIN else ""


def _purpose(run: Run) -> str:
    named = names.parse_run(run.name)
    return named.purpose if named else ""
