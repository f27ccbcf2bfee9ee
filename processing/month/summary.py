"""The summary that stands next to a month's labels: counts, what changed, what needs attention."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from processing.arrays import Floats
from processing.codes.codebook import Codebook
from processing.dataset import doubtful_rows, findings, training_report
from processing.labels import advice, output
from processing.labels.output import STATUSES
from processing.labels.published import Published
from processing.labels.without_person import right_of_all
from processing.month import attention, history, month_changes, moves
from processing.policy import AUTOMATIC

NAME = "summary.json"
#: What it takes of the labels.
COLUMNS = ("code", "status", "answer", "decided_on", "suggested")
#: What a summary has of the last comparison's test.
TESTED = ("at_precisions", "confused", "mostly_another")


def summarise(
    table: pa.Table,
    about: dict[str, object],
    plan: dict[str, Any],
    confidence: Floats,
    earlier: Published | None,
    book: Codebook,
    report: dict[str, Any] | None = None,
    unseen_words: float | None = None,
    decisions: dict[str, int] | None = None,
    earlier_summary: dict[str, Any] | None = None,
    test: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The summary (docs/outputs.md).

    Args:
        table: the published rows that could be used: COLUMNS are enough.
        about: what the manifest says: group, period, run, model, codebook version, counts by status.
        plan: the review plan (processing.labels.review_queue).
        confidence: the model's, of all items, whoever has decided them.
        earlier: the labels of the latest earlier month, of month_changes.known; None for the first.
        book: the group's codebook.
        report: Prepare's, of the run that trained the model; None leaves the model's reach out.
        unseen_words: share of words the model has never seen, in [0, 1]; None where it does not say.
        decisions: counts of processing.labels.kept_decisions.
        earlier_summary: the one beside `earlier`, with the history that this one goes on with.
        test: what the last comparison's test says of the model (`tested`).
        changes: figures of month_changes.Changes; None without `earlier`.
    """
    period = str(about["period"])
    by_code = month_changes.codes(table, earlier and earlier.table, book, period)
    known = history.before(earlier_summary, earlier, book, period)
    right = plan["reliability"]["right"] if plan["reliability"] else None
    own = history.month(about, table, confidence, plan["needed_as_said"], plan["automatic"], right)
    summary = {
        **{name: about[name] for name in ("group", "period", "run", "model", "codebook_version")},
        "counts": counts(table, about),
        "findings": about.get("findings", {}),
        "earlier": _earlier(earlier),
        "codes": by_code,
        "codes_out_of_reach": _out_of_reach(report, book, period) if report else [],
        "review": plan,
        "test": test,
        "decisions": decisions,
        "changes": changes,
        "drift": moves.since(known, own) if known else None,
        "unseen_words": unseen_words,
        "history": [*known, own],
    }
    return attention.with_attention(summary)


def tested(evidence: dict[str, Any], model: str) -> dict[str, Any] | None:
    """What a comparison's test says of what the model leaves to people (labels/without_person.py).

    None where the model was not part of it, or where that was not yet counted.
    """
    for scored in filter(None, (evidence["challenger"], evidence["winner"])):
        if scored["model"] == model and "at_precisions" in scored:
            doubtful = evidence.get("doubtful") if scored is evidence["challenger"] else None
            return {
                "run": evidence["run"],
                **{name: scored[name] for name in TESTED},
                "labels_doubted": doubtful_rows.are_many(doubtful),
            }
    return None


def expected(summary: dict[str, Any]) -> str:
    """How right the month's labels are expected to be, in a sentence."""
    plan, counts = summary["review"], summary["counts"]
    alone, items = plan["expected_precision"], counts["rows"] - counts["rejected"]
    # Policies from before there were two promises had this one.
    promise = plan.get("promise", AUTOMATIC)
    of_all = plan.get("expected_month", right_of_all(alone, plan["automatic"], items))
    return advice.both(alone, of_all, plan["wanted_precision"], promise)


def counts(table: pa.Table, about: Mapping[str, object]) -> dict[str, Any]:
    """Rows by status, as the manifest has them, and how many of the labelled ones a person has decided."""
    return {**{name: about[name] for name in ("rows", *STATUSES)}, "decided": output.decided(table)}


def read(folder: Path) -> dict[str, Any]:
    """The summary beside published labels, which `published.read` has checked."""
    summary: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    return summary


def write(summary: dict[str, Any], folder: Path) -> None:
    """Write `summary.json` into a folder."""
    (folder / NAME).write_text(json.dumps(summary, ensure_ascii=False, indent=1), encoding="utf-8")


def message(summary: dict[str, Any]) -> dict[str, object]:
    """The job's message about a summary: decided, expected right, what was found, what needs attention."""
    found = summary["attention"]
    stands = any(check["since"] for check in summary["checks"] if "since" in check)
    return {
        "decided": summary["counts"]["decided"],
        "expected": expected(summary),
        # Of labels from before it was written down, nothing is known.
        "found": findings.in_words(summary.get("findings", {})),
        "alarms": len(found),
        "attention": " ".join(found) or ("Nothing new." if stands else "Nothing."),
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
