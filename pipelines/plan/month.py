"""The whole plan: jobs, hours, money and the end of the month, for inference and for retraining."""

from collections import Counter
from dataclasses import dataclass

from pipelines.plan import usage
from pipelines.plan.groups import ModelGroup
from pipelines.plan.levers import Lever, levers
from pipelines.plan.prices import Prices
from pipelines.plan.standing import standing_usage
from pipelines.plan.usage import STORED, Run, Settings, used_by_runs
from pipelines.plan.waiting import Outcome, simulate

PARTS = {"inference": usage.inference, "retraining": usage.retraining}


@dataclass(frozen=True)
class Part:
    """Inference or retraining of all groups.

    Attributes:
        jobs: SageMaker jobs, a tuning job's trials counted one by one.
        instance_hours: billed.
        dollars: a month.
        finished_hours: until the last group is done, from the landing of the datasets; None where none is.
    """

    jobs: int
    instance_hours: float
    dollars: float
    finished_hours: float | None
    last_group: str | None


@dataclass(frozen=True)
class Plan:
    """One month.

    Attributes:
        alone_hours: until the last group's labels are done where nothing is retrained beside them; None where
            a group's never are.
        waiting_dollars: transitions of refused requests.
        stored_gb: what the month adds to the buckets.
        storage_dollars: what that costs a month, from then on; the parts have the first one.
        failed: reason by group and part.
    """

    parts: dict[str, Part]
    alone_hours: float | None
    standing_dollars: float
    waiting_dollars: float
    stored_gb: float
    storage_dollars: float
    refusals: int
    failed: dict[str, str]
    levers: list[Lever]

    @property
    def dollars(self) -> float:
        return (
            sum(part.dollars for part in self.parts.values()) + self.standing_dollars + self.waiting_dollars
        )

    @property
    def year_dollars(self) -> float:
        """Twelve such months, the first of an empty stack: what one stores is there in all that follow."""
        return 12 * self.dollars + sum(range(12)) * self.storage_dollars


def plan(groups: list[ModelGroup], settings: Settings, prices: Prices, quota: int) -> Plan:
    """Plan a month whose datasets for inference and for retraining all land in the same minute.

    `quota`: instances at once for each kind of job, as AWS counts them. Raises PlanError.
    """
    chains = {(name, group.name): runs(group, settings) for name, runs in PARTS.items() for group in groups}
    named = {" of ".join(key): runs for key, runs in chains.items()}
    outcome = simulate(named, settings, prices, quota)
    labels = {name: runs for name, runs in named.items() if name.startswith("inference of ")}
    alone = simulate(labels, settings, prices, quota)
    used = used_by_runs([run for chain in chains.values() for run in chain], settings, prices)
    stored = Counter({STORED: used[STORED]})
    return Plan(
        stored_gb=used[STORED],
        storage_dollars=prices.cost(stored),
        parts={name: _part(name, chains, outcome, settings, prices) for name in PARTS},
        alone_hours=None if alone.failed else max(alone.finished.values()) / 3600,
        standing_dollars=prices.cost(standing_usage()),
        waiting_dollars=prices.cost(Counter({"transition": outcome.refusals})),
        refusals=outcome.refusals,
        failed=outcome.failed,
        levers=levers(groups, settings, prices),
    )


def _part(
    name: str, chains: dict[tuple[str, str], list[Run]], outcome: Outcome, settings: Settings, prices: Prices
) -> Part:
    runs = [run for (part, _), chain in chains.items() if part == name for run in chain]
    used = used_by_runs(runs, settings, prices)
    ends = {
        group: outcome.finished[f"{name} of {group}"]
        for part, group in chains
        if part == name and f"{name} of {group}" in outcome.finished
    }
    last = max(ends, key=lambda group: ends[group], default=None)
    return Part(
        jobs=sum(job.trials for run in runs for job in run.jobs),
        instance_hours=sum(quantity for unit, quantity in used.items() if unit.endswith(" hour")),
        dollars=prices.cost(used),
        finished_hours=ends[last] / 3600 if last else None,
        last_group=last,
    )
