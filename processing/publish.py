"""Publish: bring items and predictions together and write the labelled files, or fail and write nothing.

Every row of the dataset is in the files once: labelled, for review, or rejected with the reason.
"""

import argparse
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing import codebook, container, jsonlines, labelled
from processing.dataset import sha256
from processing.errors import BadCodebook, NotReconciled
from processing.reconcile import START_AGAIN, read_items, read_predictions, reconcile
from processing.rows import REJECTED


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the outputs, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    book = codebook.load(container.input_folder("codebook"), options.group)
    if book.version != options.codebook_version:
        raise BadCodebook(
            f"The run is under codebook {options.codebook_version}, but {book.version} is what it was given.",
            START_AGAIN,
        )
    items = read_items(container.input_folder("items"))
    matched = reconcile(items, read_predictions(container.input_folder("predictions")))
    rejected = jsonlines.read((container.input_folder("rejected") / "rejected.jsonl").read_bytes(), REJECTED)
    labels = labelled.label(matched, book, options.period)
    test_set = options.purpose == "test"
    if test_set:
        labels = _with_truth(labels, pq.read_table(container.input_folder("truth") / "truth.parquet"))
    now = datetime.now(UTC).replace(microsecond=0)
    constants = {
        "model": options.model,
        "codebook_version": book.version,
        "dataset": options.dataset_uri,
        "run": options.run,
        "labelled_at": now,
    }
    table = labelled.assemble([labels, labelled.rejected_rows(rejected)], constants, test_set=test_set)
    counts = _counts(table, len(items), rejected.num_rows)

    folder = container.output_folder("files")
    labelled.write_parquet(table, folder / "labels.parquet")
    labelled.write_csv(table, folder / "labels.csv")
    manifest = {
        **{name: getattr(options, name) for name in ("group", "period", "purpose")},
        **constants,
        "labelled_at": now.isoformat(),
        **counts,
        "reasons": dict(Counter(_kinds(table, rejected)).most_common()),
        "columns": {name: labelled.COLUMNS[name] for name in table.column_names},
        "files": [_file(path, options.destination, table.num_rows) for path in sorted(folder.iterdir())],
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    (container.output_folder("manifest") / "manifest.json").write_text(text, encoding="utf-8")
    return counts


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="processing.publish", description=__doc__.splitlines()[0])
    for name in ("group", "period", "run", "dataset-uri", "model", "codebook-version", "destination"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--purpose", required=True, choices=("inference", "test"))
    return parser.parse_args(arguments)


def _with_truth(labels: pa.Table, truth: pa.Table) -> pa.Table:
    """The labels with `truth`, `text_key` and `title` of the same ids."""
    at = pc.index_in(labels["item_id"], value_set=truth["item_id"].combine_chunks())
    if at.null_count or truth.num_rows != labels.num_rows:
        raise NotReconciled(
            f"The test set has {truth.num_rows} labels for {labels.num_rows} items; nothing is published.",
            START_AGAIN,
        )
    found = truth.take(at)
    for name, column in {"truth": "label", "text_key": "text_key", "title": "title"}.items():
        labels = labels.append_column(name, found[column])
    return labels


def _counts(table: pa.Table, items: int, rejected: int) -> dict[str, int]:
    """Rows by status. Raises NotReconciled unless every row that went in is there once."""
    by_status = Counter(dict(row.values() for row in table["status"].value_counts().to_pylist()))
    counts = {"rows": items + rejected} | {
        status: by_status[status] for status in ("labelled", "review", "rejected")
    }
    if counts["rows"] != table.num_rows or counts["rejected"] != rejected:
        raise NotReconciled(
            f"{counts['rows']} rows went in, {table.num_rows} came out; nothing is published.", START_AGAIN
        )
    return counts


def _kinds(table: pa.Table, rejected: pa.Table) -> Counter:
    """How many rows have each reason; rejected ones by the kind of problem."""
    review = table["reason"].filter(pc.equal(table["status"], "review"))
    kinds = Counter({row["values"]: row["counts"] for row in review.value_counts().to_pylist()})
    kinds.update(rejected["problem"].to_pylist())
    return kinds


def _file(path: Path, destination: str, rows: int) -> dict[str, object]:
    return {
        "name": path.name,
        "url": destination.rstrip("/") + "/" + path.name,
        "bytes": path.stat().st_size,
        "rows": rows,
        "sha256": sha256(path),
    }


if __name__ == "__main__":
    container.run(main)
