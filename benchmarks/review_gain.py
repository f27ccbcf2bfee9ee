"""What a row of the review sheet buys: true precision after n rows, by the sheet's order and by families.

    .venv/bin/python benchmarks/review_gain.py --data openrepair.csv.gz [--set NAME=FILE.csv ...]

A set is a CSV with the columns `title` and `label`. Open Repair: see benchmarks/openrepair.py. `synthetic`
are the demo's items (infra/samples); no figure on them is an accuracy.

Each set is split by text --splits times at random: the project's own training learns from --train rows, up
to --month others are a month that it labels, all of whose items wait for review. Who reviews knows the truth.
True precision is of all the month's labels, what people decided included; the rows are those that a person
must see until it is reached and stays so. `before`: by the chance of an error times the items with the same
text. A family whose rows differ is broken up, and its other items take their own places, as on a sheet that
is exported again. Bands: 95 % of 2,000 bootstrap means over the splits.
"""

import heapq
import sys
from argparse import Namespace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import as_table, fit_ours, note, read
from _report import arguments, show

from infra.samples import generate
from pipelines.review import families as together
from pipelines.review.published import Output
from pipelines.review.queue import queue
from processing.codes.codebook import Code, Codebook
from processing.dataset.text import text_keys
from processing.labels import families
from processing.labels.label_table import TYPES
from processing.policy import DECIDE, Policy

WANTED = (0.98, 0.99)
AFTER = (0, 100, 300, 1000, 3000)
ORDERS = ("random", "least confident", "before", "by gain", "by gain, families")


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="an Open Repair Alliance export, CSV or CSV.gz")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=FILE", help="CSV: title,label")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--train", type=int, default=6000)
    parser.add_argument("--month", type=int, default=12000)
    args = parser.parse_args()
    reach, curve = [], []
    for name, items in sets(args):
        splits = []
        for seed in range(args.splits):
            note(f"{name}, split {seed + 1} of {args.splits}")
            splits.append(one_split(items, args, seed))
        reach += [reached(name, order, splits) for order in ORDERS]
        curve += [after(name, order, splits) for order in ORDERS]
    show("Rows that a person sees until so much of the month is right", reach, args.json)
    show("Right after so many rows, %", curve, args.json and args.json.with_stem(f"{args.json.stem}-curve"))
    return 0


def sets(args: Namespace):
    """The name and the items of each set: `title`, `brand`, `product_category`, `text_key`."""
    if args.data:
        yield "Open Repair", read(args.data)
    for given in args.set:
        name, _, file = given.partition("=")
        rows = pd.read_csv(file, dtype=str).fillna("")
        yield name, keyed(rows.assign(brand=""))
    rows = pd.DataFrame(generate.items("DE-weee", 0, 2 * args.month, labelled=True))
    yield "synthetic", keyed(rows.assign(brand=rows["brand"].fillna("")))


