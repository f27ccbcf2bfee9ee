"""Labels that somebody shuffled: how many are found, and what leaving them out is worth on true labels.

    .venv/bin/python benchmarks/wrong_labels.py --data openrepair.csv.gz --countries DEU,BEL [--splits 5]
    .venv/bin/python benchmarks/wrong_labels.py --sets one.csv two.csv [--json PATH]

The data is an Open Repair Alliance export (CC BY-SA 4.0, https://openrepair.org/open-data/downloads/), rows
with item_is_label = 1 left out; each of `--sets` is a CSV with the columns title and label. At most 4,000
rows of each are drawn. The peer cleanlab is no dependency of the project: `.venv/bin/pip install cleanlab`
first, or its columns stay empty. It is given the same margins out of fold, as probabilities.

A fifth of the texts tests, with true labels; each split has other texts there. Of the rows that train 0, 5,
10 or 20 % have their labels shuffled among them. `found` and `precision`: of the labels that shuffling
changed, the share that is doubtful, and of the doubtful ones, the share that it changed. Under each C are
the means over the splits of a model that learns from all rows, and of one that leaves out what it would.
`won`: in how many pairs of split and C the second was more accurate, of those in which it was not the same.
SVC: the best of TF-IDF + LinearSVC with C .1, .3, 1, chosen on the test rows.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import sys
from argparse import Namespace
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import as_given, note
from _peers import linear_svc
from _report import arguments, show
from sklearn.metrics import f1_score, log_loss

from processing.dataset import split
from processing.dataset.text import text_keys
from training import doubtful, fitting
from training.training_set import TrainingSet

ROWS, FEWEST = 4_000, 5
SHUFFLED = (0.0, 0.05, 0.1, 0.2)
CS = (0.1, 0.3, 0.7)
PEER_CS, PEER_AT = (0.1, 0.3, 1.0), (0.0, 0.2)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="an Open Repair Alliance export, CSV or CSV.gz")
    parser.add_argument("--countries", default="", metavar="A,B", help="of the export, each a set")
    parser.add_argument("--sets", nargs="*", type=Path, default=[], metavar="FILE")
    parser.add_argument("--splits", type=int, default=5)
    args = parser.parse_args()
    if not find_spec("cleanlab"):
        print("cleanlab is left out; to have it: .venv/bin/pip install cleanlab", file=sys.stderr)
    sets = {path.stem: pd.read_csv(path, dtype=str).fillna("") for path in args.sets}
    if args.countries:
        sets |= of_countries(args.data, args.countries.split(","))
    rows = []
    for name, items in sets.items():
        rows += of_set(name, items, args.splits)
        show("Shuffled labels", rows, args.json)
    return 0


def of_countries(path: Path, countries: list[str]) -> dict[str, pd.DataFrame]:
    items = pd.read_csv(path, dtype=str).fillna("")
    items = items[items["item_is_label"] == "0"]
    items = items.assign(title=items["item_text"] + " " + items["problem"], label=items["product_category"])
    return {name: items[items["country"] == name] for name in countries}


def of_set(name: str, items: pd.DataFrame, splits: int) -> list[dict]:
    """A row for each share of shuffled labels, means over the splits."""
    items = items.sample(min(ROWS, len(items)), random_state=0)
    items = items[items.groupby("label")["label"].transform("size") >= FEWEST]
    found: dict[float, list[dict]] = {share: [] for share in SHUFFLED}
    for seed in range(splits):
        note(f"{name}, split {seed + 1}")
        # Another salt is another split, and other folds.
        table = pa.table({"title": items["title"].tolist(), "label": items["label"].tolist()})
        table = table.append_column("brand", pa.repeat("", len(table)))
        table = table.append_column("product_type", pa.repeat("", len(table)))
        table = table.append_column("text_key", text_keys(f"split {seed}", table))
        test = split.is_test(table["text_key"])
        whole = as_given(table)
        for share in SHUFFLED:
            found[share].append(of_split(whole, items["title"].to_numpy(object), test, share, seed))
    return [{"set": name, "shuffled %": 100 * share, **mean(rows)} for share, rows in found.items()]


def of_split(whole: TrainingSet, texts: np.ndarray, test: np.ndarray, share: float, seed: int) -> dict:
    given = some(whole, ~test)
    rng = np.random.default_rng(seed)
    at = rng.choice(len(given.labels), int(share * len(given.labels)), replace=False)
    labels = given.labels.copy()
    labels[at] = labels[rng.permutation(at)]
    wrong = labels != given.labels
    given = replace(given, labels=labels)
    doubts = doubtful.find(given)
    cleaned = replace(given, left_out=doubtful.to_leave_out(given, doubts, np.zeros(len(labels), bool)))
    result = {"noise %": 100 * doubts.noise, "doubtful %": 100 * doubts.doubtful.mean()}
    result |= found_of(wrong, doubts.doubtful, "")
    result |= found_of(wrong, of_cleanlab(given), "cleanlab ")
    result["left out %"] = 100 * cleaned.left_out.mean()
    truth, tested = whole.labels[test], whole.features[test]
    for c in CS:
        options = Namespace(family="linear", c=c, min_df=1, word_weight=1.0, first_word_weight=0.7)
        every = np.ones(len(labels), bool)
        kept = left = scores(truth, fitting.fit(given, every, options).margins(tested).argmax(axis=1))
        if cleaned.left_out.any():
            left = scores(truth, fitting.fit(cleaned, every, options).margins(tested).argmax(axis=1))
        result |= {f"kept {c:g}": kept[0], f"left {c:g}": left[0], f"F1 kept {c:g}": kept[1]}
        result[f"F1 left {c:g}"] = left[1]
    for c in PEER_CS if share in PEER_AT else ():
        predict = linear_svc(texts[~test].tolist(), labels, c)
        result[f"SVC {c:g}"] = float((predict(texts[test].tolist()) == truth).mean())
    return result


def some(given: TrainingSet, rows: np.ndarray) -> TrainingSet:
    names = ("features", "labels", "text", "fold", "validation", "source", "left_out")
    return replace(given, **{name: getattr(given, name)[rows] for name in names})


def found_of(wrong: np.ndarray, said: np.ndarray | None, of: str) -> dict[str, float]:
    """Recall and precision; there is none without wrong labels."""
    if said is None or not wrong.any():
        return {f"{of}found %": np.nan, f"{of}precision %": np.nan}
    return {
        f"{of}found %": 100 * float(said[wrong].mean()),
        f"{of}precision %": 100 * float(wrong[said].mean()) if said.any() else np.nan,
    }


def of_cleanlab(given: TrainingSet) -> np.ndarray | None:
    """What cleanlab's `find_label_issues` says of the same margins, by its default filter."""
    if not find_spec("cleanlab"):
        return None
    from cleanlab.filter import find_label_issues  # wanted by this benchmark only

    margins, _ = fitting.out_of_fold(given, doubtful.SETTING, doubtful.PARTS)
    codes, labels = np.unique(given.labels, return_inverse=True)

    def shares(slope: float) -> np.ndarray:
        powers = np.exp(slope * (margins[:, codes] - margins.max(axis=1, keepdims=True)).astype(float))
        return powers / powers.sum(axis=1, keepdims=True)

    best = min((1, 2, 3, 4, 6, 8), key=lambda s: log_loss(labels, shares(s), labels=range(len(codes))))
    return find_label_issues(labels, shares(best), n_jobs=1)


def scores(truth: np.ndarray, answers: np.ndarray) -> tuple[float, float]:
    return (answers == truth).mean(), f1_score(truth, answers, average="macro", zero_division=0)


def mean(rows: list[dict]) -> dict[str, float]:
    """Means over the splits; of paired differences also how many are better."""
    table = pd.DataFrame(rows)
    made = {
        name: float(table[name].mean()) for name in table if not name.startswith(("kept", "left 0", "F1"))
    }
    made = {name: value for name, value in made.items() if not name.startswith("SVC")}
    gains = np.concatenate([table[f"left {c:g}"] - table[f"kept {c:g}"] for c in CS])
    for what in ("", "F1 "):
        for c in CS:
            both = (float(table[f"{what}{way} {c:g}"].mean()) for way in ("kept", "left"))
            made[f"{what}C {c:g}"] = " ".join(f"{value:.3f}" for value in both)
    made["won"] = f"{(gains > 0).sum()} of {(gains != 0).sum()}"
    peers = [name for name in table if name.startswith("SVC")]
    made["SVC"] = float(table[peers].mean().max()) if peers else np.nan
    return made


if __name__ == "__main__":
    sys.exit(main())
