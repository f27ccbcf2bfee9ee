"""Prepare: check a dataset against its manifest and the codebook, and make the rows the other jobs use.

For purpose `training` the rows are split into train, validation and test; for `inference` and `test` they
become items for Batch Transform. Single bad rows are set aside with the reason; a dataset that cannot be
trusted is rejected whole.
"""

import argparse
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing import container
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.dataset import (
    data_files,
    decisions,
    jsonlines,
    manifest,
    rows,
    rows_set_aside,
    rows_to_share,
    split,
)
from processing.dataset.text import text_keys
from processing.digests import sha256
from processing.errors import BadData
from processing.policy import NO_LIST

MIN_ROWS = 30
SHOWN = 3
TEST_FILE = "part-00000.parquet"


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the outputs, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    book = codebook.load(container.input_folder("codebook"), options.codebook_digest)
    files = manifest.read(container.input_folder("dataset"), options.dataset_uri)
    columns = data_files.columns_of(book.attributes, labelled=options.purpose != "inference")
    table = data_files.read(files, columns)
    content = [file.path for file in files]
    reviewed: dict[str, Any] = {}
    if options.purpose == "training":
        decided = decisions.read_rows(container.input_folder("reviewed"), columns, options.group)
        merged = decisions.merge(
            table, decided, options.group, book.code_map(options.period), options.delivered
        )
        table, reviewed = merged.table, merged.figures
        content += decisions.files(container.input_folder("reviewed"))
    good, rejected = rows.set_aside(table, _problems(book, options.purpose, options.period))
    _check_some_are_left(table, rejected, options)
    made = rows.canonical(good, columns)
    recoded = None
    if "label" in columns:
        recoded = recode(made["label"], book.code_map(options.period))
        labels = pc.coalesce(recoded.codes, made["label"].combine_chunks())
        made = made.set_column(made.column_names.index("label"), "label", labels)
    made = made.append_column("text_key", text_keys(options.group, made))

    jsonlines.write(rejected, container.output_folder("rejected") / "rejected.jsonl")
    if options.purpose == "training":
        counts, details = _write_splits(made, columns, options.test_uri)
        counts["rows_digest"] = data_files.rows_digest(made)
        rows_to_share.write(
            container.output_folder("train"), book, options.share_by, container.output_folder("shared")
        )
    else:
        counts, details = _write_items(made, columns)
        # Once more: a job may have ten inputs (CreateProcessingJob), and Publish needs them all.
        jsonlines.write(rejected, container.output_folder("truth") / "rejected.jsonl")
    message = {
        "rows": table.num_rows,
        "rejected": rejected.num_rows,
        **counts,
        "data_digest": data_files.digest(content),
    }
    report = {
        **{name: getattr(options, name) for name in ("run", "group", "period", "purpose")},
        "dataset": options.dataset_uri,
        "codebook_version": book.version,
        **message,
        "reviewed": reviewed,
        "recoded": recoded.mapped if recoded else {},
        "set_aside": rows_set_aside.account(table, good, rejected, book, options.period),
        "unclear_codes": _unclear(table, book, options.period) if options.purpose == "training" else {},
        "files": [{"name": f.name, "rows": f.rows, "sha256": sha256(f.path)} for f in files],
        **details,
    }
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (container.output_folder("report") / "report.json").write_text(text, encoding="utf-8")
    return message


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="processing.prepare", description=__doc__.splitlines()[0])
    for name in ("--group", "--period", "--run", "--dataset-uri", "--codebook-digest"):
        parser.add_argument(name, required=True)
    parser.add_argument("--purpose", required=True, choices=("training", "inference", "test"))
    parser.add_argument("--test-uri", help="where the test set will be; needed for purpose training")
    parser.add_argument("--delivered", type=_time, help="when the dataset was, for purpose training")
    parser.add_argument("--share-by", default=NO_LIST, help="list of references to share training rows by")
    options = parser.parse_args(arguments)
    if options.purpose == "training" and not (options.test_uri and options.delivered):
        parser.error("purpose training needs --test-uri and --delivered")
    return options


def _time(delivered: str) -> datetime:
    """The time that a delivery's place in its month begins with; it is always as wide."""
    return datetime.fromisoformat(delivered[: len("2026-11-01T02:00:00.123Z")])


