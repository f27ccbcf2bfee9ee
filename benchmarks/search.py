"""What a search of eight trials finds, beside a search of forty: real sets, true labels and wrong ones.

    .venv/bin/python benchmarks/search.py --data openrepair.csv.gz [FILE.csv ...] [--rows 2400] [--splits 1]
        [--json PATH]

Sets: five countries of an Open Repair Alliance export, and each FILE, a CSV with the columns title and label;
of each at most --rows rows and its 60 largest codes. Texts are split at random, three quarters learn, and
each set is measured twice: as it is, and with a fifth of the training labels shuffled. A search goes by
macro-F1 over three folds of the training rows, as labelled. What is shown is the chosen setting's macro-F1 on
test rows, which keep their true labels, in points above `best of 40`:

    before      eight trials over the ranges of old (BEFORE); the first word's weight was not among them
    after       eight trials over the ranges of the compiled machine, and the starts, as Train has it
    stopped     the same, stopped after three trials in a row without a gain of one percent, as SageMaker can
    starts      the starts alone; no search
    default     `-C 0.5` and nothing else
    best of 40  the search of `after` goes on to forty trials

Trials are drawn by the local stack's sampler. Accuracies come last. The means' standard errors count each
set, as it is or with wrong labels, once.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import note
from _report import arguments, show
from openrepair import COUNTRIES, NO_DATA
from sklearn.metrics import f1_score

from infra.local.sagemaker.search import Search
from pipelines.plan.definitions import FOLDER
from processing.dataset.text import text_keys
from training import training_set, weighting
from training.families import linear
from training.features import Features
from training.hyperparameters import parser, starts
from training.training_set import TrainingSet

MOST_CODES, FEWEST_TEXTS = 60, 4
WRONG = (0.0, 0.2)
FOLDS, TRIALS, LONG = 3, 8, 40
DEFAULT = parser("").parse_args([])
BEFORE = {
    "ContinuousParameterRanges": [
        {"Name": "C", "MinValue": "0.05", "MaxValue": "4", "ScalingType": "Logarithmic"},
        {"Name": "word_weight", "MinValue": "0.5", "MaxValue": "2", "ScalingType": "Logarithmic"},
    ],
    "CategoricalParameterRanges": [
        {"Name": "min_df", "Values": ["1", "2"]},
        {"Name": "family", "Values": ["linear"]},
    ],
}
#: SageMaker's BestObjectiveNotImproving at its least: so many trials in a row without a gain of one percent.
NO_GAIN, GAIN = 3, 1.01
COLUMNS = ("before", "after", "stopped", "starts", "default")


def main() -> int:
    options = arguments(__doc__)
    options.add_argument("--data", type=Path, required=True, help="an Open Repair Alliance export")
    options.add_argument("files", nargs="*", type=Path, metavar="FILE", help="CSV with title and label")
    options.add_argument("--rows", type=int, default=2400, help="at most, of each set (default: %(default)s)")
    options.add_argument("--splits", type=int, default=1, help="of each set (default: %(default)s)")
    args = options.parse_args()
    if not args.data.exists():
        print(NO_DATA.format(args.data), file=sys.stderr)
        return 2
    lines = []
    for name, rows in sets(args.data, args.files):
        for wrong in WRONG:
            note(f"{name}, {wrong:.0%} wrong labels")
            splits = [measured(some(rows, args.rows, seed), wrong, seed) for seed in range(args.splits)]
            mean = {key: float(np.mean([each[key] for each in splits])) for key in splits[0]}
            lines.append({"set": name, "wrong %": round(100 * wrong), **mean})
            note(str(lines[-1]))
    figures = [name for name in lines[0] if name not in ("set", "wrong %")]
    table = pd.DataFrame(lines)[figures]
    mean, error = table.mean().to_dict(), table.sem().to_dict()
    ends = [{"set": "mean", "wrong %": ""} | mean, {"set": "standard error", "wrong %": ""} | error]
    show("Macro-F1 on test rows, points above the best of 40 trials", [*lines, *ends], args.json)
    return 0


def sets(export: Path, files: list[Path]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows: title, brand, label."""
    items = pd.read_csv(export, dtype=str).fillna("")
    items = items[items["item_is_label"] == "0"]
    for file in files:
        yield file.stem, pd.read_csv(file, dtype=str).fillna("").assign(brand="")
    for country in COUNTRIES:
        of = items[items["country"] == country]
        title = of["item_text"].str.cat(of["problem"], sep=" ")
        yield country, pd.DataFrame({"title": title, "brand": of["brand"], "label": of["product_category"]})


