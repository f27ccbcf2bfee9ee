"""What each way of saving is worth, computed against the plan as it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipelines.plan import usage
from pipelines.plan.groups import ModelGroup
from pipelines.plan.prices import Prices
from pipelines.plan.usage import Settings, used_by_runs

SMALL, LARGE = "ml.m5.large", "ml.m5.xlarge"
#: Assumed share of groups whose labelled rows are those of last month.
UNCHANGED_EVERY = 4
#: Deliveries in a month where a warehouse delivers weekly.
DELIVERIES = 4
#: The first training jobs of ten tuning jobs on real data (five countries, two months) after which three more
#: brought nothing: 5.1 of 8 on average. Two lost 0.035 and 0.038 macro-F1 by it, others up to 0.012.
TRIALS_UNTIL_NO_PROGRESS = 5


@dataclass(frozen=True)
class Lever:
    """One way of saving.

    Attributes:
        saves: dollars a month against the plan; None where it is in the plan already.
        costs_without: dollars a month that leaving it out would add, where it is in the plan already.
    """

    name: str
    saves: float | None
    costs_without: float | None
    note: str


def levers(groups: list[ModelGroup], settings: Settings, prices: Prices) -> list[Lever]:
    """Every lever alone, against the plan of these settings."""
    groups = [replace(group, trials=settings.trials or group.trials) for group in groups]
    settings = replace(settings, trials=0)

    def cost(changed: Settings, trials: Callable[[int], int] = int) -> float:
        fewer = [replace(group, trials=trials(group.trials)) for group in groups]
        runs = [run for group in fewer for run in _runs(group, changed)]
        return prices.cost(used_by_runs(runs, changed, prices))

    now = cost(settings)
    tune = next(job for job in usage.retraining(groups[0], settings)[0].jobs if job.kind == "tuning")
    small, large = (replace(settings, instances=dict.fromkeys(settings.instances, t)) for t in (SMALL, LARGE))
    right_sized = set(settings.instances.values()) == {SMALL}
    on_demand, on_spot = cost(replace(settings, spot=False)), cost(replace(settings, spot=True))
    return [
        Lever(
            "Spot for tuning",
            None if tune.spot else now - on_spot,
            on_demand - now if tune.spot else None,
            f"{prices.spot_discount:.0%} off the trials; an interrupted trial runs again",
        ),
        Lever(
            f"right-sized machines ({SMALL})",
            None if right_sized else now - cost(small),
            cost(large) - now if right_sized else None,
            f"against {LARGE}; most of a job is its start; memory suffices (0.35 GB measured)",
        ),
        Lever(
            "half the trials, as the search starts warm",
            now - cost(settings, lambda trials: max(1, trials // 2)),
            None,
            "with 4 for 8 macro-F1 in five groups was 0.808 instead of 0.813 (cold 0.802)",
        ),
        Lever(
            "stop the search without progress",
            now - cost(settings, lambda trials: min(trials, TRIALS_UNTIL_NO_PROGRESS)),
            None,
            "after 3 trials without progress; measured: up to 0.04 macro-F1 lost in small groups",
        ),
        Lever(
            "skip unchanged retraining",
            sum(
                _after_prepare(group, settings, prices)
                for group in groups[UNCHANGED_EVERY - 1 :: UNCHANGED_EVERY]
            ),
            None,
            f"in use; none is counted in the plan. If one group in {UNCHANGED_EVERY} has last month's rows",
        ),
        Lever(
            "stop single trials early",
            0.0,
            None,
            "a trial has one score, at its end: there is nothing to stop on",
        ),
        Lever(
            "one inference a month",
            None,
            (DELIVERIES - 1) * _starts(groups, settings, prices),
            f"{DELIVERIES} deliveries a month would start {DELIVERIES} times the jobs",
        ),
    ]


def _runs(group: ModelGroup, settings: Settings) -> list[usage.Run]:
    return usage.retraining(group, settings) + usage.inference(group, settings)


def _after_prepare(group: ModelGroup, settings: Settings, prices: Prices) -> float:
    """What a retraining costs beyond its first job."""
    training, *rest = usage.retraining(group, settings)
    later = [replace(training, jobs=training.jobs[1:]), *rest]
    return prices.cost(used_by_runs(later, settings, prices))


def _starts(groups: list[ModelGroup], settings: Settings, prices: Prices) -> float:
    """What the inference of all groups would cost if no group had an item to label."""
    empty = [replace(run, rows=0) for group in groups for run in usage.inference(group, settings)]
    return prices.cost(used_by_runs(empty, settings, prices))
