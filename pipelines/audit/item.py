"""All that is known of one item's label, as JSON holds it: what `labelmill audit` prints or makes a page of.

What is gone, or was never there, is named under `missing`; the rest is still shown.
"""

from __future__ import annotations

import csv
import difflib
import io
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import names
from pipelines.audit.month import Month, Version, artefact_digest, compared_in, earlier
from pipelines.audit.sources import LEDGER, NOWHERE, AuditError, Source, Sources, parsed
from pipelines.errors import Refused
from pipelines.evidence import neighbours, training_rows
from pipelines.ledger import artefact
from processing.dataset.text import TEXT_COLUMNS, text_keys
from processing.labels.published import OVERTAKEN, TABLE
from processing.month.month_changes import CAUSES
from processing.verdict.scores import BINS

if TYPE_CHECKING:
    from inference.explain import Explanation

FORMAT = 1
NEIGHBOURS = 5
NEAR = 3
#: What is left out of a label's row, as it is the same in every row.
OF_THE_MONTH = ("model_group", "period")
REASONS = 40
WEIGHT_DECIMALS = 4


def audit(sources: Sources, month: Month, item_id: str) -> dict[str, Any]:
    """The label of one item and all it rests on; docs/audit.md lists the fields.

    Raises:
        AuditError: the labels have no such item, or something is not what was recorded.
    """
    label, twins = _label(sources, month, item_id)
    item = _item(sources, month, label) if label["status"] != "rejected" else None
    explained = _explanation(sources, month, label, item) if item else None
    evidence = month.evidence(sources)
    confidence = label["confidence"] or (explained or {}).get("confidence")
    found = {
        "format": FORMAT,
        "group": month.ledger.group,
        "period": month.manifest["period"],
        "run": month.manifest["run"],
        "item_id": item_id,
        "label": label,
        "rows_with_this_id": twins,
        "item": item,
        "rejected": _rejected(sources, month, item_id) if label["status"] == "rejected" else None,
        "explanation": explained,
        "confidence": _meaning(confidence, evidence, month.manifest["model"]),
        "neighbours": _neighbours(sources, month, item) if item else None,
        "decisions": _decisions(sources, month, label),
        "change": _change(sources, month, label),
        "codes": _codes(sources, month, label, explained),
        "model": _model(month),
        "dataset": _dataset(sources, month),
        "versions": [
            {name: each.manifest[name] for name in ("run", "labelled_at")} | {"labels": each.address}
            for each in month.versions
        ],
    }
    return found | {
        "sources": [asdict(source) for source in sources.read.values()],
        "missing": list(dict.fromkeys(sources.missing)),
    }


def _label(sources: Sources, month: Month, item_id: str) -> tuple[dict[str, Any], int]:
    """The item's row of the labels, one that was used before those that were rejected; how many there are."""
    table = _rows(sources, month.versions[0])
    rows = table.filter(pc.equal(table["item_id"], item_id)).to_pylist()
    if not rows:
        ids = [each for each in table["item_id"].to_pylist() if each is not None]
        raise AuditError(_unknown(month, item_id, ids))
    rows.sort(key=lambda row: row["status"] == "rejected")
    return {name: _plain(value) for name, value in rows[0].items() if name not in OF_THE_MONTH}, len(rows)


def _unknown(month: Month, item_id: str, ids: list[str]) -> str:
    near = difflib.get_close_matches(item_id, ids, NEAR, cutoff=0.7)
    shown = f" Near it are {', '.join(map(repr, near))}." if near else ""
    return (
        f"{item_id!r} is not among the {len(ids):,} ids in the labels of {month.manifest['run']}.{shown} "
        "Fix: write the item_id as it was delivered"
    )


def _rows(sources: Sources, version: Version) -> pa.Table:
    content = version.file(sources, TABLE)
    if content is None:
        raise AuditError(f"{sources.missing[-1]} Fix: restore that object's last version")
    return pq.read_table(io.BytesIO(content))


