"""Evidence as Compare really writes it, on synthetic labels, and a lineage to go with it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from processing import compare
from processing.digests import sha256
from processing.labels import label_table
from tests.processing.job_folders import NONE_SET_ASIDE

CODES = {"1": "Wärmeüberträger", "2": "Bildschirme", "3": "Lampen", "4": "Großgeräte", "5": "Kleingeräte"}
CRITICAL = {"3"}
WORDS = ("Kühlschrank", "Monitor 27 Zoll", "LED-Lampe E27 warmweiß", "Waschmaschine 8 kg", "Wasserkocher")
CHALLENGER, WINNER = "{group}-2026-10-1a2b3c4d", "{group}-2026-09-5e6f7a8b"
CODEBOOK = {
    "group": "DE-weee",
    "version": "2026-10",
    "language": "de",
    "source": "synthetic sample",
    "attributes": [],
    "codes": [
        {
            "code": code,
            "description": name,
            "valid_from": "2018-08-15",
            "valid_to": None,
            "critical": code in CRITICAL,
        }
        for code, name in CODES.items()
    ],
}


def evidence(
    folder: Path,
    *,
    group: str = "DE-weee",
    rows: int = 1200,
    wrong: tuple[float, float | None] = (0.04, 0.08),
    title: str | None = None,
    item_id: str = "{number:06d}",
    seed: int = 7,
) -> dict:
    """Run Compare in `folder` on models that are wrong on these shares of the rows; (share, None): no winner.

    `title` replaces the title of every row.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(list(CODES), size=rows, p=(0.4, 0.25, 0.2, 0.1, 0.05))
    titles = [title or f"{WORDS[int(code) - 1]} Modell {number}" for number, code in enumerate(truth)]
    common = {
        "item_id": [item_id.format(number=number) for number in range(rows)],
        "truth": truth.tolist(),
        "text_key": [f"{number * (2**64 // 5) // rows:016x}" for number in range(rows)],
        "title": titles,
    }
    arguments = {
        "group": group,
        "period": "2026-10",
        "run": f"{group}-comparison-2026-10-0f3a9c21d4e5",
        "policy": "{}",
        "undecided": "",
    }
    for role, model, share in zip(("challenger", "winner"), (CHALLENGER, WINNER), wrong, strict=True):
        model = model.format(group=group) if share is not None else ""
        arguments[role] = model
        arguments[f"{role}-digest"] = ""
        if model:
            published = folder / "processing/input" / role
            _publish(published, model, common, share, rng)
            arguments[f"{role}-digest"] = sha256(published / "manifest.json")
    book = folder / "processing/input/codebook/2026-10.json"
    book.parent.mkdir(parents=True, exist_ok=True)
    book.write_text(json.dumps(CODEBOOK | {"group": group}))
    arguments["codebook-digest"] = sha256(book)
    os.environ["SAGEMAKER_BASE_DIR"] = str(folder)
    try:
        compare.main([part for name, value in arguments.items() for part in (f"--{name}", value)])
    finally:
        del os.environ["SAGEMAKER_BASE_DIR"]
    return json.loads((folder / "processing/output/evidence/comparison.json").read_text(encoding="utf-8"))


def _publish(folder: Path, model: str, common: dict, share: float, rng) -> None:
    truth = np.array(common["truth"])
    codes = np.where(rng.random(len(truth)) < share, rng.choice(list(CODES), size=len(truth)), truth)
    sure = np.where(codes == truth, rng.beta(12, 1, len(truth)), rng.beta(3, 2, len(truth)))
    status = np.where(sure < 0.6, "review", "labelled")
    rows = pa.table(common | {"code": codes.tolist(), "confidence": sure, "status": status.tolist()})
    constants = {"model": model, "run": "r1", "labelled_at": datetime(2026, 10, 2, tzinfo=UTC)}
    folder.mkdir(parents=True, exist_ok=True)
    label_table.write_parquet(
        label_table.assemble([rows], constants, test_set=True), folder / "labels.parquet"
    )
    files = [{"name": "labels.parquet", "sha256": sha256(folder / "labels.parquet")}]
    (folder / "manifest.json").write_text(json.dumps({"run": "r1", "files": files}))
    report = folder.with_name(f"{folder.name}-trained") / "report.json"
    report.parent.mkdir()
    splits = {part: {"codes": dict.fromkeys(CODES, 10)} for part in ("train", "validation")}
    found = {"reviewed": {"conflicts": {"rows": 0, "first": []}}, "set_aside": NONE_SET_ASIDE}
    report.write_text(json.dumps({"period": "2026-10", "splits": splits} | found))


def lineage(evidence: dict) -> dict:
    """Where `evidence` came from, as the archive reads it."""
    group = evidence["group"]
    sides = {
        role: evidence[role] and _side(group, evidence[role]["model"], period)
        for role, period in {"challenger": "2026-10", "winner": "2026-09"}.items()
    }
    return {
        "decision": {
            "verdict": evidence["verdict"],
            "reason": evidence["reason"],
            "decided_by": "comparison",
            "decided_at": "2026-10-03T04:05:06.789Z",
        },
        "waits_until": None,
        "evidence": f"s3://work-bucket/runs/{group}/{evidence['run']}/evidence/comparison.json",
        "evidence_digest": "5e" * 32,
        "codebook": CODEBOOK | {"group": group},
        **sides,
    }


def _side(group: str, model: str, period: str) -> dict:
    run = f"{group}-training-{period}-abcdefabcdef"
    return {
        "model": {
            "name": model,
            "run": run,
            "period": period,
            "artefact": f"s3://work-bucket/models/{group}/{model}/model.tar.gz",
            "objective": "0.9321",
            "data_digest": "d1" * 32,
            "code_digest": "48e6c7247e09e98b",
            "codebook_version": period,
            "test_set": run,
            "trained_at": f"{period}-02T03:04:05.678Z",
        },
        "predictions": {"predictions": f"s3://work-bucket/predictions/{group}/{run}/{model}/"},
        "data": {
            "dataset": f"s3://landing/training/{group}/{period}/d1/",
            "rows": 6000,
            "train": 3900,
            "validation": 896,
            "test": 1200,
            "rejected": 4,
        },
    }
