"""A new country with few labelled rows, alone and with the rows of other countries (`same_as`).

    .venv/bin/python benchmarks/new_country.py --data openrepair.csv.gz [--only BEL CAN] [--json PATH]

Each draw splits a country's texts: two fifths test (at most 2,000 rows), of the others 50 to 500 rows are all
that the new country has. Both ways learn the same rows, test on the same and are compared draw by draw.
`sees` is the share of items that a person sees at the threshold from which on the test's truth is 98 % right,
which only the truth knows: what the order by confidence is worth. `released` is what the model's own
threshold lets pass.

The data is described in openrepair.py. Countries lend the same `product_category` as codes; how codes are
turned into each other is not measured here.
"""

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import BOOK, OPTIONS, as_table, note, read
from _report import arguments, show
from sklearn.metrics import f1_score

from inference.predict import Labeller
from training import features, train, training_set

#: Who lends: countries with a language in common, as far as there are any; Germany and Italy have none.
LENDERS = {
    "BEL": ("NLD", "FRA", "GBR"),
    "CAN": ("GBR", "USA"),
    "USA": ("GBR", "CAN"),
    "FRA": ("BEL", "GBR", "NLD"),
    "DEU": ("NLD", "DNK", "GBR"),
    "ITA": ("GBR", "DEU", "FRA"),
}
SIZES, DRAWS, LENT, TESTED = (50, 100, 200, 500), 5, 5000, 2000
PRECISION = 0.98
SCORES = ("accuracy", "macro-F1", "sees", "sees, by lead", "released", "right")


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="an Open Repair Alliance export")
    parser.add_argument("--only", nargs="+", choices=LENDERS, default=list(LENDERS), metavar="COUNTRY")
    args = parser.parse_args()
    items = read(args.data)
    rows = [row for country in args.only for size in SIZES for row in measured(items, country, size)]
    show("A new country", rows, args.json)
    return 0


def measured(items: pd.DataFrame, country: str, size: int) -> Iterator[dict]:
    """The means of the draws, alone and shared, and the differences with their standard errors."""
    note(f"{country}, {size} rows")
    draws = [found for draw in range(DRAWS) if (found := both(items, country, size, draw))]
    if not draws:
        return
    for way in (0, 1):
        means = pd.DataFrame([draw[way] for draw in draws]).mean()
        yield {"country": country, "rows": size, "": ("alone", "shared")[way], **_shown(means)}
    gains = pd.DataFrame([draw[1] for draw in draws]) - pd.DataFrame([draw[0] for draw in draws])
    yield {"country": country, "rows": size, "": "gain", **_shown(gains.mean())}
    yield {"country": country, "rows": size, "": "standard error", **_shown(gains.sem())}


def _shown(scores: pd.Series) -> dict[str, float]:
    return {name: round(float(scores[name]), 4) for name in SCORES}


def both(items: pd.DataFrame, country: str, size: int, draw: int) -> tuple[dict, dict] | None:
    """Scores alone and shared in one draw; None where the country has too few rows for it."""
    rng = np.random.default_rng([draw, size])
    its = items[items["country"] == country]
    texts = rng.permutation(its["text_key"].unique())
    tests = its["text_key"].isin(texts[: int(0.4 * len(texts))])
    if (~tests).sum() < size:
        return None
    own, test = its[~tests].sample(size, random_state=draw), its[tests].iloc[:TESTED]
    lent = items[items["country"].isin(LENDERS[country]) & ~items["text_key"].isin(test["text_key"])]
    lent = lent.sample(min(LENT, len(lent)), random_state=draw)
    others = [as_table(lent[lent["country"] == lender]) for lender in LENDERS[country]]
    return scores([as_table(own)], test), scores([as_table(own), *others], test)


def scores(groups: list[pa.Table], test: pd.DataFrame) -> dict[str, float]:
    """Train on the first group's rows and, if there are any, the others'; test."""
    codes = sorted({label for group in groups for label in group["label"].to_pylist()})
    options = Namespace(**{**vars(OPTIONS), "precision": PRECISION})
    labeller = Labeller(train.train(training_set.of_rows(groups, (), codes), BOOK, options)[0])
    table, truth = as_table(test), test["product_category"].to_numpy()
    found = labeller.label(table)
    answers = np.array(codes, object)[found.codes[:, 0]]
    right = answers == truth
    margins = np.sort(labeller.margins(table, features.item_texts(table))[0], axis=1)
    released = ~found.review
    return {
        "accuracy": right.mean(),
        "macro-F1": f1_score(truth, answers, average="macro", labels=np.unique(truth), zero_division=0),
        "sees": 1 - accepted(found.confidence[:, 0], right),
        "sees, by lead": 1 - accepted(margins[:, -1] - margins[:, -2], right),
        "released": released.mean(),
        "right": right[released].mean() if released.any() else np.nan,
    }


def accepted(order: np.ndarray, right: np.ndarray) -> float:
    """The largest share of items, from the highest on, that is right in PRECISION; equal ones together."""
    rows = pd.DataFrame({"order": order, "right": right}).groupby("order")["right"].agg(["sum", "count"])
    total = rows.iloc[::-1].cumsum()
    holds = total["sum"] >= PRECISION * total["count"]
    return float(total["count"][holds].max() / len(right)) if holds.any() else 0.0


if __name__ == "__main__":
    sys.exit(main())
