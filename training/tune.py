"""One trial of the tuning job: fit on the train rows, score on the validation rows, print the objective.

    python -m training.tune -C 1.5 --min_df 2

Below 1,500 validation rows the best of several trials would be luck, so then all rows are scored, out of
fold.
"""

from argparse import Namespace

import numpy as np
from sklearn.metrics import f1_score

from processing.arrays import Floats, Integers
from processing.container import run
from training import fitting
from training.channels import read_training_set
from training.hyperparameters import parser
from training.training_set import TrainingSet

ENOUGH_VALIDATION_ROWS = 1500


def main(arguments: list[str] | None = None) -> dict[str, object]:
    options = parser(__doc__).parse_args(arguments)
    objective = score(read_training_set(), options)
    print(f"macro_f1={objective:.4f};", flush=True)
    return {"macro_f1": round(objective, 4)}


def score(given: TrainingSet, options: Namespace) -> float:
    """Macro-F1 of a setting on rows that it did not learn from, in [0, 1], higher is better."""
    if given.validation.sum() >= ENOUGH_VALIDATION_ROWS:
        # By text, as another group may have a row that is a validation row here.
        learned = ~np.isin(given.text, given.text[given.validation])
        fitted = fitting.fit(given, learned, options)
        margins, labels = fitted.margins(given.features[given.validation]), given.labels[given.validation]
    else:
        margins, labels = fitting.out_of_fold(given, options)[0], given.labels[given.own]
    return macro_f1(labels, margins)


def macro_f1(labels: Integers, margins: Floats) -> float:
    """In [0, 1]; labels `(n,)`, margins `(n, n_codes)`."""
    return float(f1_score(labels, margins.argmax(axis=1), average="macro", zero_division=0))


if __name__ == "__main__":
    run(main)
