"""The final training: the chosen setting on `train` and `validation`, calibrated out of fold.

    python -m training.train -C 1.5 --min_df 2 --precision 0.98

The artefact is the model's arrays and JSON, and in `code/` the packages that serve it.
"""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.metrics import f1_score

from processing.container import run
from training import confidence, features, linear, model
from training.channels import encode_labels, model_folder, read_codebook, read_rows
from training.hyperparameters import parser

FOLDS = 5
PACKAGES = ("processing", "training", "inference")


def main(arguments: list[str] | None = None) -> dict[str, object]:
    options = parser(__doc__)
    options.add_argument(
        "--precision", type=float, default=0.98, help="share of right answers that need no person"
    )
    options = options.parse_args(arguments)
    book = read_codebook()
    rows = pa.concat_tables([read_rows("train"), read_rows("validation")])
    codes, labels = encode_labels(rows, book)
    counts = features.count(rows, book.attributes)

    margins = np.zeros((len(labels), len(codes)), np.float32)
    for held_out in folds(rows["text_key"].to_pylist(), labels):
        weighting, weights, intercepts = fit(counts[~held_out], labels[~held_out], len(codes), options)
        margins[held_out] = weighting.apply(counts[held_out]) @ weights + intercepts
    calibration = confidence.fit(margins, labels)
    best, sure, _ = calibration.of_two(margins)
    right = best[:, 0] == labels
    macro_f1 = f1_score(labels, best[:, 0], average="macro", zero_division=0)

    weighting, weights, intercepts = fit(counts, labels, len(codes), options)
    fitted = model.Model(
        group=book.group,
        codebook_version=book.version,
        codes=codes,
        attributes=book.attributes,
        weighting=weighting,
        weights=weights,
        intercepts=intercepts,
        confidence=calibration,
        threshold=confidence.review_threshold(sure, right, options.precision),
    )
    folder = model_folder()
    folder.mkdir(parents=True, exist_ok=True)
    model.save(fitted, folder)
    copy_code(folder / "code")
    print(f"macro_f1={macro_f1:.4f};", flush=True)
    return {"macro_f1": round(macro_f1, 4), "rows": len(labels), "codes": len(codes)}


def fit(counts, labels, n_codes, options):
    """One setting, fitted: the features' weighting, the weights and the intercepts."""
    weighting = features.fit_weighting(counts, options.min_df, options.word_weight)
    return weighting, *linear.fit(weighting.apply(counts), labels, n_codes, options.c)


def folds(text_keys: list[str], labels: np.ndarray) -> list[np.ndarray]:
    """Masks of the held-out rows, `(n_rows,)` each: identical texts in one fold, two codes left in every rest.

    The key's last digits are used; its first ones decided the split between train, validation and test.
    """
    fold = np.array([int(key[-8:], 16) % FOLDS for key in text_keys])
    masks = [fold == i for i in range(FOLDS)]
    return [mask for mask in masks if mask.any() and len(np.unique(labels[~mask])) > 1]


def copy_code(target: Path) -> None:
    """Put the code that serves the model beside it, so that last year's model still runs as it did."""
    source = Path(__file__).resolve().parents[1]
    for package in PACKAGES:
        shutil.copytree(
            source / package,
            target / package,
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )


if __name__ == "__main__":
    run(main)
