"""What an export says of a model, from its group's ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pipelines import names
from pipelines.ledger.reading import GroupLedger, status

APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"
#: Of a model's item, and of the decision on it, in each export under the same names.
OF_MODEL = (
    *("period", "run", "test_set", "codebook_version", "trained_at"),
    *("data_digest", "code_digest", "image", "artefact", "artefact_digest"),
)
OF_DECISION = ("verdict", "decided_by", "evidence", "evidence_digest")


def approval(ledger: GroupLedger, model: str) -> str:
    """What a model is to the Model Registry.

    At most one of a group is approved, its winner: after a rollback that is not the newest, and whoever
    deploys the newest approved package must not get another. A model on which nothing is decided is pending.
    """
    if ledger.winner.get("model") == model:
        return APPROVED
    last = last_decision(ledger, model)
    return PENDING if not last or last["verdict"] == "UNDECIDED" else REJECTED


def last_decision(ledger: GroupLedger, model: str) -> dict[str, Any]:
    """The newest decision on a model; empty where there is none."""
    return next((each for each in reversed(ledger.decisions) if each["model"] == model), {})


def facts(ledger: GroupLedger, model: str, now: datetime) -> dict[str, str]:
    """Where a model comes from and what has become of it, by name; `now` has a time zone."""
    item, decided = ledger.models[model], last_decision(ledger, model)
    known = {name: item.get(name) for name in OF_MODEL} | {name: decided.get(name) for name in OF_DECISION}
    said = {name: str(value) for name, value in known.items() if value not in (None, "")}
    return {
        "model": model,
        "group": ledger.group,
        **said,
        "status": status(ledger, model, now),
        "approval": approval(ledger, model),
    }


def comparisons(ledger: GroupLedger) -> Iterator[tuple[str, dict[str, Any]]]:
    """Period and decision of each comparison that was decided, the oldest first."""
    for decision in ledger.decisions:
        named = names.parse_run(decision["run"])
        if named and named.purpose == "comparison":
            yield named.period, decision