def _problems(book: Codebook, purpose: str, period: str) -> list[rows.Problem]:
    """What to look for in the rows.

    The labels of a test set were checked when it was made. A later codebook must not take rows away, since
    challenger and winner are scored on the same rows, whenever each runs.
    """
    problems = rows.problems_of_items()
    if purpose == "training":
        problems += rows.problems_of_labels(book, period)
    elif purpose == "test":
        problems += [rows.missing_label()]
    return problems


def _unclear(table: pa.Table, book: Codebook, period: str) -> dict[str, int]:
    """Rows by the code on them, for codes of the book that no one code in force stands for."""
    code_map = book.code_map(period)
    unclear = [code.code for code in book.codes if code_map.outcome(code.code).code is None]
    counted = Counter(table["label"].to_pylist())
    return {code: counted[code] for code in unclear if counted[code]}


def _check_some_are_left(table: pa.Table, rejected: pa.Table, options: argparse.Namespace) -> None:
    """Raise BadData where no row is left, naming each kind of problem with its first row.

    Such a month must stop: an output of rejected rows alone would be announced as ready. A month of which no
    row was delivered is one in which nothing was sold.
    """
    if table.num_rows == 0:
        if options.purpose == "inference":
            return
        raise BadData("The dataset has no rows.", "check the query that made it.")
    if rejected.num_rows == table.num_rows:
        rows = rejected.to_pylist()
        kinds = Counter(row["problem"] for row in rows).most_common(SHOWN)
        first = [next(row for row in rows if row["problem"] == kind) for kind, _ in kinds]
        shown = [
            f"{count} like {row['file']}, row {row['row']}: {row['reason']}"
            for row, (_, count) in zip(first, kinds, strict=True)
        ]
        raise BadData(
            f"None of the {table.num_rows} rows of {options.dataset_uri} is usable. {' '.join(shown)}",
            first[0]["fix"],
        )


def _write_splits(
    made: pa.Table, columns: dict[str, str], test_uri: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = {
        name: made.filter(pa.array(mask))
        for name, mask in split.parts(made["text_key"], made["label"]).items()
    }
    _check_parts(made, parts)
    for name in ("train", "validation"):
        pq.write_table(parts[name], container.output_folder(name) / f"{name}.parquet")
    _write_test_set(parts["test"].select(list(columns)), container.output_folder("test"), test_uri, columns)
    codes = {name: Counter(part["label"].to_pylist()) for name, part in parts.items()}
    details = {
        "splits": {
            name: {
                "rows": part.num_rows,
                "distinct_texts": pc.count_distinct(part["text_key"]).as_py(),
                "codes": dict(sorted(codes[name].items())),
            }
            for name, part in parts.items()
        },
        # The models of this run cannot predict these: test rows are never trained on.
        "codes_only_in_test": sorted(codes["test"].keys() - codes["train"].keys()),
    }
    return {name: part.num_rows for name, part in parts.items()}, details


def _check_parts(made: pa.Table, parts: dict[str, pa.Table]) -> None:
    """Raise BadData where no model can be trained and tested on the parts."""
    codes = pc.unique(made["label"]).to_pylist()
    if len(codes) == 1:
        raise BadData(
            f"Every usable row has the same label, {codes[0]!r}: there is nothing to learn.",
            "deliver rows of at least two codes.",
        )
    counts = {name: part.num_rows for name, part in parts.items()}
    learnable = pc.count_distinct(parts["train"]["label"]).as_py()
    if made.num_rows < MIN_ROWS or not all(counts.values()) or learnable < 2:
        shown = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise BadData(
            f"{made.num_rows} usable rows are too few to split: {shown}, with {learnable} codes to train on.",
            f"deliver more labelled rows with different texts, {MIN_ROWS} at the very least.",
        )


def _write_test_set(test: pa.Table, folder: Path, uri: str, columns: dict[str, str]) -> None:
    """The test rows as a dataset like any other: Prepare accepts it again with purpose `test`."""
    pq.write_table(test, folder / TEST_FILE)
    manifest.write(folder, uri, {TEST_FILE: test.num_rows}, columns)


def _write_items(made: pa.Table, columns: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    jsonlines.write_shards(
        made.select([column for column in columns if column != "label"]),
        container.output_folder("items"),
        "items",
    )
    label = made["label"] if "label" in columns else pa.nulls(made.num_rows, pa.string())
    truth = made.select(["item_id", "text_key", "title"]).append_column("label", label)
    pq.write_table(truth, container.output_folder("truth") / "truth.parquet")
    return {"items": made.num_rows}, {}


if __name__ == "__main__":
    container.run(main)