def _item(sources: Sources, month: Month, label: dict[str, Any]) -> dict[str, Any] | None:
    """The item as it went to the model. Its text is the one that was labelled: their hashes are compared."""
    key = names.ITEMS.format(group=month.ledger.group, run=month.labelling.manifest["run"])
    folder = names.address(month.work_bucket, key)
    for address in sources.below(folder):
        with sources.open("items as they went to the model", address) as file:
            for line in file or ():
                item: dict[str, Any] = parsed(line, address)
                if item["item_id"] != label["item_id"]:
                    continue
                table = pa.table({name: pa.array([item[name]], pa.string()) for name in TEXT_COLUMNS})
                [key] = text_keys(month.ledger.group, table).to_pylist()
                if key != label["text_key"]:
                    raise AuditError(
                        f"{address}: the text of {item['item_id']!r} is not the one that was labelled: its "
                        f"text_key is {key}, that of the label {label['text_key']}. "
                        "Fix: restore the version of the object that has that one"
                    )
                by = f"text_key in the label, of the item's text: {key}"
                sources.note(replace(sources.read[address], by=by))
                return item
        sources.forget(address)
    sources.missing.append(f"The item as it went to the model: nothing below {folder} has it any more.")
    return None


def _rejected(sources: Sources, month: Month, item_id: str) -> dict[str, Any] | None:
    """Why the row could not be used, and what puts it right."""
    address = f"{month.folder(month.labelling.manifest['run'])}rejected/rejected.jsonl"
    content = sources.get("rows that could not be used", address)
    rows = (parsed(line, address) for line in (content or b"").splitlines())
    return next((row for row in rows if row["item_id"] == item_id), None)


def _explanation(
    sources: Sources, month: Month, label: dict[str, Any], item: dict[str, Any]
) -> dict[str, Any] | None:
    """What spoke for the model's code and against its second one, by the model itself."""
    from inference.explain import explain
    from inference.predict import Labeller
    from training import model as models

    model = month.model
    try:
        with tempfile.TemporaryDirectory() as folder:
            address, digest = model["artefact"], model["artefact_digest"]
            artefact.fetch(sources.s3, address, digest, models.FILES, Path(folder))
            loaded = models.load(Path(folder))
            fields = {name: value for name, value in item.items() if name != "item_id"}
            explained = explain(Labeller(loaded), fields)
    except (Refused, ValueError) as error:
        sources.missing.append(f"Why the model gave its code: {error}")
        return None
    by = f"{LEDGER}, {model['entry']} (there in Base64)"
    sources.note(Source("the model's artefact", address, artefact_digest(model), by))
    return _in_json(explained, label, loaded.threshold_of(explained.code))


def _in_json(explained: Explanation, label: dict[str, Any], threshold: float) -> dict[str, Any]:
    reasons = [
        asdict(reason) | {"weight": round(reason.weight, WEIGHT_DECIMALS)} for reason in explained.reasons
    ]
    rest = sum(reason.weight for reason in explained.reasons[REASONS:])
    confidence = round(explained.confidence, 4)
    return {
        "code": explained.code,
        "confidence": confidence,
        "second_code": explained.second_code,
        "second_confidence": round(explained.second_confidence, 4),
        "threshold": round(threshold, 4),
        "reasons": reasons[:REASONS],
        "weaker_reasons": {"count": len(reasons[REASONS:]), "weight": round(float(rest), WEIGHT_DECIMALS)},
        "bias": round(explained.bias, WEIGHT_DECIMALS),
        # Where the label's confidence is the model's: made again now, it must be the same.
        "as_labelled": None if label["confidence"] is None else abs(confidence - label["confidence"]) < 5e-4,
    }


