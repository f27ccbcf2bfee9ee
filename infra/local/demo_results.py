"""What the demo shows at its end: a line for each group, and what a change of codes did."""

from collections import Counter

from infra.local.stack import LocalStack
from infra.results import decisions, labels, published, read_json
from pipelines.names import split_address


def row(stack: LocalStack, group: str, rows: int) -> dict:
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
        "files": _path(manifest.get("address", "").removesuffix("manifest.json")),
        "evidence": _path(last.get("evidence", "")),
    }


def change_of_codes(stack: LocalStack, group: str, period: str) -> list[str]:
    """What a change of codes did to the labels of a month, in sentences; none where it has no labels."""
    versions = [manifest for manifest in published(stack, group) if manifest["period"] == period]
    if not versions:
        return []
    folder = versions[0]["address"].removesuffix("manifest.json")
    rows = labels(stack, folder).select(["status", "reason"]).to_pylist()
    told = Counter((each["status"], each["reason"]) for each in rows if each["reason"])
    sentences = [
        f"{count:,} items {'labelled' if status == 'labelled' else 'to review'}: {reason}"
        for (status, reason), count in told.most_common()
        if reason.startswith("code ")
    ]
    sentences += read_json(stack, f"{folder}summary.json")["attention"]
    for amended in versions[1:]:
        by = ", ".join(amended["decided_by"])
        sentences.append(
            f"{amended['decided']:,} items decided by {by}: labels with them are published as a new version"
        )
    return sentences


def _path(address: str) -> str:
    """Where the run folder keeps the object at an S3 address."""
    return "/".join(("s3", *split_address(address))) if address else ""
