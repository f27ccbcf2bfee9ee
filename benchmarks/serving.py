"""Where serving's time goes, and what the machine would allow: a profile, a roofline, and fastText beside it.

    .venv/bin/pip install fasttext-turbo     # fastText's models, served faster; without it its columns are 0
    .venv/bin/python benchmarks/serving.py [--data openrepair.csv.gz] [--set NAME=FILE.csv ...] [--json PATH]

Each set's texts are split, four fifths to learn from; `_sets.py` makes sets with more codes than Open
Repair's 40. Speeds are medians of five calls on a quiet machine, from texts to codes; ours with confidence,
short list and what goes to a person, fastText's with the code alone. One thread a process.

The profile's parts are microseconds of processor time an item, as cProfile sees them, without its own cost:
    text       normal form of title, product type and brand
    words      split, hash and look up words and pairs
    unknown    n-grams of words that no training text had
    sums       rows of the tables, added up and scaled by their length
    answers    three best codes, their confidence, short list
    bandwidth  what the sums would take if they only moved their bytes at the speed of a copy in memory
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import cProfile
import pstats
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import as_table, fit_ours, medians, note, read, side_by_side
from _peers import fasttext
from _report import arguments, show

from inference import predict
from inference.predict import Labeller
from processing.dataset import split
from processing.dataset.text import text_keys

AT_ONCE = 100_000  # items of a call, as often the test rows as it takes
FASTTEXT = {"lr": 1.0, "epoch": 25}


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="an Open Repair Alliance export, CSV or CSV.gz")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FILE", help="a CSV: title, label")
    args = parser.parse_args()
    sets = {"Open Repair": as_table(read(args.data))} if args.data else {}
    sets |= {name: titles(Path(file)) for name, file in (given.split("=", 1) for given in args.set)}
    bandwidth = bytes_a_second()
    rows = []
    for name, table in sets.items():
        note(name)
        test = np.asarray(split.is_test(table["text_key"].combine_chunks()), bool)
        learn, given = table.filter(pa.array(~test)), table.filter(pa.array(test))
        given = pa.concat_tables([given] * -(-AT_ONCE // len(given))).combine_chunks()
        labeller = fit_ours(learn)
        rows.append(
            {"set": name, "codes": len(labeller.model.codes)}
            | speeds(labeller, given, learn)
            | profile(labeller, given)
            | {"bandwidth": 1e6 * moved(labeller, given) / bandwidth / len(given)}
        )
    show(f"Serving; memory copies {bandwidth / 1e9:.1f} GB/s", rows, args.json)
    return 0


def titles(file: Path) -> pa.Table:
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    rows = rows.assign(brand="", product_category=rows["label"])
    made = as_table(rows, ["title", "brand"])
    return made.append_column("text_key", text_keys("XX-set", made))


def speeds(labeller: Labeller, given: pa.Table, learn: pa.Table) -> dict[str, float]:
    """Items a second of one process and of two at once."""
    found = {"ours, 1": labeller.label, "fastText, 1": lambda given: None}
    texts = [f"{title} {brand}" for title, brand in zip(*columns(given), strict=True)]
    if find_spec("fasttext"):
        joined = [f"{title} {brand}" for title, brand in zip(*columns(learn), strict=True)]
        found["fastText, 1"] = fasttext(joined, np.array(learn["label"].to_pylist()), **FASTTEXT)
    made = {}
    for name, label in found.items():
        argument = given if name.startswith("ours") else texts
        if name.startswith("fastText") and not find_spec("fasttext"):
            made |= {name: 0.0, name.replace("1", "2"): 0.0}
            continue
        [one] = medians(lambda: label(argument))  # noqa: B023
        [two] = medians(lambda: side_by_side(label, argument))  # noqa: B023
        made |= {name: len(given) / one, name.replace("1", "2"): 2 * len(given) / two}
    return made


def columns(table: pa.Table) -> tuple[list[str], list[str]]:
    return table["title"].to_pylist(), table["brand"].to_pylist()


def profile(labeller: Labeller, given: pa.Table) -> dict[str, float]:
    """Microseconds of processor time an item, part by part; in sum what a call takes without cProfile."""
    labeller.label(given)
    began = time.process_time()
    labeller.label(given)
    whole = time.process_time() - began
    profiler = cProfile.Profile(time.process_time)
    profiler.runcall(labeller.label, given)
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    spent = {name: cumulative for (_, _, name), (_, _, _, cumulative, _) in stats.items()}
    sums = spent["sum_runs"] + spent["finish"]
    parts = {
        "text": spent["item_texts"],
        "words": spent["margins"] - sums - spent.get("hash_ngrams", 0.0),
        "unknown": spent.get("hash_ngrams", 0.0),
        "sums": sums,
        "answers": spent["_label"] - spent["margins"],
    }
    scale = 1e6 * whole / sum(parts.values()) / len(given)
    return {name: scale * seconds for name, seconds in parts.items()}


def moved(labeller: Labeller, given: pa.Table) -> int:
    """Bytes that the sums read of their tables and write."""
    moved, sum_runs = 0, predict.sum_runs

    def counted(table, row, count, value=None):
        nonlocal moved
        sums = sum_runs(table, row, count, value)
        moved += len(row) * table.shape[1] * table.itemsize + sums.nbytes
        return sums

    predict.sum_runs = counted
    try:
        labeller.label(given)
    finally:
        predict.sum_runs = sum_runs
    return moved


def bytes_a_second() -> float:
    """Of a copy in memory that no cache holds: read and written ones."""
    source = np.ones(50_000_000)
    target = np.empty_like(source)
    [seconds] = medians(lambda: np.copyto(target, source))
    return 2 * source.nbytes / seconds


if __name__ == "__main__":
    sys.exit(main())
