"""Prepare: check a dataset against its manifest and the codebook, and make the rows the other jobs use.

For purpose `training` the rows are split into train, validation and test; for `inference` and `test` they
become items for Batch Transform. What is judged is in processing/dataset/accept.py; here folders are
read and written.
"""

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing import container
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import (
    data_files,
    decisions,
    first_seen,
    hard_texts,
    in_parts,
    jsonlines,
    kinds,
    manifest,
    rows,
    rows_set_aside,
    rows_to_share,
    split,
)
from processing.dataset.accept import Accepted, Reviewed, accept
from processing.dataset.findings import (
    FINDINGS,
    Finding,
    Place,
    findings_in_report,
    found_at,
    recognised_in_report,
)
from processing.dataset.manifest import DataFile
from processing.digests import sha256
from processing.policy import NO_LIST

TEST_FILE = "part-00000.parquet"
REJECTED = "rejected.jsonl"


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the outputs, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    book = codebook.load(container.input_folder("codebook"), options.codebook_digest)
    files = manifest.read(container.input_folder("dataset"), options.dataset_uri)
    left_over = manifest.left_over(container.input_folder("dataset"), files)
    passed_over = found_at(kinds.LEFT_OVER, [Place(name) for name in left_over])
    training = options.purpose == "training"
    folder = container.input_folder("reviewed")
    # Test sets made before texts had it hold test rows only.
    with_since = options.purpose == "test" and "since" in manifest.columns(container.input_folder("dataset"))
    if options.purpose == "inference":
        return _prepare_month(options, book, files, passed_over)
    found = accept(
        files,
        book,
        group=options.group,
        period=options.period,
        purpose=options.purpose,
        uri=options.dataset_uri,
        reviewed=Reviewed(folder, options.delivered) if training else None,
        further=("since",) if with_since else (),
    )
    findings = findings_in_report((*passed_over, *found.findings))
    content = [file.path for file in files] + (decisions.files(folder) if training else [])

    jsonlines.write(found.rejected, container.output_folder("rejected") / REJECTED)
    if training:
        counts, details = _write_splits(found, options, book)
        # Of what is kept: rows with a hard text are in no part, and nobody could count them again.
        counts["rows_digest"] = data_files.rows_digest(pa.concat_tables(found.parts.values()))
        rows_to_share.write(
            container.output_folder("train"), book, options.share_by, container.output_folder("shared")
        )
    else:
        counts, details = {"items": _write_items([found.made], found.columns, with_since=with_since)}, {}
        _write_for_publish(findings)
    message = {
        "rows": found.table.num_rows,
        "rejected": found.rejected.num_rows,
        **counts,
        "data_digest": data_files.digest(content),
    }
    codes = rows_set_aside.codes_of(found.table, found.good, book, options.period)
    report = {
        "read": recognised_in_report(found.dataset.recognised.items()),
        "findings": findings,
        "reviewed": found.reviewed,
        "recoded": found.recoded,
        "set_aside": rows_set_aside.account(rows.Tally(found.rejected), found.table.num_rows, codes),
        "unclear_codes": _unclear(found.table, book, options.period) if training else {},
    }
    _write_report(options, book, message, report, files, details)
    return message


def _prepare_month(
    options: argparse.Namespace, book: Codebook, files: list[DataFile], passed_over: tuple[Finding, ...]
) -> dict[str, object]:
    """A month's items may be ten million: they are read and written in parts."""
    with container.scratch_folder() as folder:
        items = in_parts.Items(files, book, options.group, options.dataset_uri, Path(folder))
        rejected = Path(folder) / REJECTED
        with rejected.open("wb") as file:
            written = _write_items(items.parts(file), items.columns, with_since=False)
        shutil.copyfile(rejected, container.output_folder("rejected") / REJECTED)
    findings = findings_in_report((*passed_over, *items.findings))
    _write_for_publish(findings)
    message = {
        "rows": items.delivered,
        "rejected": items.rejected.rows,
        "items": written,
        "data_digest": data_files.digest(file.path for file in files),
    }
    report = {
        "read": recognised_in_report(items.recognised.items()),
        "findings": findings,
        "reviewed": {},
        "recoded": {},
        "set_aside": rows_set_aside.account(items.rejected, items.delivered),
        "unclear_codes": {},
    }
    _write_report(options, book, message, report, files, {})
    return message


