"""What earlier tuning jobs found, for one that continues from them.

That a parent is there, has ended, and searched for the same is checked before (infra/local/refusals/).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def parents(request: dict[str, Any], jobs: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Name and trials (`tuned`, `value`) of each parent that the request's WarmStartConfig names.

    `jobs` is the folder of all jobs. A parent that failed before its first trial has none.
    """
    for parent in request.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", []):
        name = parent["HyperParameterTuningJobName"]
        kept = jobs / name / "trials.json"
        yield name, json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