def keyed(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.rename(columns={"label": "product_category"})
    rows["text_key"] = text_keys("XX-repair", as_table(rows, ("title", "brand"))).to_pylist()
    return rows


def one_split(items: pd.DataFrame, args: Namespace, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each order of ORDERS: how many labels are right after each row, and how many items are decided."""
    texts = items["text_key"].unique()
    place = dict(zip(texts, np.random.default_rng(seed).permutation(len(texts)), strict=True))
    items = items.iloc[np.argsort(items["text_key"].map(place).to_numpy(), kind="stable")]
    n_train = min(args.train, len(items) // 2)
    train, month = items.iloc[:n_train], items.iloc[n_train : n_train + args.month]
    labeller = fit_ours(as_table(train))
    prediction = labeller.label(as_table(month))
    codes = np.array(labeller.model.codes, object)[prediction.codes[:, 0]]
    labels = published(month, codes, prediction.confidence[:, 0])
    truth = dict(zip(labels["item_id"].to_pylist(), month["product_category"].tolist(), strict=True))
    model = dict(zip(labels["item_id"].to_pylist(), codes.tolist(), strict=True))
    listed = (Code(code, code, date(2020, 1, 1), None, critical=False) for code in sorted({*codes}))
    book = Codebook("XX-repair", "1", (), tuple(listed))
    output = Output("", {"period": "2026-10"}, labels)
    ids = labels["item_id"].to_pylist()
    sure = labels["confidence"].to_numpy()
    count = month["text_key"].map(month["text_key"].value_counts()).to_numpy()
    ranks = {
        "random": np.random.default_rng(seed).random(len(ids)),
        "least confident": sure,
        "before": (sure - 1) * count,
    }
    rows = {order: sorted(zip(rank.tolist(), ids, strict=True)) for order, rank in ranks.items()}
    rows["by gain"] = [(-row["value"], row["item_id"]) for row in queue(output, book)]
    found = {order: reviewed(each, {}, {}, model, truth) for order, each in rows.items()}
    heads = [(-row["value"], row["item_id"]) for row in queue(output, book, policy=Policy(family=DECIDE))]
    of_item = {item: each for each in together.waiting(labels, {*codes}) for item in each.rows}
    alone = dict(zip(ids, (sure - 1).tolist(), strict=True))
    return found | {"by gain, families": reviewed(heads, alone, of_item, model, truth)}


def published(month: pd.DataFrame, codes: np.ndarray, confidence: np.ndarray) -> pa.Table:
    """The labels of a month all of whose items wait for review."""
    table = as_table(month)
    columns = {
        "item_id": [f"{number:07d}" for number in range(len(month))],
        "code": codes.tolist(),
        "confidence": confidence.tolist(),
        "second_code": [None] * len(month),
        "status": ["review"] * len(month),
        "text_key": month["text_key"].tolist(),
        "family": families.keys(table, pa.array(codes.tolist())),
        **{name: [None] * len(month) for name in ("answer", "decided_on", "reason")},
    }
    return pa.table({name: pa.array(v, TYPES.get(name, pa.string())) for name, v in columns.items()})


def reviewed(
    rows: list[tuple[float, str]], alone: dict[str, float], of_item: dict, model: dict, truth: dict
) -> tuple[np.ndarray, np.ndarray]:
    """Right labels and decided items after each row, both `(1 + n_rows,)`.

    `rows` are the sheet's, each with its rank; `alone` are the ranks of items that have no row.
    """
    label, open_ = dict(model), {}
    right, decided = [sum(model[item] == code for item, code in truth.items())], [0]
    ahead = [(rank, place, item) for place, (rank, item) in enumerate(rows)]
    heapq.heapify(ahead)

    def put(item: str, code: str) -> None:
        right[-1] += int(code == truth[item]) - int(label[item] == truth[item])
        label[item] = code
        decided[-1] += 1

    while ahead:
        _, _, item = heapq.heappop(ahead)
        right.append(right[-1])
        decided.append(decided[-1])
        put(item, truth[item])
        if not (family := of_item.get(item)):
            continue
        seen = open_.setdefault(family.mark, {})
        seen[item] = truth[item]
        if len(seen) < len(family.rows):
            continue
        for other in family.others:
            if len({*seen.values()}) == 1:
                put(other, truth[item])
            else:
                heapq.heappush(ahead, (alone[other], len(truth), other))
    return np.array(right) / len(truth), np.array(decided)


def reached(name: str, order: str, splits: list) -> dict:
    found = {"set": name, "order": order, "items": int(np.mean([len(s["random"][0]) - 1 for s in splits]))}
    found["before any, %"] = 100 * np.mean([split[order][0][0] for split in splits])
    for wanted in WANTED:
        needed = [rows_until(split[order][0], wanted) for split in splits]
        base = [rows_until(split["before"][0], wanted) for split in splits]
        found[f"rows for {wanted:.0%}"] = band(needed, "{:,.0f}")
        found[f"of before, {wanted:.0%}"] = band(np.array(needed) / np.maximum(base, 1), "{:.2f}")
    ends = [(len(split[order][0]) - 1, 100 * split[order][0][-1]) for split in splits]
    found["rows in all"] = int(np.mean([rows for rows, _ in ends]))
    found["right at the end, %"] = float(np.mean([right for _, right in ends]))
    return found


def rows_until(right: np.ndarray, wanted: float) -> float:
    """The smallest number of rows after which precision is never below; NaN where it is at the end."""
    below = np.flatnonzero(right < wanted)
    if not len(below):
        return 0
    return float(below[-1] + 1) if below[-1] + 1 < len(right) else np.nan


def after(name: str, order: str, splits: list) -> dict:
    found = {"set": name, "order": order}
    for rows in AFTER:
        values = [100 * split[order][0][min(rows, len(split[order][0]) - 1)] for split in splits]
        found[f"{rows:,}"] = band(values, "{:.2f}")
    for rows in AFTER[1:]:
        each = [split[order][1][min(rows, len(split[order][1]) - 1)] for split in splits]
        found[f"items in {rows:,}"] = f"{np.mean(each):,.0f}"
    return found


def band(values, form: str) -> str:
    """The mean over the splits, and 95 % of its bootstrap means."""
    values = np.asarray(values, float)
    drawn = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return f"{form.format(values.mean())} ({form.format(low)} to {form.format(high)})"


if __name__ == "__main__":
    sys.exit(main())
