"""The price file: what AWS bills for, with source and date of every figure."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.plan.errors import PlanError

FILE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Prices:
    """Prices of one Region in US dollars.

    Attributes:
        instances: type to {"vcpus", "memory_gib", "hour"}.
        units: name of a unit ("transition", "put request") to its price.
        spot_discount: share of an instance's price that Spot saves, in [0, 1].
        spot_interruptions_an_hour: how often a Spot machine is taken away, in [0, 1].
        sources: name to {"where", "date"}; only those that this Region's prices come from.
        unverified: how many of the prices no source states for this Region.
    """

    region: str
    as_of: str
    instances: dict[str, dict[str, Any]]
    units: dict[str, float]
    spot_discount: float
    spot_interruptions_an_hour: float
    sources: dict[str, dict[str, Any]]
    unverified: int

    def vcpus(self, instance: str) -> int:
        """vCPUs of an instance type. Raises PlanError where its price is not known."""
        if instance not in self.instances:
            raise PlanError(
                f"{instance} has no price in {self.region}. "
                f"Fix: take one of {', '.join(self.instances)}, or add it to pipelines/plan/prices.json."
            )
        return int(self.instances[instance]["vcpus"])

    def cost(self, usage: Counter[str]) -> float:
        """Dollars for what was used. An instance's unit is `TYPE hour` or `TYPE spot hour`."""
        return sum(quantity * self._price(unit) for unit, quantity in usage.items())

    def _price(self, unit: str) -> float:
        instance, _, rest = unit.partition(" ")
        if instance not in self.instances:
            return self.units[unit]
        hour: float = self.instances[instance]["hour"]
        return hour * (1 - self.spot_discount) if rest == "spot hour" else hour


@cache
def load(region: str, file: Path = FILE) -> Prices:
    """The prices of a Region. Raises PlanError where the file has none."""
    content = json.loads(file.read_text(encoding="utf-8"))
    if region not in content["regions"]:
        raise PlanError(
            f"No prices for {region}. Fix: take {' or '.join(content['regions'])}, or add it to {file}."
        )
    given = content["regions"][region]
    stated = [*given["instance_hours"].values(), *given["units"].values()]
    used = {price["source"] for price in stated} | {content["spot"]["source"]}
    return Prices(
        region=region,
        as_of=content["as_of"],
        instances={
            name: {**content["instances"][name], "hour": hour["price"]}
            for name, hour in given["instance_hours"].items()
        },
        units={name: unit["price"] for name, unit in given["units"].items()},
        spot_discount=content["spot"]["discount"],
        spot_interruptions_an_hour=content["spot"]["interruptions_an_hour"],
        sources={name: source for name, source in content["sources"].items() if name in used},
        unverified=sum(not price["verified"] for price in stated),
    )
