"""The classifier beside what people would write, on real items: accuracy, calibration, speed, cost.

    .venv/bin/python benchmarks/classifier.py --data openrepair.csv.gz [--only accuracy|speed] [--json PATH]

The data is an Open Repair Alliance export (CC BY-SA 4.0, https://openrepair.org/open-data/downloads/).
Rows with item_is_label = 1 hold the label in their text and are left out. The peer fastText is no
dependency of the project: `.venv/bin/pip install fasttext-wheel` first, or its row stays out.

Four fifths of the texts train (settings were chosen before, on a validation part of them), one fifth tests;
identical texts are on one side. `unseen words` splits by the item's name instead. One thread per process.
`--only accuracy` has what a busy machine does not change, `--only speed` the rest.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import _accuracy
import _speed
import pyarrow as pa
from _items import as_table, note, read
from _peers import PEERS
from _report import arguments, show

from processing.dataset import split


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="an Open Repair Alliance export, CSV or CSV.gz"
    )
    parser.add_argument("--only", choices=("accuracy", "speed"), help="one of the two parts (default: both)")
    args = parser.parse_args()
    if not args.data.exists():
        print(
            f"{args.data} is not there. Get one at https://openrepair.org/open-data/downloads/.",
            file=sys.stderr,
        )
        return 2
    items = read(args.data)
    table, test = as_table(items), split.is_test(pa.array(items["text_key"]))
    peers = list(PEERS)
    if not find_spec("fasttext"):
        peers.remove("fastText")
        print("fastText is left out; to have it: .venv/bin/pip install fasttext-wheel", file=sys.stderr)
    results = {}
    for part, module in {"accuracy": _accuracy, "speed": _speed}.items():
        if args.only in (None, part):
            note(part)
            rows, claims = module.measure(table, items, test, peers)
            show(f"Open Repair, all countries: {part}", rows, None)
            show(f"Single claims: {part}", claims, None)
            results[part] = {"classifiers": rows, "claims": claims}
    if args.json:
        args.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
