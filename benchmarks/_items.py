"""Open Repair items for the classifier's benchmark, fits on them, and scores."""

import multiprocessing
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import f1_score

from inference.predict import Labeller
from processing.codes.codebook import Codebook
from processing.dataset.text import text_keys
from training import features, sharing, train, training_set, weighting
from training.families import linear
from training.training_set import TrainingSet

SETTING = {"family": "linear", "c": 0.6, "min_df": 1, "word_weight": 1.0, "first_word_weight": 0.7}
OPTIONS = Namespace(**SETTING, promise="automatic", precision=0.98, code_precision=0.8)
BOOK = Codebook("XX-repair", "1", (), ())


def read(path: Path) -> pd.DataFrame:
    """Rows without the label in their text, with keys of the text and of the item's name alone."""
    items = pd.read_csv(path, dtype=str).fillna("")
    items = items[items["item_is_label"] == "0"].reset_index(drop=True)
    items["title"] = items["item_text"].str.cat(items["problem"], sep=" ")
    items["text"] = items["title"].str.cat(items["brand"], sep=" ")
    items["text_key"] = text_keys("XX-repair", as_table(items, ["title", "brand"])).to_pylist()
    names = pa.table(
        {"title": items["item_text"].tolist(), "brand": [""] * len(items), "product_type": [""] * len(items)}
    )
    items["name_key"] = text_keys("XX-repair", names).to_pylist()
    return items


def as_table(items: pd.DataFrame, columns=("title", "brand", "text_key")) -> pa.Table:
    """Canonical rows."""
    made = {name: pa.array(items[name].tolist()) for name in columns}
    made |= {
        "product_type": pa.array([""] * len(items)),
        "label": pa.array(items["product_category"].tolist()),
    }
    return pa.table(made)


def scores(items: pd.DataFrame, right: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """Accuracy over rows and over distinct texts, macro-F1."""
    labels = items["product_category"].to_numpy()
    return {
        "rows": float(right.mean()),
        "distinct texts": float(pd.Series(right).groupby(items["text_key"].to_numpy()).mean().mean()),
        "macro-F1": float(f1_score(labels, answers, average="macro")),
    }


def answers_of(labeller: Labeller, table: pa.Table, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answers = np.array(labeller.model.codes, object)[labeller.label(table).codes[:, 0]]
    return answers == labels, answers


def medians(*functions, times: int = 5) -> list[float]:
    """The median duration of each, seconds. They run in turns: what disturbs the machine disturbs all."""
    durations = []
    for _ in range(times):
        for function in functions:
            started = time.perf_counter()
            function()
            durations.append(time.perf_counter() - started)
    return np.median(np.reshape(durations, (times, -1)), axis=0).tolist()


def side_by_side(function, argument) -> None:
    """Run a function on the same argument in two forked processes."""
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=function, args=[argument]) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def as_given(table: pa.Table) -> TrainingSet:
    """The training set of canonical rows."""
    return training_set.of_rows([table], (), sorted(set(table["label"].to_pylist())))


def fit_ours(table: pa.Table) -> Labeller:
    """The project's own training, confidence included."""
    return Labeller(train.train(as_given(table), BOOK, OPTIONS)[0])


def shared(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> dict[str, float]:
    """Scores of one fit with a copy of the features for each country, rows by their country's weights."""
    country = np.unique(items["country"], return_inverse=True)[1]
    codes, labels = np.unique(items["product_category"], return_inverse=True)
    margins = copies_margins(table, labels, country, ~test, np.flatnonzero(test), len(codes))
    answers = codes[margins.argmax(axis=1)]
    return scores(items[test], answers == items["product_category"][test].to_numpy(), answers)


def copies_margins(table, labels, country, train_rows, test_rows, n_codes) -> np.ndarray:
    """Margins of the test rows, `(len(test_rows), n_codes)`."""
    counts = features.count(table, ())
    weights = OPTIONS.word_weight, OPTIONS.first_word_weight
    learned = weighting.fit(counts[train_rows], OPTIONS.min_df, *weights)
    weighted = learned.apply(counts[train_rows])
    fitted, intercepts = linear.fit(
        sharing.with_copies(weighted, country[train_rows]), labels[train_rows], n_codes, OPTIONS.c
    )
    margins = np.zeros((len(test_rows), n_codes), np.float32)
    tested = learned.apply(counts[test_rows])
    for group in np.unique(country[test_rows]):
        its = country[test_rows] == group
        margins[its] = tested[its] @ sharing.folded(fitted, group, weighted.shape[1]) + intercepts
    return margins


def claim(name: str, value: float) -> dict:
    return {"claim": name, "value": float(value)}


def note(step: str) -> None:
    """Say what is being done, on the error stream."""
    print(f"{step} ...", file=sys.stderr, flush=True)
