"""How many trials a search needs that continues from last month's: Open Repair, five countries, two months.

    .venv/bin/python benchmarks/warm_start.py --data openrepair.csv.gz [--seeds 1] [--json PATH]

The datasets are those of benchmarks/openrepair.py, at most 2,500 rows of each; ranges, sampler and objective
are those of the tuning job as it runs locally. After 4 and after 8 trials the best setting so far is fitted
on train and validation rows and scored on test rows, as Train and Compare would.
"""

import json
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from _report import arguments, show
from openrepair import NO_DATA, datasets
from sklearn.metrics import f1_score

from infra.local.sagemaker.search import Search
from pipelines.plan.definitions import FOLDER
from processing.codes.codebook import Code, Codebook
from processing.dataset import split
from processing.dataset.text import text_keys
from training import fitting, training_set, tune
from training.hyperparameters import parser
from training.training_set import TrainingSet

MOST_ROWS = 2500
LOOKS = (4, 8)


def main() -> int:
    options = arguments(__doc__)
    options.add_argument("--data", type=Path, required=True, help="an Open Repair Alliance export")
    options.add_argument("--seeds", type=int, default=1, help="searches of each kind (default: %(default)s)")
    args = options.parse_args()
    if not args.data.exists():
        print(NO_DATA.format(args.data), file=sys.stderr)
        return 2
    rows = []
    for group, parts in datasets(args.data).items():
        before, now = (month_of(group, parts[month]) for month in ("2026-09", "2026-10"))
        for seed in range(args.seeds):
            last, _ = search(before, seed, [])
            found = {"group": group, "rows": len(now.whole.labels), "seed": seed}
            for name, parents in (("cold", []), ("warm", last)):
                _, looks = search(now, seed + 100, parents)
                found |= {f"{name} {look}": looks[look] for look in LOOKS}
            rows.append(found)
            print(found, file=sys.stderr, flush=True)
    names = [f"{name} {look}" for name in ("cold", "warm") for look in LOOKS]
    mean = {name: float(np.mean([row[name] for row in rows])) for name in names}
    show("Macro-F1 on test rows", [*rows, {"group": "mean", "rows": "", "seed": ""} | mean], args.json)
    return 0


@dataclass(frozen=True)
class Month:
    """What a month trains on, and the same with its test rows; `test`: which those are, `(n_rows,)`."""

    given: TrainingSet
    whole: TrainingSet
    test: np.ndarray


def month_of(group: str, frame) -> Month:
    """The newest rows where there are too many."""
    table = pa.Table.from_pandas(frame.iloc[-MOST_ROWS:], preserve_index=False)
    table = table.append_column("text_key", text_keys(group, table))
    parts = split.parts(table["text_key"], table["label"])
    train, validation, test = (
        table.filter(pa.array(parts[name])) for name in ("train", "validation", "test")
    )
    codes = sorted({*train["label"].to_pylist(), *validation["label"].to_pylist()})
    test = test.filter(pc.is_in(test["label"], pa.array(codes)))
    book = Codebook(group, "1", (), tuple(Code(code, code, date.min, None, critical=False) for code in codes))
    whole = training_set.of_rows([pa.concat_tables([train, validation, test])], (), codes)
    is_test = np.arange(len(whole.labels)) >= len(train) + len(validation)
    return Month(training_set.build(train, validation, book), whole, is_test)


def search(month: Month, seed: int, parents: list) -> tuple[list, dict]:
    """Trials (tuned, objective) of one tuning job, and the test score of the best after each look."""
    tuner = searched(seed)
    for tuned, value in parents:
        assert tuner.add_finished(tuned, value)
    trials, looks = [], {}
    while len(trials) < max(LOOKS):
        candidate = tuner.ask()
        value = tune.score(month.given, parsed(candidate.tuned))
        tuner.tell(candidate, value)
        trials.append((candidate.tuned, value))
        if len(trials) in LOOKS:
            best = max(trials, key=lambda trial: trial[1])[0]
            looks[len(trials)] = tested(month, parsed(best))
    return trials, looks


def searched(seed: int) -> Search:
    """A search as the tuning job of the training machine does it, of the linear family."""
    request = json.loads((FOLDER / "training.asl.json").read_text())["States"]["Tune"]["Parameters"]
    config = request["HyperParameterTuningJobConfig"]
    config["ResourceLimits"] = {"MaxNumberOfTrainingJobs": max(LOOKS)}  # Passed by a path: of the policy.
    ranges = config["ParameterRanges"]
    for item in ranges["CategoricalParameterRanges"]:
        item.setdefault("Values", ["linear"])  # The family's are passed by a path: no attributes here.
    return Search(config, ranges, maximize=True, seed=seed)


def parsed(tuned: dict[str, str]):
    words = [
        word
        for name, value in tuned.items()
        for word in (f"-{name}" if len(name) == 1 else f"--{name}", value)
    ]
    return parser("").parse_args(words)


def tested(month: Month, options) -> float:
    fitted = fitting.fit(month.whole, ~month.test, options)
    guessed = fitted.margins(month.whole.features[month.test]).argmax(axis=1)
    return float(f1_score(month.whole.labels[month.test], guessed, average="macro", zero_division=0))


if __name__ == "__main__":
    sys.exit(main())
