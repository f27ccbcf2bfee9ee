"""How long it takes to publish a month: 3.3 million synthetic rows of 60 groups, on this machine.

    .venv/bin/python benchmarks/publish.py [--rows N] [--groups N] [--workers N] [--json PATH]

Each group is a job of its own, as on AWS: a process that reads items and predictions, reconciles, compares
with last month's labels, and writes Parquet, CSV, summary and manifest. Two months are published; the second,
which has an earlier one to compare with, is measured. Input is written before the clock starts. Memory is the
sum of the workers' peaks. Processor seconds measure the work even when other programs run beside it.
"""

import json
import os
import resource
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _report import arguments, show

from processing import publish
from processing.dataset import jsonlines
from processing.dataset.rows import REJECTED
from processing.dataset.text import text_keys
from processing.digests import sha256

CODES = [str(number) for number in range(1, 15)]
BOOK = {
    "version": "1",
    "attributes": [],
    "codes": [
        {"code": code, "description": f"Category {code}", "valid_from": "2020-01-01"}
        | {"valid_to": None, "critical": False}
        for code in CODES
    ],
}
MONTHS = ("2026-09", "2026-10")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=3_300_000)
    parser.add_argument("--groups", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    size = options.rows // options.groups
    with tempfile.TemporaryDirectory() as scratch:
        folders = [Path(scratch) / f"group-{number}" for number in range(options.groups)]
        context = get_context("forkserver")
        with ProcessPoolExecutor(options.workers, context) as pool:
            list(pool.map(prepare, folders, range(options.groups), [size] * options.groups))
        with ProcessPoolExecutor(options.workers, context) as pool:
            list(pool.map(abs, range(options.workers)))  # they are there when the clock starts
            begun = time.perf_counter()
            busy, peaks = zip(*pool.map(run, folders), strict=True)
            wall = time.perf_counter() - begun
        written = sum(path.stat().st_size for folder in folders for path in folder.glob("out/**/*.*"))
    workers = {pid: 0 for pid, _ in peaks}
    for pid, peak in peaks:
        workers[pid] = max(workers[pid], peak)
    row = {
        "groups": options.groups,
        "rows": size * options.groups,
        "workers": options.workers,
        "seconds": wall,
        "rows a second": size * options.groups / wall,
        "processor seconds": sum(busy),
        "peak memory MB": sum(workers.values()) / 2**20,
        "written MB": written / 2**20,
    }
    show("Publishing a month (synthetic)", [row], options.json)


def prepare(folder: Path, number: int, rows: int) -> None:
    """Write what Publish reads, in both months' job folders; publish the first month."""
    rng = np.random.default_rng(number)
    group = f"XX-group{number}"
    ids = pa.array([f"{group}-{item:07d}" for item in range(rows)])
    words = np.array([f"word{n}" for n in range(5_000)])
    titles = pa.array([" ".join(some) for some in words[rng.integers(0, 5_000, (rows, 6))]])
    empty = pa.array([""] * rows)
    items = pa.table({"item_id": ids, "title": titles, "brand": empty, "product_type": empty})
    truth = pa.table({"item_id": ids, "text_key": text_keys(group, items), "title": titles})
    for month in MONTHS:
        base = folder / month / "processing" / "input"
        for name in ("items", "truth", "predictions", "codebook", "trained", "earlier"):
            (base / name).mkdir(parents=True)
        jsonlines.write_shards([items], base / "items", "items")
        pq.write_table(
            truth.append_column("label", pa.nulls(rows, pa.string())), base / "truth/truth.parquet"
        )
        jsonlines.write(pa.Table.from_pylist([], REJECTED), base / "truth" / "rejected.jsonl")
        (base / "codebook" / "1.json").write_text(json.dumps(BOOK | {"group": group}))
        codes = dict.fromkeys(CODES, 9)
        splits = {part: {"codes": codes} for part in ("train", "validation")}
        report = {"period": MONTHS[0], "splits": splits, "unclear_codes": {}}
        (base / "trained" / "report.json").write_text(json.dumps(report))
        write_predictions(base / "predictions" / "items-00000.jsonl.out", ids, rng)
    _publish(folder / MONTHS[0], group, MONTHS[0], rows)
    output = folder / MONTHS[0] / "processing" / "output"
    for path in (*output.glob("files/*"), *output.glob("manifest/*")):
        shutil.move(path, folder / MONTHS[1] / "processing" / "input" / "earlier" / path.name)


def write_predictions(path: Path, ids: pa.Array | pa.ChunkedArray, rng: np.random.Generator) -> None:
    """As Batch Transform joins them to the items of a file, most of them sure."""
    first, second = rng.integers(0, len(CODES), (2, len(ids)))
    sure = np.round(rng.beta(20, 1, len(ids)), 4)
    table = pa.table(
        {
            "code": pa.array(CODES).take(pa.array(first)),
            "confidence": sure,
            "second_code": pa.array(CODES).take(pa.array(second)),
            "second_confidence": np.full(len(ids), 0.01),
            "review": pa.array(sure < 0.7),
            "known_share": np.full(len(ids), 0.9),
        }
    )
    jsonlines.write(table, path)
    lines = path.read_text().splitlines()
    with path.open("w") as file:
        for item_id, answer in zip(ids.to_pylist(), lines, strict=True):
            file.write(f'{{"item_id":"{item_id}","SageMakerOutput":{answer}}}\n')


def run(folder: Path) -> tuple[float, tuple[int, int]]:
    """Publish the second month: processor seconds, and this process with the most memory it has had."""
    begun = time.process_time()
    _publish(folder / MONTHS[1], f"XX-group{folder.name.removeprefix('group-')}", MONTHS[1], None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    (folder / MONTHS[1] / "processing" / "output").rename(folder / "out")
    return time.process_time() - begun, (os.getpid(), peak)


def _publish(base: Path, group: str, month: str, rows: int | None) -> None:
    if rows is None:
        rows = pq.read_metadata(base / "processing/input/truth/truth.parquet").num_rows
    os.environ["SAGEMAKER_BASE_DIR"] = str(base)
    given = {"group": group, "period": month, "purpose": "inference", "run": f"run-{month}", "model": "m"}
    given |= {"dataset-uri": "s3://l/d/", "destination": "s3://o/d/"}
    given |= {"replaced-digest": "", "compared-digest": ""}
    inputs = base / "processing" / "input"
    earlier = inputs / "earlier" / "manifest.json"
    given |= {"earlier-digest": sha256(earlier) if earlier.exists() else ""}
    given |= {"codebook-digest": sha256(inputs / "codebook" / "1.json")}
    given |= {"policy": "{}", "rows": str(rows)}
    publish.main([word for name, value in given.items() for word in (f"--{name}", value)])


if __name__ == "__main__":
    main()
