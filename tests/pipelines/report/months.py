"""A month's labels as the workflows publish them, on synthetic labels, and what the archive reads of them."""

import csv
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.review.published import Output
from pipelines.review.queue import expected_right, queue
from processing.codes import codebook
from processing.dataset.decisions import read_rows
from processing.labels import csv_guard, label_table, output, published
from processing.labels.kept_decisions import from_before, in_labels, not_kept
from processing.labels.standing_decisions import ITEM, standing
from processing.labels.standing_decisions import said as decided
from processing.month import summary
from processing.month.month_changes import Changes, known
from processing.policy import Policy

BUCKET = "labelled"
CODEBOOK = {
    "group": "FR-packaging",
    "version": "2026-10",
    "language": "fr",
    "source": "synthetic sample",
    "attributes": [],
    "codes": [
        {"code": code, "description": name, "valid_from": since, "valid_to": until, "critical": False}
        for code, name, since, until in (
            ("PAP", "Papier et carton", "2020-01-01", None),
            ("PLA", "Plastique", "2020-01-01", None),
            ("ACI", "Acier", "2020-01-01", "2026-09-30"),
            ("ACI-N", "Acier", "2026-10-01", None),
            ("CPL", "Emballage composite", "2020-01-01", "2026-09-30"),
            ("CPL-1", "Briques", "2026-10-01", None),
            ("CPL-2", "Autres composites", "2026-10-01", None),
        )
    ],
    "successions": [
        {"kind": "renamed", "from": ["ACI"], "to": ["ACI-N"], "date": "2026-10-01"},
        {"kind": "split", "from": ["CPL"], "to": ["CPL-1", "CPL-2"], "date": "2026-10-01"},
    ],
}
PREDICTIONS = pa.schema(
    {
        "item_id": pa.string(),
        "code": pa.string(),
        "confidence": pa.float64(),
        "second_code": pa.string(),
        "review": pa.bool_(),
        "known_share": pa.float64(),
        "short_list": pa.list_(pa.string()),
        "short_list_size": pa.int64(),
    }
)
SHARES = {"PAP": 0.45, "PLA": 0.3, "ACI": 0.15, "CPL": 0.1}
MODELS = ("FR-packaging-2026-09-1a2b3c4d", "FR-packaging-2026-09-5e6f7a8b")


def publish(
    root: Path, *, group: str = "FR-packaging", rows: int = 400, item_id: str = "{number:06d}", first=False
) -> list[tuple[str, Path]]:
    """Write the labels of two months below `root` as Publish and Amend do, the codes changed between them.

    Returns their addresses and folders: September, October, October amended; or September alone if `first`.
    """
    book = codebook.parse(CODEBOOK | {"group": group})
    made, before, found = [], None, None
    rng = np.random.default_rng(7)
    truth = rng.choice(list(SHARES), size=rows, p=list(SHARES.values()))
    for period, model in zip(("2026-09", "2026-10"), MODELS, strict=True):
        other = rng.random(rows) < (0.12 if before else 0)
        sure = rng.beta(9, 1, rows)
        predictions = pa.table(
            {
                "item_id": [item_id.format(number=number) for number in range(rows)],
                "code": np.where(other, "PLA", truth).tolist(),
                "confidence": sure,
                "second_code": ["PLA"] * rows,
                "review": sure < 0.6,
                "known_share": [0.9] * rows,
                "short_list": [["PAP", "PLA", "ACI", "CPL"]] * rows,
                "short_list_size": [6] * rows,
            },
            schema=PREDICTIONS,
        )
        policy = Policy(review_capacity=40)
        keys = pa.array([f"{number:016x}" for number in range(rows)], pa.string())
        predictions = predictions.append_column("text_key", keys)
        nothing = read_rows(root / "nothing", ITEM, group)
        said = standing(predictions, decided(nothing, None, book, period), policy.same_text)
        asked = label_table.questions(predictions, said, book, period)
        why, plan = label_table.to_review(asked, policy)
        labels = label_table.label(predictions, said, why, book, period)
        labels = labels.append_column("text_key", keys)
        constants = {"model_group": group, "period": period, "model": model}
        table = label_table.assemble([labels], constants, test_set=False)
        run = f"{group}-inference-{period}-0f3a9c21d4e5"
        about = {
            **{"group": group, "period": period, "run": run, "model": model, "codebook_version": "2026-10"},
            "dataset": f"s3://landing/inference/{group}/{period}/d1/",
            "labelled_at": f"{period}-03T04:05:06+00:00",
            **{"rows": rows, **output.by_status(table), "unseen_words": 0.1},
        }
        codes = dict.fromkeys(SHARES, 10)
        splits = {"train": {"codes": codes}, "validation": {"codes": codes}}
        trained = {"period": "2026-09", "splits": splits, "unclear_codes": {}}
        decisions = {**in_labels(table), **from_before(said), "not_kept": not_kept(None)}
        changes = Changes(before.table, book, period) if before else None
        if changes:
            changes.add(table)
        figures = changes and changes.figures()
        found = summary.summarise(
            table, about, plan, sure, before, book, trained, 0.1, decisions, found, None, figures
        )
        made.append(_write(root, about, found, changes and changes.items(), table))
        if first:
            return made
        before = published.Published(about, known(table))
    return [*made, _amend(root, *made[-1])]


