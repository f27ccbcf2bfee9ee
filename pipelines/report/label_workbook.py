"""A month's labels as a workbook for people, made of the published Parquet file and the items' texts.

It is made where it is opened: the image of the job that publishes holds no Excel library. How a cell is
written is in ../workbook.py, where the rows come from in archive.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.errors import Refused
from pipelines.workbook import MOST_ROWS, Book, create
from processing.digests import sha256
from processing.labels.label_table import COLUMNS
from processing.words import counted

TEXTS = {
    "title": "the item's title, as it went to the model",
    "brand": "its brand",
    "product_type": "what the shop calls its kind",
}
#: The sheet's columns from left to right, and how wide they are, in letters. What else is in the Parquet file
#: is the same in every row, and so on the first sheet, or tells a person nothing.
WIDTHS = {
    **{"item_id": 20, "title": 60, "brand": 18, "product_type": 24, "code": 12, "description": 40},
    **{
        "confidence": 11,
        "second_code": 12,
        "short_list": 24,
        "status": 11,
        "reason": 44,
        "answer": 11,
        "decided_by": 18,
    },
    **{"decided_at": 20, "decided_on": 20, "why": 40, "suggested": 12, "family": 18},
    **{"model": 34, "codebook_version": 18, "run": 50, "labelled_at": 20},
}
COLOURS = {"labelled": "#E2EFDA", "review": "#FFE699", "none": "#DDEBF7", "rejected": "#F8CBAD"}
BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Labels:
    """A published version of a month's labels.

    Attributes:
        address: its folder in S3, as the ledger has it.
        manifest: what stands there about it.
        file: its `labels.parquet`.
        texts: of its items `item_id` and TEXTS.
    """

    address: str
    manifest: dict[str, Any]
    file: Path
    texts: pa.Table


def write(path: Path, labels: Labels) -> None:
    """Write the workbook to `path`: a sheet about the labels, then their rows, on as many sheets as it takes.

    Raises Refused where an item has no text, or nothing can be written there.
    """
    parquet = pq.ParquetFile(labels.file)
    shown = [name for name in WIDTHS if name in TEXTS or name in parquet.schema_arrow.names]
    with create(path) as book:
        _write_about(book, labels, shown)
        _write_rows(book, parquet.metadata.num_rows, shown, _rows(parquet, labels, shown))


def _write_about(book: Book, labels: Labels, shown: list[str]) -> None:
    manifest = labels.manifest
    sheet = book.sheet(
        "about", {f"Labels of {manifest['group']}, {manifest['period']}": 24, "": 100, "rows": 12}
    )
    section = [book.style(bold=True)] * 2
    runs = [manifest["run"], *reversed(manifest.get("amended_runs", []))]
    for fact in (
        ("model group", manifest["group"]),
        ("month", manifest["period"]),
        ("model", manifest["model"]),
        ("codebook version", manifest["codebook_version"]),
        ("labelled by", ", amending ".join(runs)),
        ("labelled at (UTC)", manifest["labelled_at"]),
        ("dataset", manifest["dataset"]),
        ("made of", f"{labels.address}labels.parquet"),
        ("its SHA-256", sha256(labels.file)),
    ):
        sheet.row(fact)
    sheet.row([])
    sheet.row(["status", "reason"], section)
    for status, reason, rows in _counts(labels.file):
        sheet.row([status, reason, rows], [book.style(bg_color=COLOURS[status]), None, None])
    sheet.row([])
    sheet.row(["column", "what it says"], section)
    for name in shown:
        sheet.row([name, TEXTS.get(name) or COLUMNS[name]])


def _counts(file: Path) -> list[tuple[str, str, int]]:
    """Rows by status, then by reason within it; a status's own row has no reason."""
    table = pq.read_table(file, columns=["status", "reason"], read_dictionary=["status", "reason"])
    table = pa.table({name: table[name].cast(pa.string()) for name in table.column_names})
    by_reason = table.group_by(["status", "reason"]).aggregate([([], "count_all")]).to_pylist()
    rows: list[tuple[str, str, int]] = []
    for status in COLOURS:
        reasons = {row["reason"]: row["count_all"] for row in by_reason if row["status"] == status}
        rows.append((status, "", sum(reasons.values())))
        rows += [(status, reason, reasons[reason]) for reason in sorted(filter(None, reasons))]
    return rows


def _write_rows(book: Book, rows: int, shown: list[str], cells: Iterator[tuple[Any, ...]]) -> None:
    fits = MOST_ROWS - 1
    sheets = max(1, -(-rows // fits))
    at, status = shown.index("confidence"), shown.index("status")
    styles = {}
    for name, colour in COLOURS.items():
        styles[name] = [None] * len(shown)
        styles[name][at], styles[name][status] = book.style(num_format="0.0000"), book.style(bg_color=colour)
    for number in range(sheets):
        title = f"labels {number + 1} of {sheets}" if sheets > 1 else "labels"
        sheet = book.sheet(title, {name: WIDTHS[name] for name in shown})
        for _, row in zip(range(fits), cells, strict=False):
            sheet.row(row, styles[row[status]])
        sheet.xlsx.freeze_panes(1, 1)
        sheet.xlsx.autofilter(0, 0, sheet.rows - 1, len(shown) - 1)


def _rows(parquet: pq.ParquetFile, labels: Labels, shown: list[str]) -> Iterator[tuple[Any, ...]]:
    """The cells of each row, in the order of the file; no more than BATCH_ROWS are held at once."""
    of_file = [name for name in shown if name not in TEXTS]
    where = _texts_of(labels)
    begin = 0
    for batch in parquet.iter_batches(BATCH_ROWS, columns=of_file):
        texts = labels.texts.take(where.slice(begin, batch.num_rows))
        begin += batch.num_rows
        columns = [_shown(texts[name] if name in TEXTS else batch[name]) for name in shown]
        yield from zip(*columns, strict=True)


def _texts_of(labels: Labels) -> pa.Array:
    """The row of `texts` that each row of the file has; null for what was rejected. Raises Refused."""
    table = pq.read_table(labels.file, columns=["item_id", "status"]).combine_chunks()
    where = pc.index_in(table["item_id"], value_set=labels.texts["item_id"].combine_chunks()).combine_chunks()
    usable = pc.not_equal(table["status"], "rejected").combine_chunks()
    missing = pc.sum(pc.and_(usable, pc.is_null(where))).as_py()
    if missing:
        raise Refused(
            f"{counted(missing, 'item')} of {labels.address} no longer in the work bucket. "
            "Fix: restore the objects there, or label the month again"
        )
    return pc.if_else(usable, where, None)


def _shown(values: pa.Array | pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(values.type):
        values = pc.strftime(values.cast(pa.timestamp("s", "UTC"), safe=False), format="%Y-%m-%d %H:%M:%S")
    shown: list[Any] = values.to_pylist()
    return shown
