"""The classifier beside what people would write, on real items: accuracy, speed, calibration, cost of
training.

    .venv/bin/python benchmarks/classifier.py --data openrepair.csv.gz [--json PATH]

The data is an Open Repair Alliance export (CC BY-SA 4.0, https://openrepair.org/open-data/downloads/).
Rows with item_is_label = 1 hold the label in their text and are left out. The peer fastText is no
dependency of the
project: `pip install fasttext-wheel` first, or its row stays out.

Four fifths of the texts train (settings were chosen before, on a validation part of them), one fifth tests;
identical texts are on one side. `unseen words` splits by the item's name instead. One thread per process.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _claims import calibration, countries, serving, training_cost
from _items import answers_of, as_table, best_of, fit_ours, read, scores, shared, side_by_side
from _peers import PEERS
from _report import arguments, show

from inference.predict import Labeller
from processing import split


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="an Open Repair Alliance export, CSV or CSV.gz"
    )
    args = parser.parse_args()
    if not args.data.exists():
        print(
            f"{args.data} is not there. Get one at https://openrepair.org/open-data/downloads/.",
            file=sys.stderr,
        )
        return 2
    items = read(args.data)
    table, test = as_table(items), split.is_test(pa.array(items["text_key"]))
    print("Labelmill ...", file=sys.stderr, flush=True)
    labeller, rows = measure_ours(table, items, test)
    for name, fit in PEERS.items():
        if name != "fastText" or find_spec("fasttext"):
            print(f"{name} ...", file=sys.stderr, flush=True)
            rows.append(measure_peer(name, fit, items, test))
            print(rows[-1], file=sys.stderr, flush=True)
    print("single claims ...", file=sys.stderr, flush=True)
    claims = [
        *calibration(labeller, table, items, test),
        *serving(labeller, table, test),
        *training_cost(table, test),
        *countries(table, items, test),
    ]
    show("Open Repair, all countries", rows, None)
    show("Single claims", claims, None)
    if args.json:
        args.json.write_text(json.dumps({"classifiers": rows, "claims": claims}, indent=1), encoding="utf-8")
    return 0


def measure_peer(name: str, fit, items: pd.DataFrame, test: np.ndarray) -> dict:
    labels = items["product_category"].to_numpy()
    started = time.process_time()
    predict = fit(items["text"][~test].tolist(), labels[~test])
    seconds = time.process_time() - started
    texts = items["text"][test].tolist()
    answers = predict(texts)
    result = scores(items[test], answers == labels[test], answers)
    unseen = split.is_test(pa.array(items["name_key"]))
    again = fit(items["text"][~unseen].tolist(), labels[~unseen])(items["text"][unseen].tolist())
    return {
        "classifier": name,
        **result,
        "unseen words": float((again == labels[unseen]).mean()),
        "fit, cpu s": seconds,
        "items/s, 1 process": len(texts) / best_of(lambda: predict(texts)),
        "items/s, 2 processes": 2 * len(texts) / best_of(lambda: side_by_side(predict, texts), 2),
    }


def measure_ours(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> tuple[Labeller, list[dict]]:
    started = time.process_time()
    labeller = fit_ours(table.filter(pa.array(~test)))
    seconds = time.process_time() - started
    given = table.filter(pa.array(test))
    result = scores(items[test], *answers_of(labeller, given, items["product_category"][test].to_numpy()))
    unseen = split.is_test(pa.array(items["name_key"]))
    right, _ = answers_of(
        fit_ours(table.filter(pa.array(~unseen))),
        table.filter(pa.array(unseen)),
        items["product_category"][unseen].to_numpy(),
    )
    many = pa.concat_tables([given] * 6)
    speed = {
        "items/s, 1 process": len(many) / best_of(lambda: labeller.label(many)),
        "items/s, 2 processes": 2 * len(many) / best_of(lambda: side_by_side(labeller.label, many)),
    }
    own = {
        "classifier": "Labelmill",
        **result,
        "unseen words": float(right.mean()),
        "fit, cpu s": seconds,
        **speed,
    }
    result, cost = shared(table, items, test)
    unseen_result, _ = shared(table, items, unseen)
    copies = {
        "classifier": "Labelmill, countries sharing",
        **result,
        "unseen words": unseen_result["rows"],
        "fit, cpu s": cost,
        **speed,
    }
    return labeller, [own, copies]


if __name__ == "__main__":
    sys.exit(main())
