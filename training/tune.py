"""One trial of the tuning job: fit on `train`, score on `validation`, print the objective.

    python -m training.tune -C 1.5 --min_df 2

Below 1,500 validation rows the best of a dozen trials would be luck, so that then all rows are scored,
out of fold.
"""

from sklearn.metrics import f1_score

from processing.container import run
from training import fitting
from training.channels import channel, read_codebook, read_training_set
from training.hyperparameters import parser

ENOUGH_VALIDATION_ROWS = 1500


def main(arguments: list[str] | None = None) -> dict[str, object]:
    options = parser(__doc__).parse_args(arguments)
    given = read_training_set(read_codebook(channel("codebook")))
    if given.validation.sum() >= ENOUGH_VALIDATION_ROWS:
        fitted = fitting.fit(given, ~given.validation, options)
        margins, labels = fitted.margins(given.features[given.validation]), given.labels[given.validation]
    else:
        margins, labels = fitting.out_of_fold(given, options)[0], given.labels[given.own]
    macro_f1 = f1_score(labels, margins.argmax(axis=1), average="macro", zero_division=0)
    print(f"macro_f1={macro_f1:.4f};", flush=True)
    return {"macro_f1": round(macro_f1, 4)}


if __name__ == "__main__":
    run(main)