def _write_report(
    options: argparse.Namespace,
    book: Codebook,
    message: dict[str, object],
    found: dict[str, Any],
    files: list[DataFile],
    details: dict[str, Any],
) -> None:
    report = {
        **{name: getattr(options, name) for name in ("run", "group", "period", "purpose")},
        "dataset": options.dataset_uri,
        "codebook_version": book.version,
        **message,
        **found,
        "files": [{"name": f.name, "rows": f.rows, "sha256": sha256(f.path)} for f in files],
        **details,
    }
    text = json.dumps(report, ensure_ascii=False, indent=1)
    (container.output_folder("report") / "report.json").write_text(text, encoding="utf-8")


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


def _unclear(table: pa.Table, book: Codebook, period: str) -> dict[str, int]:
    """Rows by the code on them, for codes of the book that no one code in force stands for."""
    code_map = book.code_map(period)
    unclear = [code.code for code in book.codes if code_map.outcome(code.code).code is None]
    counted = Counter(table["label"].to_pylist())
    return {code: counted[code] for code in unclear if counted[code]}


def _write_splits(
    found: Accepted, options: argparse.Namespace, book: Codebook
) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = found.parts
    for name in ("train", "validation"):
        pq.write_table(parts[name], container.output_folder(name) / f"{name}.parquet")
    newest = _write_test_set(found, options, book)
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
        "newest": newest,
        "hard_texts": {
            "listed": len(book.hard_texts),
            "rows_held": int(hard_texts.are_held(found.made["text_key"], book).sum()),
        },
        # The models of this run cannot predict these, unless another group shares rows of them: test rows are
        # never trained on.
        "codes_only_in_test": sorted(codes["test"].keys() - codes["train"].keys()),
    }
    return {name: part.num_rows for name, part in parts.items()}, details


def _write_test_set(found: Accepted, options: argparse.Namespace, book: Codebook) -> int:
    """Write the rows to test on as a dataset like any other: Prepare accepts it again with purpose `test`.

    Those are the test rows and, as no winner has seen them yet, the newest of the others: how many, is
    returned. What people decided is no sample of the newest: those are the hard ones. The group's hard texts
    come last.
    """
    made = found.made.append_column("since", _since(found.made, options))
    test = split.is_test(made["text_key"])
    by_people = np.asarray(pc.equal(found.good["_file"], decisions.FILE), bool)
    newest = ~test & first_seen.is_recent(made["since"]) & ~by_people
    columns = found.columns | {"since": "text"}
    tested = pa.concat_tables([made.filter(pa.array(mask)) for mask in (test, newest)]).select(list(columns))
    tested = pa.concat_tables([tested, hard_texts.rows(book, options.period, tested.schema)])
    folder = container.output_folder("test")
    pq.write_table(tested, folder / TEST_FILE)
    manifest.write(folder, options.test_uri, {TEST_FILE: tested.num_rows}, columns)
    return int(newest.sum())


def _since(made: pa.Table, options: argparse.Namespace) -> pa.Array:
    """The period in which each row's text came; those that came with this run are recorded."""
    since, new = first_seen.since(
        made["text_key"].combine_chunks(), container.input_folder("texts"), options.run, options.period
    )
    first_seen.write(new, container.output_folder("texts"), options.run)
    return since


def _write_items(made: Iterable[pa.Table], columns: dict[str, str], *, with_since: bool) -> int:
    """Write the items, and of each its key and the truth, where known, in parts of as many rows."""
    ours = ("label", "since") if with_since else ("label",)
    path, ending = container.output_folder("truth") / "truth.parquet", ExitStack()

    def items() -> Iterator[pa.Table]:
        file: pq.ParquetWriter | None = None
        for part in jsonlines.shards(made):
            truth = _truth(part, columns, with_since=with_since)
            file = file or ending.enter_context(pq.ParquetWriter(path, truth.schema))
            file.write_table(truth)
            yield part.select([column for column in columns if column not in ours])

    with ending:
        jsonlines.write_shards(items(), container.output_folder("items"), "items")
    rows: int = pq.read_metadata(path).num_rows
    return rows


def _truth(made: pa.Table, columns: dict[str, str], *, with_since: bool) -> pa.Table:
    label = made["label"] if "label" in columns else pa.nulls(made.num_rows, pa.string())
    since = made["since"] if with_since else pa.nulls(made.num_rows, pa.string())
    truth = made.select(["item_id", "text_key", "title"])
    return truth.append_column("label", label).append_column("since", since)


def _write_for_publish(findings: dict[str, Any]) -> None:
    """Once more, beside the truth: a job may have ten inputs (CreateProcessingJob), and Publish needs all."""
    folder = container.output_folder("truth")
    shutil.copyfile(container.output_folder("rejected") / REJECTED, folder / REJECTED)
    text = json.dumps(findings, ensure_ascii=False, indent=1)
    (folder / FINDINGS).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    container.run(main)
