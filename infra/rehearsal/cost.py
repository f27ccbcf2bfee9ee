"""What a rehearsal costs: the jobs of its runs, at the plan's prices."""

from collections import Counter

from infra.rehearsal.run import LABELLED_ROWS, NEW_ROWS
from infra.rehearsal.runs import GROUP
from pipelines.plan.groups import ModelGroup
from pipelines.plan.prices import Prices
from pipelines.plan.usage import Settings, inference, retraining, used_by_runs

#: Labelled are new items, the same after each of two faults, and what the warehouse has unloaded.
TRAININGS, INFERENCES = 2, 4


def dollars(instances: dict[str, str], prices: Prices) -> float:
    """US dollars; `instances` are types by the template's parameter. Raises PlanError for an unknown one."""
    group, settings = ModelGroup(GROUP, NEW_ROWS, LABELLED_ROWS), Settings(instances)
    runs = TRAININGS * retraining(group, settings) + INFERENCES * inference(group, settings)
    used: Counter[str] = used_by_runs(runs, settings, prices)
    return prices.cost(used)
