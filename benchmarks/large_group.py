"""How long one large group takes, and how much memory: synthetic items of one month, on this machine.

    .venv/bin/python benchmarks/large_group.py [--rows N] [--format csv] [--prepare-only] [--json PATH]

Prepare and Publish run as jobs, each in a process of its own; between them predictions are made up in the
form that Batch Transform leaves them. Texts are a few thousand, made different by numbers. Memory is the
process's peak (VmHWM), Arrow's included. Where a job tells of other rows than were delivered, it fails.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from _report import arguments, show
from publish import BOOK, CODES, write_predictions

from processing.dataset import jsonlines, manifest
from processing.digests import sha256

GROUP, PERIOD = "XX-large", "2026-10"
URI = "s3://landing/large-group/"
FILE_ROWS = 500_000
COLUMNS = ("item_id", "title", "brand", "product_type")
COMMON = {"group": GROUP, "period": PERIOD, "purpose": "inference", "run": "r", "dataset-uri": URI}
JOB = """
import resource, sys
from pathlib import Path
from importlib import import_module
message = import_module(sys.argv[1]).main(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(message["rows"], used.ru_utime + used.ru_stime)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--format", default="parquet", choices=("parquet", "csv", "csv.gz", "jsonl"))
    parser.add_argument("--prepare-only", action="store_true", help="Publish takes far more memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        deliver(_input(base, "dataset"), options.rows, options.format)
        digest = _codebook(_input(base, "codebook"))
        steps = [run(base, "prepare", options.rows, COMMON | {"codebook-digest": digest})]
        if not options.prepare_only:
            steps.append(publish(base, options.rows, digest))
    show(f"One group of {options.rows:,} items (synthetic), {options.format}", steps, options.json)


def _input(base: Path, name: str) -> Path:
    folder = base / "processing" / "input" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _codebook(folder: Path) -> str:
    (folder / "1.json").write_text(json.dumps(BOOK | {"group": GROUP}))
    return sha256(folder / "1.json")


def deliver(folder: Path, rows: int, form: str) -> None:
    """Write the dataset, file by file."""
    rng = np.random.default_rng(0)
    words = np.array([f"word{number}" for number in range(2_000)])
    texts = pa.array([" ".join(some) for some in words[rng.integers(0, len(words), (4_000, 7))]])
    brands = pa.array([f"brand{number}" for number in range(300)])
    counts = {}
    for start in range(0, rows, FILE_ROWS):
        number = np.arange(start, min(start + FILE_ROWS, rows))
        table = pa.table(
            {
                "item_id": pc.binary_join_element_wise("item-", pa.array(number).cast(pa.string()), ""),
                "title": pc.binary_join_element_wise(
                    texts.take(pa.array(rng.integers(0, len(texts), len(number)))),
                    pa.array(rng.integers(0, 1_000, len(number))).cast(pa.string()),
                    " ",
                ),
                "brand": brands.take(pa.array(rng.integers(0, len(brands), len(number)))),
                "product_type": pa.array(["kind"] * len(number)),
            }
        )
        path = folder / f"part-{len(counts):05d}.{form}"
        _write(table, path)
        counts[path.name] = len(number)
    manifest.write(folder, URI, counts, dict.fromkeys(COLUMNS, "text"))


def _write(table: pa.Table, path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".jsonl":
        jsonlines.write(table, path)
    else:
        with pa.output_stream(path, compression="detect") as file:
            pyarrow.csv.write_csv(table, file)


def predict(items: Path, folder: Path) -> None:
    """Answers as Batch Transform joins them to the items, file by file, most of them sure."""
    rng = np.random.default_rng(1)
    for path in sorted(items.iterdir()):
        ids = jsonlines.read(path.read_bytes(), pa.schema([("item_id", pa.string())]), other_fields="ignore")
        write_predictions(folder / f"{path.name}.out", ids["item_id"], rng)


def publish(base: Path, rows: int, digest: str) -> dict[str, object]:
    """The group's first month: nothing to compare with, nothing decided by people."""
    shutil.rmtree(base / "processing" / "input" / "dataset")
    for name in ("items", "truth"):
        shutil.move(base / "processing" / "output" / name, base / "processing" / "input" / name)
    shutil.rmtree(base / "processing" / "output")
    predict(_input(base, "items"), _input(base, "predictions"))
    for name in ("trained", "reviewed", "compared", "earlier", "replaced"):
        _input(base, name)
    codes = dict.fromkeys(CODES, 9)
    report = {"period": PERIOD, "splits": {part: {"codes": codes} for part in ("train", "validation")}}
    (_input(base, "trained") / "report.json").write_text(json.dumps(report | {"unclear_codes": {}}))
    none = dict.fromkeys(("earlier-digest", "replaced-digest", "compared-digest"), "")
    given = {"model": "m", "policy": "{}", "rows": str(rows), "destination": "s3://labelled/d1/"}
    return run(base, "publish", rows, COMMON | none | given | {"codebook-digest": digest})


def run(base: Path, job: str, delivered: int, given: dict[str, str]) -> dict[str, object]:
    """One job in a process of its own. Raises where it fails, or tells of other rows than were delivered."""
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", JOB, f"processing.{job}", *words],
        env=os.environ | {"SAGEMAKER_BASE_DIR": str(base)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - begun
    told, busy, peak = done.stdout.split()[-3:]
    if int(told) != delivered:
        raise SystemExit(f"{job} tells of {told} rows, {delivered} were delivered.")
    return {
        "job": job,
        "rows": delivered,
        "seconds": seconds,
        "processor seconds": float(busy),
        "processor µs a row": float(busy) / delivered * 1e6,
        "peak memory MB": int(peak) / 1024,
    }


if __name__ == "__main__":
    main()