def _meaning(confidence: float | None, evidence: dict[str, Any] | None, model: str) -> dict[str, Any] | None:
    """Of labels this sure, how many of the model's were right on the test rows of the comparison."""
    from scipy.stats import binomtest

    roles = [evidence[role] for role in ("challenger", "winner") if evidence[role]] if evidence else []
    scores = next((each for each in roles if each["model"] == model), None)
    if confidence is None or evidence is None or scores is None:
        return None
    found = {"confidence": confidence, "comparison": evidence["run"], "test_rows": evidence["rows"]}
    # As processing.verdict.scores: a bin holds its upper edge.
    bins = [
        each for each in scores["calibration"] if each["low"] < confidence <= each["high"] or not confidence
    ]
    if not bins:
        low = min(int(confidence * BINS), BINS - 1) / BINS
        return found | {"low": low, "high": low + 1 / BINS, "rows": 0, "right": 0, "interval": None}
    rows, right = bins[0]["rows"], round(bins[0]["accuracy"] * bins[0]["rows"])
    interval = binomtest(right, rows).proportion_ci(method="exact")
    return found | {
        **{"low": bins[0]["low"], "high": bins[0]["high"], "rows": rows, "right": right},
        "interval": [round(float(interval.low), 4), round(float(interval.high), 4)],
    }


def _neighbours(sources: Sources, month: Month, item: dict[str, Any]) -> list[dict[str, Any]] | None:
    model = month.manifest["model"]
    try:
        rows = training_rows.read(sources.s3, month.work_bucket, month.ledger, model)
    except Refused as error:
        sources.missing.append(f"The most alike training rows: {error}")
        return None
    by = f"{LEDGER}: the training's claim on rows of the digest {rows.digest}" if rows.claimed else NOWHERE
    for address, digest in rows.files.items():
        sources.note(Source("rows that the model learned", address, digest, by))
    table = pa.table({name: pa.array([item[name]], pa.string()) for name in TEXT_COLUMNS})
    [found] = neighbours.most_alike(table, rows.table, NEIGHBOURS)
    return [asdict(each) for each in found]


def _decisions(sources: Sources, month: Month, label: dict[str, Any]) -> list[dict[str, Any]]:
    """What people had said of the item, or of another with its text, until these labels were made.

    The oldest first; `holds`: whether it is what the label says.
    """
    until = datetime.fromisoformat(month.manifest["labelled_at"])
    found = [*_in_sheets(sources, month, label, until), *_overtaken(sources, month, label)]
    held = (label["decided_at"], label["decided_by"])
    if label["decided_at"] and held not in ((each["decided_at"], each["decided_by"]) for each in found):
        kept = ("answer", "decided_by", "decided_at", "why", "suggested")
        own = {name: label[name] for name in kept} | {"decided_on": label.get("decided_on")}
        code = label["code"] if label["answer"] in ("code", "same_text") else None
        found.append(own | {"item_id": label["item_id"], "label": code, "sheet": None})
    once: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in found:
        same = (each["decided_at"], each["decided_by"]) == held
        each["holds"] = same and (label["answer"] == "same_text" or each["item_id"] == label["item_id"])
        once.setdefault((each["decided_at"], each["decided_by"], each["item_id"]), each)
    return [each for _, each in sorted(once.items())]


def _in_sheets(
    sources: Sources, month: Month, label: dict[str, Any], until: datetime
) -> Iterator[dict[str, Any]]:
    """The lines about the item, or its text, on the sheets of all months, decided not later than `until`."""
    folder = names.address(month.work_bucket, names.REVIEWED.format(group=month.ledger.group))
    fields = ("item_id", "answer", "label", "suggested", "decided_by", "decided_at", "decided_on", "why")
    for address in sources.below(folder):
        if not address.endswith(".jsonl"):
            continue
        content = sources.get("decisions of a sheet", address)
        sheet = {"sheet": address.removeprefix(folder).partition("/")[0]}
        ours = []
        for line in (parsed(text, address) for text in (content or b"").splitlines()):
            at = datetime.fromisoformat(line["decided_at"])
            if _is_about(line, label) and at <= until:
                said = {name: line.get(name) for name in fields}
                ours.append(said | {"decided_at": _plain(at)} | sheet)
        if not ours:
            sources.forget(address)
        yield from ours


