"""What the demo shows at its end: a line for each group, and what a change of codes did."""

from typing import Any

from infra.local.stack import LocalStack
from infra.results import decisions, published, read_json
from processing.words import counted


def row(stack: LocalStack, group: str, rows: int) -> dict[str, Any]:
    """One line of the demo's table: the decisions on the group, and the counts of its newest labels."""
    decided = decisions(stack, group)
    last, manifest = (decided or [{}])[-1], (published(stack, group) or [{}])[-1]
    return {
        "group": group,
        "rows": rows,
        "verdict": ", then ".join(decision["verdict"] for decision in decided) or "none",
        "reason": last.get("reason", ""),
        "score": float(last["score"]) if last else None,
        "labelled": manifest.get("labelled"),
        "to review": manifest.get("review"),
    }


def change_of_codes(stack: LocalStack, group: str, period: str) -> list[str]:
    """What a change of codes did to the labels of a month, in sentences; none where it has no labels."""
    versions = [manifest for manifest in published(stack, group) if manifest["period"] == period]
    if not versions:
        return []
    first, *amended = versions
    folder = first["address"].removesuffix("manifest.json")
    return sentences(read_json(stack, f"{folder}summary.json"), amended)


def sentences(summary: dict[str, Any], amended: list[dict[str, Any]]) -> list[str]:
    """The change of codes in sentences, from a month's `summary.json` and its amended versions' manifests."""
    changes = summary["changes"] or {"moves": []}  # None in a first month
    lines = [
        f"{counted(move['items'], 'item')} of last month: {move['code']} now, not {move['earlier_code']}"
        for move in changes["moves"]
        if move["cause"] == "codebook"
    ]
    if without_code := summary["review"]["without_code"]:
        lines.append(f"{counted(without_code, 'item')} to review: no single code replaces the model's")
    lines += summary["attention"]
    for version in amended:
        by = ", ".join(version["decided_by"])
        lines.append(
            f"{counted(version['decided'], 'item')} decided by {by}: published as a new version of the labels"
        )
    return lines