def _amend(root: Path, address: str, folder: Path) -> tuple[str, Path]:
    about = json.loads((folder / "manifest.json").read_text())
    run = about["run"].replace("inference", "review")
    more = {"run": run, "amends": address, "decided": 12, "decided_by": ["A. Muster"]}
    found = json.loads((folder / "summary.json").read_text()) | {"run": run}
    return _write(root, about | more, found, None, pq.read_table(folder / "labels.parquet"))


def _write(
    root: Path, about: dict, found: dict, changed: pa.Table | None, table: pa.Table
) -> tuple[str, Path]:
    key = f"labels/{about['group']}/{about['period']}/{about['run']}/"
    folder = root / key
    folder.mkdir(parents=True)
    summary.write(found, folder)
    pq.write_table(table, folder / "labels.parquet")
    if changed is not None:
        label_table.write_csv(changed, folder / "changes.csv")
    files = [
        {
            "name": path.name,
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in sorted(folder.iterdir())
    ]
    (folder / "manifest.json").write_text(json.dumps(about | {"csv": csv_guard.RULE, "files": files}))
    return f"s3://{BUCKET}/{key}", folder


def as_it_was(folder: Path) -> None:
    """Write `changes.csv` as it was when an apostrophe stood before all that is no plain word."""
    path, listing = folder / "changes.csv", folder / "manifest.json"
    header, *lines = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        cells = [[text if text[:1].isalpha() else f"'{text}" for text in line] for line in lines]
        csv.writer(file).writerows([header, *cells])
    manifest = json.loads(listing.read_text())
    del manifest["csv"]
    [file] = [file for file in manifest["files"] if file["name"] == "changes.csv"]
    file["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    listing.write_text(json.dumps(manifest))


def read(made: list[tuple[str, Path]]) -> dict:
    """The newest of the labels in `made`, as the archive reads them."""
    address, folder = made[-1]
    manifest = json.loads((folder / "manifest.json").read_text())
    of_period = [(at, path) for at, path in made if manifest["period"] in at]
    first, changes = of_period[0][0], of_period[0][1] / "changes.csv"
    items = None
    if changes.exists():
        lines = csv.DictReader(io.StringIO(changes.read_bytes().decode("utf-8-sig"), newline=""))
        items = [{name: csv_guard.plain(value) for name, value in line.items()} for line in lines]
    book = CODEBOOK | {"group": manifest["group"]}
    output = Output(address, manifest, pq.read_table(folder / "labels.parquet"))
    errors = [row["errors"] for row in queue(output, codebook.parse(book))]
    return {
        "address": address,
        "manifest": manifest,
        "curve": expected_right(output.labels, errors) if errors else [],
        "summary": json.loads((folder / "summary.json").read_text()),
        "changes": items and {"file": f"{first}changes.csv", "items": items},
        "codebook": book,
        "others": [
            {"labels": at, "recorded_at": f"2026-10-0{day}T04:05:06.789Z"}
            for day, (at, _) in enumerate(of_period[:-1], start=1)
        ],
    }
