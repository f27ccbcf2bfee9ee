"""Models as runs of MLflow, written by MLflow's own client: an experiment a group, a run a model.

Each figure has the month as its step (202610) and the time of what it is about: by that time a figure that
MLflow has already is known, so nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pipelines.exports import models
from pipelines.ledger.reading import GroupLedger
from pipelines.report import comparison_page, page_name
from pipelines.report.archive import Archive

#: Of the scores of a model in a comparison, those that are one number.
SCORES = ("macro_f1", "accuracy", "weighted_f1", "calibration_error", "coverage", "accuracy_of_covered")
STATUSES = ("labelled", "review", "none", "rejected")
#: How a run is known again, whatever people call it in MLflow.
MODEL_TAG = "labelmill.model"


@dataclass
class Written:
    """What MLflow did not have: so many runs, comparisons and months."""

    runs: int = 0
    comparisons: int = 0
    months: int = 0


def export(
    client: Any,
    experiment: str,
    ledger: GroupLedger,
    archive: Archive,
    parameters: Callable[[str], Mapping[str, str]],
    now: datetime,
) -> Written:
    """Write what MLflow lacks of a group's models.

    Args:
        client: an `mlflow.tracking.MlflowClient`.
        experiment: the experiment's name; it is made where it is not there.
        ledger: of the group.
        archive: where evidence and manifests are read.
        parameters: gives the hyperparameters of a model.
        now: with a time zone.

    Raises:
        ReportError: for evidence or a manifest that is not there, or not what was recorded.
    """
    written = Written()
    runs = _runs(client, experiment)
    for model, item in sorted(ledger.models.items(), key=lambda pair: pair[1]["trained_at"]):
        if model not in runs:
            runs[model] = _new_run(client, experiment, model, item, parameters(model))
            written.runs += 1
        _log(client, runs[model], tags=models.facts(ledger, model, now))
    for period, decision in models.comparisons(ledger):
        written.comparisons += _comparison(client, runs, period, decision, archive)
    for period in ledger.months:
        written.months += _month(client, runs, period, ledger, archive)
    return written


def _runs(client: Any, experiment: str) -> dict[str, str]:
    """The ids of the runs that MLflow has, by their model; the experiment is there after it."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        client.create_experiment(experiment)
        return {}
    runs: dict[str, str] = {}
    token = None
    while True:
        page = client.search_runs([found.experiment_id], page_token=token)
        runs |= {run.data.tags[MODEL_TAG]: run.info.run_id for run in page if MODEL_TAG in run.data.tags}
        token = page.token
        if not token:
            return runs


def _new_run(
    client: Any, experiment: str, model: str, item: Mapping[str, Any], parameters: Mapping[str, str]
) -> str:
    trained = _milliseconds(item["trained_at"])
    run = client.create_run(
        client.get_experiment_by_name(experiment).experiment_id,
        start_time=trained,
        tags={MODEL_TAG: model},
        run_name=model,
    )
    run_id: str = run.info.run_id
    figures = {"validation_macro_f1": item["objective"]}
    _log(client, run_id, figures, trained, item["period"], parameters=parameters)
    client.set_terminated(run_id, end_time=trained)
    return run_id


def _comparison(
    client: Any, runs: Mapping[str, str], period: str, decision: Mapping[str, Any], archive: Archive
) -> bool:
    """Write the scores of both models, and for the challenger page and evidence; whether any were new."""
    decided = _milliseconds(decision["time"])
    compared = [model for model in (decision["model"], decision["replaces"]) if model in runs]
    lacking = [model for model in compared if not _has(client, runs[model], "test_macro_f1", decided)]
    if not lacking:
        return False
    evidence, lineage = archive.comparison(decision["run"])
    for role in ("challenger", "winner"):
        scored = evidence[role]
        if scored and scored["model"] in lacking:
            figures = {f"test_{name}": scored[name] for name in SCORES}
            if role == "challenger":
                figures |= {"test_rows": evidence["rows"], "test_difference": evidence["difference"]}
                folder = f"comparisons/{decision['run']}"
                client.log_text(
                    runs[scored["model"]],
                    comparison_page(evidence, lineage),
                    f"{folder}/{page_name(decision['run'])}",
                )
                # As it is, byte for byte: its digest is among the tags.
                text = archive.object(lineage["evidence"]).decode()
                client.log_text(runs[scored["model"]], text, f"{folder}/comparison.json")
            _log(client, runs[scored["model"]], figures, decided, period)
    return True


def _month(client: Any, runs: Mapping[str, str], period: str, ledger: GroupLedger, archive: Archive) -> bool:
    """Write how many of a month's items the model labelled; whether these labels were new to MLflow."""
    month = ledger.months[period]
    [recorded] = [item for item in ledger.labels if item["labels"] == month["labels"]]
    at, model = _milliseconds(recorded["recorded_at"]), recorded["model"]
    if model not in runs or _has(client, runs[model], "month_rows", at):
        return False
    manifest = archive.manifest(month["labels"], ledger)
    rows = manifest["rows"]
    figures = {f"month_{name}_share": manifest[name] / rows for name in STATUSES} if rows else {}
    _log(client, runs[model], {"month_rows": rows, **figures}, at, period)
    return True


def _log(
    client: Any,
    run: str,
    figures: Mapping[str, float | None] = MappingProxyType({}),
    at: int = 0,
    period: str = "0",
    *,
    parameters: Mapping[str, str] = MappingProxyType({}),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write figures of a month, parameters and tags, all with one request."""
    from mlflow.entities import Metric, Param, RunTag

    client.log_batch(
        run,
        [Metric(name, value, at, _step(period)) for name, value in figures.items() if value is not None],
        [Param(name, value) for name, value in parameters.items()],
        [RunTag(f"labelmill.{name}", value) for name, value in tags.items()],
    )


def _has(client: Any, run: str, figure: str, at: int) -> bool:
    return any(metric.timestamp == at for metric in client.get_metric_history(run, figure))


def _milliseconds(time: str) -> int:
    return round(1000 * datetime.fromisoformat(time).timestamp())


def _step(period: str) -> int:
    """A month as MLflow's step, a whole number: 202610."""
    return int(period.replace("-", ""))
