"""The final training: the chosen setting on train and validation, its confidence calibrated out of fold.

    python -m training.train -C 1.5 --min_df 2 --precision 0.98

The codebook's SHA-256 is in CODEBOOK_DIGEST: hyperparameters are the search's and the policy's.

The artefact is the model's arrays and JSON, and in `code/` the packages that serve it.
"""

import os
import shutil
from argparse import Namespace
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from processing.arrays import Floats
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.container import run
from processing.policy import all_to_review
from training import confidence, fitting, model
from training.channels import channel, model_folder, read_training_set
from training.confidence import Confidence
from training.hyperparameters import parser
from training.model import Model
from training.training_set import FOLDS, TrainingSet

PACKAGES = ("processing", "training", "inference")


def main(arguments: list[str] | None = None) -> dict[str, object]:
    arguments_ = parser(__doc__)
    arguments_.add_argument(
        "--precision", type=float, default=0.98, help="share to be right among unreviewed labels"
    )
    options = arguments_.parse_args(arguments)
    book = codebook.load(channel("codebook"), os.environ["CODEBOOK_DIGEST"])
    given = read_training_set()
    trained, macro_f1 = train(given, book, options)
    model.save(trained, model_folder())
    copy_code(model_folder() / "code")
    if trained.threshold == confidence.NEVER:
        print(f"{all_to_review(options.precision)} Training rows: {given.own.sum()}.", flush=True)
    print(f"macro_f1={macro_f1:.4f};", flush=True)
    return {"macro_f1": round(macro_f1, 4), "rows": len(given.labels), "codes": len(given.codes)}


def train(given: TrainingSet, book: Codebook, options: Namespace) -> tuple[Model, float]:
    """The model, and its macro-F1 out of fold; options: those of a trial and `precision`."""
    margins, known_share = fitting.out_of_fold(given, options)
    calibrated, threshold = calibrate(given, margins, known_share, options.precision)
    fitted = fitting.fit(given, np.ones(len(given.labels), bool), options)
    trained = Model(
        group=book.group,
        codebook_version=book.version,
        codes=given.codes,
        attributes=book.attributes,
        vocabulary=given.features.vocabulary,
        weighting=fitted.weighting,
        weights=model.split_weights(fitted.weighting, fitted.weights),
        intercepts=fitted.intercepts,
        booster=fitted.booster,
        confidence=calibrated,
        threshold=threshold,
    )
    labels = given.labels[given.own]
    return trained, float(f1_score(labels, margins.argmax(axis=1), average="macro", zero_division=0))


def calibrate(
    given: TrainingSet, margins: Floats, known_share: Floats, precision: float
) -> tuple[Confidence, float]:
    """The confidence model, and the threshold from confidences that are themselves out of fold."""
    labels, fold = given.labels[given.own], given.fold[given.own]
    n_words = np.asarray(given.features.words[given.own].sum(axis=1)).ravel()
    codes, values = confidence.best_codes(margins)
    inputs = confidence.signals(margins, codes, values, known_share, n_words)
    sure = np.zeros(len(labels))
    for held_out in (fold == i for i in range(FOLDS) if (fold == i).any() and not (fold == i).all()):
        learned = confidence.fit(inputs[~held_out], codes[~held_out], labels[~held_out])
        sure[held_out] = learned.of(inputs[held_out], codes.shape[1])[:, 0]
    threshold = confidence.review_threshold(sure, codes[:, 0] == labels, given.text[given.own], precision)
    return confidence.fit(inputs, codes, labels), threshold


def copy_code(target: Path) -> None:
    """Put the code that serves the model beside it, so that last year's model still runs as it did."""
    source = Path(__file__).resolve().parents[1]
    without = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(source / package, target / package, ignore=without, dirs_exist_ok=True)


if __name__ == "__main__":
    run(main)