def some(rows: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    rows = rows.sample(min(most, len(rows)), random_state=seed)
    texts = rows.groupby("label")["title"].nunique()
    kept = texts[texts >= FEWEST_TEXTS].sort_values(ascending=False, kind="stable").index[:MOST_CODES]
    return rows[rows["label"].isin(kept)].reset_index(drop=True)


def measured(rows: pd.DataFrame, wrong: float, seed: int) -> dict[str, float]:
    """Test scores of what each search chose, in points above those of the best of LONG trials."""
    case = Case.of(rows, wrong, seed)
    tune = json.loads((FOLDER / "training.asl.json").read_text())["States"]["Tune"]["Parameters"]
    config = deepcopy(tune["HyperParameterTuningJobConfig"])
    config["ResourceLimits"] = {"MaxNumberOfTrainingJobs": TRIALS}  # Passed by a path: of the group's policy.
    for item in config["ParameterRanges"]["CategoricalParameterRanges"]:
        item.setdefault("Values", ["linear"])  # The family's are passed by a path: no attributes here.
    tried = case.searched(config, config["ParameterRanges"], seed, LONG)
    before = case.searched(config, BEFORE, seed, TRIALS)
    chosen = {
        "before": best(before),
        "after": case.with_starts(best(tried[:TRIALS])),
        "stopped": case.with_starts(best(tried[: stop(tried[:TRIALS])])),
        "starts": case.with_starts(starts(DEFAULT)[0]),
        "default": DEFAULT,
    }
    macro_f1, accuracy = case.tested(best(tried))
    found = {"rows": int(case.learn.sum()), "codes": len(case.given.codes), f"best of {LONG}": 100 * macro_f1}
    scores = {name: case.tested(setting) for name, setting in chosen.items()}
    found |= {name: 100 * (scores[name][0] - macro_f1) for name in COLUMNS}
    found |= {"trials": stop(tried[:TRIALS]), f"acc. {LONG}": 100 * accuracy}
    return found | {f"acc. {name}": 100 * (scores[name][1] - accuracy) for name in COLUMNS}


def stop(tried: list[tuple[Namespace, float]]) -> int:
    """After how many trials a search ends that stops when they do not pay, the second of a pair included."""
    top = without = 0.0
    for number, (_, score) in enumerate(tried, 1):
        without = 0 if score >= top * GAIN else without + 1
        top = max(top, score)
        if without == NO_GAIN:
            return min(number + 1, len(tried))
    return len(tried)


def best(tried: list[tuple[Namespace, float]]) -> Namespace:
    return max(tried, key=lambda trial: trial[1])[0]


@dataclass
class Fold:
    """Rows that learn and rows that are scored, masks `(n_rows,)`."""

    learn: np.ndarray
    score: np.ndarray
    given: TrainingSet

    @cached_property
    def counts(self) -> tuple[Features, Features]:
        return self.given.features[self.learn], self.given.features[self.score]

    def answers(self, labels: np.ndarray, setting: Namespace) -> np.ndarray:
        learned, scored = self.counts
        fitted = weighting.fit(learned, setting.min_df, setting.word_weight, setting.first_word_weight)
        n_codes = len(self.given.codes)
        weights, intercepts = linear.fit(fitted.apply(learned), labels[self.learn], n_codes, setting.c)
        return (fitted.apply(scored) @ weights + intercepts).argmax(axis=1)


@dataclass
class Case:
    """One split of a set: `labels` as delivered, wrong ones among those of `learn`, `(n_rows,)` each."""

    given: TrainingSet
    labels: np.ndarray
    learn: np.ndarray
    folds: list[Fold]
    final: Fold

    @classmethod
    def of(cls, rows: pd.DataFrame, wrong: float, seed: int) -> "Case":
        columns = {name: rows[name].tolist() for name in ("title", "brand", "label")}
        table = pa.table(columns | {"product_type": [""] * len(rows)})
        table = table.append_column("text_key", text_keys("XX-search", table))
        given = training_set.of_rows([table], (), sorted(set(columns["label"])))
        random = np.random.default_rng(seed)
        place = random.permutation(given.text.max() + 1)[given.text] % 4
        learn, labels = place > 0, given.labels.copy()
        mixed = np.flatnonzero(learn & (random.random(len(labels)) < wrong))
        labels[mixed] = random.permutation(labels[mixed])
        number = given.fold % FOLDS
        folds = [Fold(learn & (number != k), learn & (number == k), given) for k in range(FOLDS)]
        return cls(given, labels, learn, folds, Fold(learn, ~learn, given))

    def with_starts(self, best: Namespace) -> Namespace:
        """The setting or a start, by the rule of training.train."""
        scores = self.scores(best)
        for start in starts(DEFAULT):
            of_start = self.scores(start)
            if of_start[0] > scores[0] and of_start[1] > scores[1]:
                best, scores = start, of_start
        return best

    def scores(self, setting: Namespace) -> tuple[float, float]:
        """Macro-F1 and accuracy out of fold."""
        answers = np.zeros(len(self.labels), int)
        for fold in self.folds:
            answers[fold.score] = fold.answers(self.labels, setting)
        labels, answers = self.labels[self.learn], answers[self.learn]
        return macro_f1(labels, answers), float((answers == labels).mean())

    def tested(self, setting: Namespace) -> tuple[float, float]:
        """Macro-F1 and accuracy on the test rows."""
        answers, truth = self.final.answers(self.labels, setting), self.given.labels[~self.learn]
        return macro_f1(truth, answers), float((answers == truth).mean())

    def searched(self, config: dict, ranges: dict, seed: int, trials: int) -> list[tuple[Namespace, float]]:
        search, tried = Search(config, ranges, maximize=True, seed=seed), []
        for _ in range(trials):
            candidate = search.ask()
            words = [(f"-{k}" if len(k) == 1 else f"--{k}", v) for k, v in candidate.tuned.items()]
            setting = parser("").parse_args([word for pair in words for word in pair])
            tried.append((setting, self.scores(setting)[0]))
            search.tell(candidate, tried[-1][1])
        return tried


def macro_f1(truth: np.ndarray, answers: np.ndarray) -> float:
    return float(f1_score(truth, answers, average="macro", zero_division=0))


if __name__ == "__main__":
    sys.exit(main())
