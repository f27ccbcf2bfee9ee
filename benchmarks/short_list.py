"""How often a reviewer's short list holds the right code, by set (docs/classifier.md, "The short list").

    .venv/bin/python benchmarks/short_list.py --data openrepair.csv.gz [--set NAME=FILE.csv ...] [--rows 6000]
        [--only NAME ...] [--json PATH]

Sets are those of people.py; --rows of each are drawn. A fifth of the texts tests, the default setting learns
the rest. Of the test rows that the model sends to a person: `whole` and `shown` are the shares whose list, in
full and as far as it is shown, holds the right code; `two` those with it among the first two codes; `one` and
`long` the shares of lists of one code, and of more than are shown.
"""

from argparse import Namespace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import people
import pyarrow as pa
from _items import OPTIONS
from _report import arguments, show

from inference.predict import Labeller
from processing.codes.codebook import Code, Codebook
from processing.dataset.text import text_keys
from training import short_list, train, training_set


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="an Open Repair Alliance export, CSV or CSV.gz")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FILE", help="a CSV: title, label")
    parser.add_argument("--rows", type=int, default=6000, help="so many of each set")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these sets alone")
    args = parser.parse_args()
    found = people.sets(args)
    rows = [{"set": name, **measured(found[name], args.rows)} for name in args.only or found]
    show("Short lists of the items that a person sees", rows, args.json)
    return 0


def measured(rows: pd.DataFrame, most: int) -> dict[str, float]:
    """A set's line; rows: title, brand, label."""
    rng = np.random.default_rng(0)
    rows = rows.iloc[rng.permutation(len(rows))[:most]]
    table = pa.table(
        {name: rows[name].tolist() for name in ("title", "brand", "label")}
        | {"product_type": [""] * len(rows)}
    )
    table = table.append_column("text_key", text_keys("XX-set", table))
    text = np.unique(table["text_key"].to_pylist(), return_inverse=True)[1]
    test = rng.permutation(text.max() + 1)[text] % 5 == 0
    learn = table.filter(pa.array(~test))
    codes = sorted(set(learn["label"].to_pylist()))
    entries = tuple(Code(code, code, date.min, None, critical=False) for code in codes)
    given = training_set.of_rows([learn], (), codes)
    model, _ = train.train(given, Codebook("XX-set", "1", (), entries), Namespace(**vars(OPTIONS)))
    return {"rows": len(rows), "codes": len(codes), **_of_lists(model, table.filter(pa.array(test)))}


def _of_lists(model, table: pa.Table) -> dict[str, float]:
    shown = short_list.SHOWN
    short_list.SHOWN = len(model.codes)  # the lists in full
    answers = Labeller(model).label(table)
    short_list.SHOWN = shown
    number = {code: place for place, code in enumerate(model.codes)}
    truth = np.array([number.get(code, -2) for code in table["label"].to_pylist()])
    seen, size = answers.review, answers.short_list_size
    # A list of one code is left empty: it is the first code.
    lists = np.where((size == 0)[:, None], answers.codes[:, :1], answers.short_list)
    holds = lists == truth[:, None]
    found = {
        "whole": holds.any(axis=1),
        "shown": holds[:, :shown].any(axis=1),
        "two": (answers.codes[:, :2] == truth[:, None]).any(axis=1),
        "one": size == 0,
        "long": size > shown,
    }
    return {"seen": float(seen.mean()), **{name: float(each[seen].mean()) for name, each in found.items()}}


if __name__ == "__main__":
    raise SystemExit(main())
