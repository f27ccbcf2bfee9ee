"""The summary that stands next to a month's labels: counts, what changed, what needs attention."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from processing.codes.codebook import Codebook
from processing.dataset import findings, training_report
from processing.labels.output import STATUSES
from processing.labels.published import Published
from processing.month import attention, drift, month_changes
from processing.month.drift import Drift

NAME = "summary.json"


def summarise(
    table: pa.Table,
    about: dict[str, object],
    plan: dict[str, object],
    earlier: Published | None,
    book: Codebook,
    report: dict[str, Any] | None = None,
    unseen_words: float | None = None,
    decisions: dict[str, Any] | None = None,
) -> tuple[dict[str, Any], pa.Table | None]:
    """The summary (docs/outputs.md) and the items whose code is another than before.

    Args:
        table: the published rows.
        about: what the manifest says: group, period, run, model, codebook version, counts by status.
        plan: the review plan (processing.labels.review_queue).
        earlier: the labels of the latest earlier month, None for the first.
        book: the group's codebook.
        report: Prepare's, of the run that trained the model; None leaves the model's reach out.
        unseen_words: share of words the model has never seen, in [0, 1]; None where it does not say.
        decisions: counts of processing.labels.kept_decisions; None where the month had no labels before.
    """
    now, period = month_changes.usable(table), str(about["period"])
    before = month_changes.usable(earlier.table) if earlier else None
    by_code = month_changes.codes(now, before, book, period)
    changes, items = month_changes.changed(now, before, book, period) if earlier else (None, None)
    summary = {
        **{name: about[name] for name in ("group", "period", "run", "model", "codebook_version")},
        "counts": {name: about[name] for name in ("rows", *STATUSES)},
        "findings": about.get("findings", {}),
        "earlier": _earlier(earlier),
        "codes": by_code,
        "codes_out_of_reach": _out_of_reach(report, book, period) if report else [],
        "review": plan,
        "decisions": decisions,
        "changes": changes,
        "drift": _drift(by_code, now, before) if earlier else None,
        "unseen_words": unseen_words,
    }
    return attention.with_attention(summary), items


def write(summary: dict[str, Any], folder: Path) -> None:
    """Write `summary.json` into a folder."""
    (folder / NAME).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")


def message(summary: dict[str, Any]) -> dict[str, object]:
    """The job's message about a summary: whether somebody must act, and why; what was found in the data."""
    found = summary["attention"]
    return {
        "alarms": len(found),
        "attention": " ".join(found) or "Nothing.",
        # Of labels from before it was written down, nothing is known.
        "found": findings.in_words(summary.get("findings", {})),
    }


def _earlier(earlier: Published | None) -> dict[str, Any] | None:
    if earlier is None:
        return None
    manifest = earlier.manifest
    return {
        **{name: manifest[name] for name in ("period", "run", "model", "codebook_version")},
        "counts": {name: manifest[name] for name in ("rows", *STATUSES)},
        "unseen_words": manifest.get("unseen_words"),
    }


def _out_of_reach(report: dict[str, Any], book: Codebook, period: str) -> list[dict[str, Any]]:
    """The codes in force that the model never gives: its training rows had none of them.

    They are new to the model where they came into force after its training, and where the rows with the codes
    they stand for were set aside in it.
    """
    before, code_map = set(book.in_force(report["period"])), book.code_map(period)
    left_out = {new for old in report["unclear_codes"] for new in code_map.candidates(old)}
    return [
        {"code": code, "newly_in_force": code not in before or code in left_out}
        for code in code_map.out_of_reach(training_report.codes(report))
    ]


def _drift(by_code: list[dict[str, Any]], now: pa.Table, before: pa.Table) -> dict[str, Any]:
    confidence = drift.of_confidence(month_changes.confidences(now), month_changes.confidences(before))
    return {
        "label_mix": _shown(month_changes.label_mix(by_code), attention.LABEL_MIX),
        "confidence": _shown(confidence, attention.CONFIDENCE),
    }


def _shown(found: Drift | None, threshold: float) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "distance": found.distance,
        "by_chance": found.by_chance,
        "threshold": threshold,
        "alarm": found.is_beyond(threshold),
    }
