"""Training labels that are likely wrong, on a sheet; and what people say of them, kept as decisions.

Which they are was found when the rows were featurized (training/doubtful.py). A decision goes to where those
of other sheets are kept: every later training takes it before the dataset's label (decisions.py in
processing/dataset), and so do later labels of the same item. No published label changes by it.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines import names
from pipelines.evidence import training_rows
from pipelines.evidence.neighbours import most_alike
from pipelines.ledger import reading
from pipelines.review.decisions import put_once
from pipelines.review.families import DECIDES
from pipelines.review.published import Output, Places, ReviewError
from processing.codes.codebook import Codebook
from processing.dataset import decisions, doubtful_rows
from processing.dataset.text import TEXT_COLUMNS
from processing.errors import BadData

COLUMNS = (
    *("run", "item_id", "title", "brand", "product_type", "label", "label_description"),
    *("suggested_code", "suggested_description", "confidence", "alike", "code", "none", "why"),
)
ALIKE = 5


def doubtful(places: Places, group: str, model: str | None = None) -> tuple[Output, pa.Table]:
    """The rows of a training whose labels are likely wrong, the worst first; and all it learned.

    `model` names the training, by default the newest. The labels' `code` is the one that the row came with,
    `suggested` is the model's.

    Raises:
        ReviewError: labels were not doubted yet when it was trained.
        LedgerError, RowsMissing: the model or its rows are not known.
    """
    ledger = reading.read(places.dynamodb, places.table, group)
    if model is None and ledger.models:
        model = max(ledger.models, key=lambda name: str(ledger.models[name]["trained_at"]))
    model, item = reading.model_or_winner(ledger, model)
    learned = training_rows.read(places.s3, places.work_bucket, ledger, model).table
    key = names.REPORT.format(group=group, run=item["run"]) + doubtful_rows.TABLE
    try:
        content = places.s3.get_object(Bucket=places.work_bucket, Key=key)["Body"].read()
    except places.s3.exceptions.NoSuchKey:
        raise ReviewError(
            f"{names.address(places.work_bucket, key)} does not exist: {model} was trained before labels "
            "were doubted. Fix: wait for the group's next training, or name another model with --model"
        ) from None
    found = pq.read_table(io.BytesIO(content))
    labels = pa.table(
        {
            "item_id": found["item_id"],
            "text_key": found["text_key"],
            "code": found["label"],
            "suggested": found["code"],
            "confidence": found["confidence"],
            "status": pa.repeat("labelled", len(found)),
            "answer": pa.nulls(len(found), pa.string()),
            "decided_by": pa.nulls(len(found), pa.string()),
        }
    )
    address = names.address(places.work_bucket, names.RUN_FOLDER.format(group=group, run=item["run"]))
    about = {"run": item["run"], "group": group, "period": item["period"], "model": model}
    return Output(address, about, labels), learned


def decided(places: Places, group: str) -> pa.Table:
    """The latest that people have said of each item and text, as decisions.read_rows has it.

    Raises ReviewError where a sheet's decisions cannot be read.
    """
    prefix = names.REVIEWED.format(group=group)
    pages = places.s3.get_paginator("list_objects_v2").paginate(Bucket=places.work_bucket, Prefix=prefix)
    with TemporaryDirectory() as folder:
        for key in (entry["Key"] for page in pages for entry in page.get("Contents", [])):
            path = Path(folder) / key.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(places.s3.get_object(Bucket=places.work_bucket, Key=key)["Body"].read())
        try:
            columns = dict.fromkeys(("item_id", *TEXT_COLUMNS), "text")
            return decisions.read_rows(Path(folder), columns, group)
        except BadData as error:
            raise ReviewError(str(error)) from None


def as_decided(output: Output, said: pa.Table, by: str | None = None) -> Output:
    """The labels of `doubtful` with what people, or only `by`, said of them; `said` is of `decided`."""
    labels = output.labels
    if by is not None:
        said = said.filter(pc.equal(said["decided_by"], by))
    given = said.take(pc.index_in(decisions.keys(labels), value_set=decisions.keys(said)))
    values = {
        "code": pc.coalesce(given["label"], labels["code"]),
        **{name: given[name] for name in ("answer", "decided_by")},
    }
    for name, column in values.items():
        labels = labels.set_column(labels.column_names.index(name), name, column)
    return replace(output, labels=labels)


def left_open(output: Output, said: pa.Table) -> Output:
    """The labels of `doubtful` on which nobody has decided; `said` is of `decided`."""
    answers = as_decided(output, said).labels["answer"]
    return replace(output, labels=output.labels.filter(pc.invert(pc.is_in(answers, pa.array(DECIDES)))))


def sheet_rows(output: Output, learned: pa.Table, book: Codebook) -> Iterator[dict[str, Any]]:
    """The rows of the sheet, with the columns COLUMNS; `output` and `learned` are of `doubtful`."""
    described = {code.code: code.description for code in book.codes}
    rows = _rows_of(output, learned)
    # One more, as the most alike is the row itself.
    for row, item, near in zip(
        output.labels.to_pylist(), rows, most_alike(_texts(rows), learned, ALIKE + 1), strict=True
    ):
        others = [each for each in near if each.item_id != row["item_id"] or each.rows > 1]
        yield {
            "run": output.manifest["run"],
            **{name: item[name] for name in ("item_id", *TEXT_COLUMNS)},
            **{"label": row["code"], "label_description": described.get(row["code"])},
            **{"suggested_code": row["suggested"], "suggested_description": described.get(row["suggested"])},
            "confidence": row["confidence"],
            "alike": others[:ALIKE],
            "reason": f"the dataset says {row['code']}",  # on the page, which shows no column `label`
        }


def keep(
    places: Places,
    output: Output,
    learned: pa.Table,
    made: Sequence[dict[str, Any]],
    by: str,
    now: datetime,
) -> None:
    """Put decisions where every later training reads them.

    `made` are of pipelines.review.decisions.read_sheet, `now` is a time with a zone.
    """
    group, period = output.manifest["group"], output.manifest["period"]
    items = {item["item_id"]: item for item in _rows_of(output, learned)}
    who = {"decided_by": by, "decided_at": now.isoformat(timespec="milliseconds")}
    lines = [json.dumps({**items[row["item_id"]], **row, **who}, ensure_ascii=False) for row in made]
    text = "".join(f"{line}\n" for line in lines)
    digest = hashlib.sha256(text.encode()).hexdigest()
    sheet = names.run_name(group, "review", period, output.address, digest)
    put_once(places, names.DECISIONS.format(group=group, sheet=sheet) + "decisions.jsonl", text)


def _rows_of(output: Output, learned: pa.Table) -> list[dict[str, Any]]:
    """The training rows that the labels are on, in their order."""
    known = {(row["item_id"], row["text_key"]): row for row in learned.to_pylist()}
    wanted = zip(output.labels["item_id"].to_pylist(), output.labels["text_key"].to_pylist(), strict=True)
    try:
        return [known[row] for row in wanted]
    except KeyError as error:
        raise ReviewError(
            f"{output.address} has no training row {error.args[0][0]!r} with the text that was doubted. "
            f"Fix: restore the first version of report/{doubtful_rows.TABLE} there"
        ) from None


def _texts(rows: Sequence[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in TEXT_COLUMNS])
    return pa.Table.from_pylist([{name: row[name] for name in TEXT_COLUMNS} for row in rows], schema)
