"""How long it takes to read a dataset, beside an earlier commit: the same files, by turns, in one run.

    .venv/bin/python benchmarks/reading.py --before COMMIT [--rows N] [--rounds N] [--json PATH]

The same synthetic rows as CSV (UTF-8, commas; quoted where needed, quoted all), packed, as JSON Lines and as
Parquet.
Each round reads all of them once with either code, each in a process of its own; of the rounds the fastest
counts, by processor seconds too, which measure the work even when other programs run beside it.
"""

import gzip
import json
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from _report import arguments, show

from processing.dataset import jsonlines

ROOT = Path(__file__).parents[1]
READ = """
import json, sys, time
from pathlib import Path
from processing.codes.codebook import Attribute
from processing.dataset import data_files
from processing.dataset.manifest import DataFile
attributes = [Attribute("weight_kg", "number"), Attribute("material", "category")]
columns = data_files.columns_of(attributes, labelled=False)
try:
    from processing.codes.codebook import Format
    more = [Format()]
except ImportError:
    more = []
path, rows = Path(sys.argv[1]), int(sys.argv[2])
wall, busy = time.perf_counter(), time.process_time()
data_files.read([DataFile(path.name, path, rows)], columns, *more)
print(json.dumps([time.perf_counter() - wall, time.process_time() - busy]))
"""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--before", required=True, help="the commit to compare with")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        before = Path(scratch) / "before"
        packed = subprocess.run(
            ["git", "archive", options.before, "processing"], cwd=ROOT, check=True, capture_output=True
        )
        with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
            archive.extractall(before, filter="data")
        files = write(Path(scratch), options.rows)
        seconds = {(file, code): [] for file in files for code in (before, ROOT)}
        for _ in range(options.rounds):
            for file, code in seconds:
                seconds[file, code].append(read(file, options.rows, code))
    rows = []
    for file in files:
        (wall_before, busy_before), (wall, busy) = (
            map(min, zip(*seconds[file, code], strict=True)) for code in (before, ROOT)
        )
        rows.append(
            {
                "file": file.name,
                "seconds before": wall_before,
                "seconds": wall,
                "ratio": wall / wall_before,
                "ratio of processor seconds": busy / busy_before,
            }
        )
    show(f"Reading {options.rows:,} rows (synthetic), before: {options.before}", rows, options.json)


def write(folder: Path, rows: int) -> list[Path]:
    """The rows in each format: quoted titles with commas and umlauts, as exports have them."""
    rng = np.random.default_rng(7)
    words = np.array([f"Wörter{n}" if n % 5 == 0 else f"word{n}" for n in range(5_000)])
    titles = [
        ", ".join(some) if n % 3 == 0 else " ".join(some)
        for n, some in enumerate(words[rng.integers(0, 5_000, (rows, 6))])
    ]
    table = pa.table(
        {
            "item_id": [f"{n:08d}" for n in range(rows)],
            "title": titles,
            "brand": words[rng.integers(0, 200, rows)],
            "product_type": words[rng.integers(0, 50, rows)],
            "weight_kg": np.round(rng.gamma(2, 3, rows), 3),
            "material": words[rng.integers(0, 20, rows)],
        }
    )
    paths = [
        folder / name for name in ("plain.csv", "quoted.csv", "plain.csv.gz", "plain.jsonl", "plain.parquet")
    ]
    table.to_pandas().to_csv(paths[0], index=False)
    pyarrow.csv.write_csv(table, paths[1])
    paths[2].write_bytes(gzip.compress(paths[0].read_bytes(), 6))
    jsonlines.write(table, paths[3])
    pq.write_table(table, paths[4])
    return paths


def read(file: Path, rows: int, code: Path) -> tuple[float, float]:
    """Seconds and processor seconds to read a file with the `processing` in the folder `code`."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(file), str(rows)],
        cwd=code,
        check=True,
        capture_output=True,
        env={"PYTHONPATH": str(code)},
    )
    wall, busy = json.loads(done.stdout)
    return wall, busy


if __name__ == "__main__":
    main()
