"""What earlier tuning jobs found, for one that goes on from them.

Source: "Run a Warm Start Hyperparameter Tuning Job" (SageMaker developer guide), with its restrictions.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.local.sagemaker.failures import JobFailed


def parents(request: dict[str, Any], jobs: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name and trials (`tuned`, `value`) of each parent that the request's WarmStartConfig names.

    `jobs` is the folder of all jobs. Raises JobFailed for a parent that is gone or searched something else.
    """
    for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
        name = parent["HyperParameterTuningJobName"]
        try:
            trials, asked = (
                json.loads((jobs / name / file).read_text(encoding="utf-8"))
                for file in ("trials.json", "request.json")
            )
        except FileNotFoundError:
            raise JobFailed(f"ClientError: the parent tuning job {name} has left no trials") from None
        if _searched(asked) != _searched(request):
            differs = "has another objective metric, or another number of hyperparameters"
            raise JobFailed(f"ClientError: the parent tuning job {name} {differs}")
        yield name, trials


def _searched(request: dict[str, Any]) -> tuple[str, int]:
    """What must be the same: the metric, and how many hyperparameters, static and tuned ones together."""
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    objective = definition.get("TuningObjective") or config["HyperParameterTuningJobObjective"]
    ranges = definition.get("HyperParameterRanges") or config["ParameterRanges"]
    tuned = sum(len(of_one_kind) for of_one_kind in ranges.values())
    return objective["MetricName"], tuned + len(definition.get("StaticHyperParameters", {}))