def _is_about(line: dict[str, Any], label: dict[str, Any]) -> bool:
    return any(line[name] == label[name] for name in ("item_id", "text_key"))


def _overtaken(sources: Sources, month: Month, label: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The decisions on the month that its versions do not hold."""
    for version in month.versions:
        content = version.file(sources, OVERTAKEN)
        for row in pq.read_table(io.BytesIO(content)).to_pylist() if content else ():
            if row["item_id"] == label["item_id"]:
                fields = ("item_id", "answer", "label", "decided_by", "decided_at", "why")
                said = {name: _plain(row[name]) for name in fields}
                yield said | {"decided_on": row.get("decided_on"), "suggested": None, "sheet": None}


def _change(sources: Sources, month: Month, label: dict[str, Any]) -> dict[str, Any] | None:
    """The item's label in the month before, and why it is another now; None in a first month."""
    before = earlier(sources, month)
    if before is None:
        return None
    table = _rows(sources, before)
    rows = table.filter(pc.equal(table["item_id"], label["item_id"])).to_pylist()
    was = next((row for row in rows if row["status"] != "rejected"), None)
    fields = ("code", "description", "status", "confidence", "model")
    found = {
        "period": before.manifest["period"],
        "run": before.manifest["run"],
        "was": was and {name: was[name] for name in fields},
        "cause": None,
        "why": None,
    }
    content = month.labelling.file(sources, "changes.csv") or b""
    for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")):
        # In files of earlier releases an apostrophe keeps spreadsheets from converting an id.
        if row["item_id"] in (label["item_id"], f"'{label['item_id']}"):
            found |= {"cause": row["cause"], "why": CAUSES[row["cause"]]}
    return found


def _codes(
    sources: Sources, month: Month, label: dict[str, Any], explained: dict[str, Any] | None
) -> list[dict[str, Any]]:
    """What the codebook says of the codes that the label names, the label's own first."""
    book = month.codebook(sources, label["codebook_version"] or month.manifest["codebook_version"])
    if book is None:
        return []
    named = [label["code"], label["second_code"], label["suggested"]]
    named += [explained["code"], explained["second_code"]] if explained else []
    known = {entry["code"]: entry for entry in book["codes"]}
    about = {name: book[name] for name in ("version", "source")}
    return [known[code] | {"codebook": about} for code in dict.fromkeys(named) if code in known]


def _model(month: Month) -> dict[str, Any]:
    """The model, and the decisions on it until it labelled the month."""
    fields = ("run", "period", "trained_at", "artefact", "data_digest", "code_digest", "image")
    model, verdict = month.model, month.verdict
    shown: tuple[str, ...] = ("time", "run", "verdict", "reason", "decided_by", "replaces", "score")
    shown += ("replaced_score", "evidence", "evidence_digest")
    decisions = [
        {name: each.get(name) for name in shown} | {"comparison": compared_in(each)}
        for each in month.decisions
    ]
    return {
        "name": model["name"],
        **{name: model[name] for name in fields},
        "artefact_digest": artefact_digest(model),
        "shared_rows": int(model.get("shared_rows", 0)),
        "codebook_version": model["codebook_version"],
        "made_winner_by": verdict and verdict["run"],
        "decisions": decisions,
    }


def _dataset(sources: Sources, month: Month) -> dict[str, Any]:
    at, version = names.split_delivered(month.labelling.recorded["delivered"])
    month.dataset_manifest(sources)
    report = month.prepared(sources) or {}
    return {
        "address": month.manifest["dataset"],
        "delivered": at,
        "manifest_version": version,
        "rows": report.get("rows"),
        "data_digest": report.get("data_digest"),
        "files": report.get("files", []),
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it: moments as ISO 8601 in UTC, with milliseconds."""
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
