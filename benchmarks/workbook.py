"""How long a month's labels take to become a workbook, and how much memory: synthetic rows, on this machine.

    .venv/bin/python benchmarks/workbook.py [--rows N] [--json PATH]

The labels file and the items' texts are written before the clock starts, by another process; the workbook is
made in this one, whose peak (with Python and its libraries) is the figure. With `--peer` the same cells are
written by openpyxl's write-only mode instead.
"""

import resource
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _report import arguments, show

from pipelines.report import label_workbook
from processing.labels import label_table

RUN = "DE-weee-inference-2026-10-0f3a9c21d4e5"
MODEL = "DE-weee-2026-10-1a2b3c4d"
MANIFEST = {
    **{"group": "DE-weee", "period": "2026-10", "model": MODEL, "codebook_version": "2026-10", "run": RUN},
    **{"dataset": "s3://landing/inference/DE-weee/2026-10/d1/", "labelled_at": "2026-10-03T04:05:06+00:00"},
}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--peer", action="store_true", help="write with openpyxl")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with get_context("spawn").Pool(1) as other:
            other.apply(prepare, (folder, options.rows))
        begun, busy = time.perf_counter(), time.process_time()
        labels = label_workbook.Labels(
            "s3://labelled/x/", MANIFEST, folder / "labels.parquet", pq.read_table(folder / "texts.parquet")
        )
        path = folder / "labels.xlsx"
        (by_openpyxl if options.peer else label_workbook.write)(path, labels)
        row = {
            "library": "openpyxl" if options.peer else "XlsxWriter",
            "rows": options.rows,
            "seconds": time.perf_counter() - begun,
            "processor seconds": time.process_time() - busy,
            "peak memory MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
            "file MB": path.stat().st_size / 2**20,
        }
    show("Labels as a workbook (synthetic)", [row], options.json)


def prepare(folder: Path, rows: int) -> None:
    """Write labels of which 5 % wait for review and 1 % are rejected, and the texts of their items."""
    rng = np.random.default_rng(1)
    words = np.array([f"word{number}" for number in range(5_000)])
    ids = pa.array([f"SKU-{number:07d}" for number in range(rows)])
    texts = {"item_id": ids, "title": [" ".join(some) for some in words[rng.integers(0, 5_000, (rows, 8))]]}
    texts |= {name: words[rng.integers(0, 300, rows)] for name in ("brand", "product_type")}
    pq.write_table(pa.table(texts), folder / "texts.parquet")
    codes = np.array([f"{number:02d}" for number in range(1, 15)])
    status = rng.choice(["labelled", "review", "rejected"], rows, p=[0.94, 0.05, 0.01])
    code = rng.integers(0, 14, rows)
    reasons = {"review": label_table.UNSURE, "rejected": "empty-title (items.csv, row 7)"}
    made = pa.table(
        {
            "item_id": ids,
            "code": pa.array(codes[code]),
            "description": pa.array([f"Category {number} of the codebook" for number in code]),
            "confidence": np.round(rng.beta(20, 1, rows), 4),
            "second_code": pa.array(codes[(code + 1) % 14]),
            "status": pa.array(status),
            "reason": pa.array([reasons.get(each) for each in status], pa.string()),
            "text_key": pa.array([f"{number:016x}" for number in range(rows)]),
        }
    )
    constants = {name: MANIFEST[name] for name in ("model", "codebook_version", "dataset", "run", "period")}
    constants |= {"model_group": "DE-weee", "labelled_at": datetime(2026, 10, 3, 4, 5, 6, tzinfo=UTC)}
    label_table.write_parquet(
        label_table.assemble([made], constants, test_set=False), folder / "labels.parquet"
    )


def by_openpyxl(path: Path, labels: label_workbook.Labels) -> None:
    """The same cells without a style, which openpyxl writes as fast as it can."""
    from openpyxl import Workbook

    table = pq.read_table(labels.file)
    by_id = labels.texts.select(["title", "brand", "product_type"])
    book = Workbook(write_only=True)
    sheet = book.create_sheet("labels")
    for begin in range(0, table.num_rows, 10_000):
        some, texts = table.slice(begin, 10_000), by_id.slice(begin, 10_000)
        columns = [
            some[name].cast(pa.string()) if pa.types.is_timestamp(some[name].type) else some[name]
            for name in some.column_names
            if name not in ("text_key", "dataset", "period", "model_group")
        ]
        for row in zip(*[c.to_pylist() for c in (*columns, *texts.columns)], strict=True):
            sheet.append(row)
    book.save(path)


if __name__ == "__main__":
    main()
