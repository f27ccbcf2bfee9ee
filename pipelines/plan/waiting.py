"""When the last group is done: every run of the month on a simulated clock, under the account's quotas.

A job that meets a full quota is refused and tries again later, as the definitions say: exponential backoff
with full jitter, no queue and no order. The random numbers come from the group's name, so that the same plan
gives the same answer.
"""

import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from pipelines.plan.definitions import Job, QuotaRetry
from pipelines.plan.durations import elapsed_seconds
from pipelines.plan.errors import PlanError
from pipelines.plan.prices import Prices
from pipelines.plan.quotas import KINDS, quota_kind
from pipelines.plan.usage import Run, Settings


@dataclass(frozen=True)
class Outcome:
    """When each chain of runs was done, in seconds from the landing of the datasets, and what waiting took.

    Attributes:
        finished: by name of the chain; a chain that failed is in `failed` instead, with the reason.
        refusals: job requests that met a full quota; each costs one state transition.
    """

    finished: dict[str, float]
    failed: dict[str, str]
    refusals: int
    most_at_once: Counter[str]


def simulate(chains: dict[str, list[Run]], settings: Settings, prices: Prices, quota: int) -> Outcome:
    """Run chains of runs that all land at second 0. `quota`: instances at once, for each kind of job."""
    month = _Month(settings, prices, quota)
    for name, runs in chains.items():
        month.clock.process(month.chain(name, runs))
    month.clock.run()
    return Outcome(month.finished, month.failed, month.refusals, month.most)


class _Month:
    def __init__(self, settings: Settings, prices: Prices, quota: int):
        self.settings, self.prices, self.quota = settings, prices, quota
        self.clock = simpy.Environment()
        self.free = {kind: simpy.Container(self.clock, quota, quota) for kind in KINDS}
        self.finished: dict[str, float] = {}
        self.failed: dict[str, str] = {}
        self.most: Counter[str] = Counter()
        self.refusals = 0

    def chain(self, name: str, runs: list[Run]) -> Generator[simpy.Event, Any, None]:
        chance = random.Random(name)
        for run in runs:
            started = self.clock.now
            for job in run.jobs:
                if not (yield from self.job(job, run, chance)):
                    self.failed[name] = f"{job.state} was refused {job.retry.attempts + 1} times"
                    return
            if self.clock.now - started > run.timeout_seconds:
                hours = run.timeout_seconds / 3600
                self.failed[name] = f"the {run.machine} run took longer than the {hours:g} hours allowed"
                return
        self.finished[name] = self.clock.now

    def job(self, job: Job, run: Run, chance: random.Random) -> Generator[simpy.Event, Any, bool]:
        """One job from its first request to its end; False where its tries were used up."""
        kind, wanted = quota_kind(job), job.instances * job.parallel
        if wanted > self.quota:
            raise PlanError(
                f"{job.state} needs {wanted} instances at once, but the quota is {self.quota}. "
                "Fix: ask AWS for a higher quota, or tune with fewer jobs in parallel."
            )
        for attempt in range(job.retry.attempts + 1):
            if self.free[kind].level >= wanted:
                break
            self.refusals += 1
            yield self.clock.timeout(_delay(job.retry, attempt, chance))
        else:
            return False
        yield self.free[kind].get(wanted)
        self.most[kind] = max(self.most[kind], self.quota - int(self.free[kind].level))
        instance = self.settings.instances[job.machines]
        yield self.clock.timeout(elapsed_seconds(job, run.rows, self.prices.vcpus(instance)))
        yield self.free[kind].put(wanted)
        return True


def _delay(retry: QuotaRetry, attempt: int, chance: random.Random) -> float:
    # The exponent is bounded because a float is; the delay is at its longest long before.
    longest = min(retry.longest_seconds, retry.first_seconds * retry.rate ** min(attempt, 60))
    return chance.uniform(0, longest)
