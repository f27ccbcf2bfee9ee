"""The final training: the chosen setting on train and validation, its confidence calibrated out of fold.

    python -m training.train -C 1.5 --min_df 2 --precision 0.98 --code_precision 0.8 --promise automatic

The codebook's SHA-256 is in CODEBOOK_DIGEST: hyperparameters are the search's and the policy's.

The artefact is the model's arrays and JSON, and in `code/` the packages that serve it.
"""

import os
import shutil
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from processing.arrays import Floats
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.container import run
from processing.labels import advice, without_person
from processing.policy import AUTOMATIC, MONTH, Policy
from training import confidence, fitting, model, short_list, thresholds, tune
from training.channels import channel, model_folder, read_training_set
from training.confidence import Confidence
from training.hyperparameters import parser, starts
from training.model import Model
from training.thresholds import Promise, Rows
from training.training_set import FOLDS, TrainingSet

PACKAGES = ("processing", "training", "inference")


def main(arguments: list[str] | None = None) -> dict[str, object]:
    arguments_ = parser(__doc__)
    add_promise(arguments_)
    options = arguments_.parse_args(arguments)
    book = codebook.load(channel("codebook"), os.environ["CODEBOOK_DIGEST"])
    given = read_training_set()
    trained, macro_f1 = train(given, book, options, lambda sentence: print(sentence, flush=True))
    model.save(trained, model_folder())
    copy_code(model_folder() / "code")
    if (trained.thresholds == thresholds.NEVER).all():
        print(f"{advice.all_to_review(options.precision)} Training rows: {given.own.sum()}.", flush=True)
    print(f"macro_f1={macro_f1:.4f};", flush=True)
    return {"macro_f1": round(macro_f1, 4), "rows": len(given.labels), "codes": len(given.codes)}


def add_promise(arguments: ArgumentParser) -> None:
    """What the group's policy promises of labels, with the policy's defaults."""
    arguments.add_argument(
        "--promise",
        choices=(AUTOMATIC, MONTH),
        default=Policy.promise,
        help="which labels the precision is of",
    )
    arguments.add_argument(
        "--precision", type=float, default=Policy.precision, help="share of them to be right"
    )
    arguments.add_argument(
        "--code_precision",
        type=float,
        default=Policy.code_precision,
        help="share to be right among each code's unreviewed labels",
    )


def promise(options: Namespace, codes: Sequence[str], book: Codebook) -> Promise:
    """The promise of `add_promise`, for these codes of the codebook."""
    critical = {code.code for code in book.codes if code.critical}
    return Promise(
        options.promise,
        options.precision,
        options.code_precision,
        np.array([code in critical for code in codes]),
    )


def train(
    given: TrainingSet, book: Codebook, options: Namespace, say: Callable[[str], None] = lambda sentence: None
) -> tuple[Model, float]:
    """The model, and its macro-F1 out of fold; options: those of a trial and of `add_promise`.

    A start (hyperparameters.py) that does better than the setting is used instead. `say` is told so, and what
    is left to people, by the rows out of fold.
    """
    found, margins, known_share = best_setting(given, options)
    if found is not options:
        say(f"A start does better than the search's setting and is used: {vars(found)}.")
    options = found
    learned, rows = calibrated(given, margins, known_share)
    promised = promise(options, given.codes, book)
    by_code = thresholds.by_code(rows, promised)
    for sentence in left_to_people(given, rows, promised, by_code):
        say(sentence)
    fitted = fitting.fit(given, np.ones(len(given.labels), bool), options)
    trained = Model(
        group=book.group,
        codebook_version=book.version,
        codes=given.codes,
        attributes=book.attributes,
        vocabulary=given.features.vocabulary,
        weighting=fitted.weighting.in_buckets(given.features),
        weights=model.split_weights(fitted.weighting, fitted.weights),
        intercepts=fitted.intercepts,
        booster=fitted.booster,
        confidence=learned,
        thresholds=by_code,
        short_list_gap=short_list.gap(
            margins, rows.label, ~thresholds.without_person(rows, by_code), rows.sure
        ),
    )
    return trained, tune.macro_f1(rows.label, margins)


def best_setting(given: TrainingSet, options: Namespace) -> tuple[Namespace, Floats, Floats]:
    """The best of the search's setting and the starts, and what `fitting.out_of_fold` says of it.

    SageMaker's search takes no first point, and its best of few trials may be worse than a good start. They
    are compared on as many folds as hold the rows that a trial wants: of a large group one, a fit for each.
    A start must have more macro-F1 and more rows right: macro-F1 alone is often luck of a few rare codes.
    """
    fold, labels = given.fold[given.own], given.labels[given.own]
    rows = np.cumsum(np.bincount(fold, minlength=FOLDS))
    enough = min(FOLDS, 1 + int(np.searchsorted(rows, tune.ENOUGH_VALIDATION_ROWS)))
    compared = fold < enough

    def scores(of: Floats) -> tuple[float, float]:
        right = of[compared].argmax(axis=1) == labels[compared]
        return tune.macro_f1(labels[compared], of[compared]), float(right.mean())

    margins, known_share = fitting.out_of_fold(given, options)
    best, macro_f1, accuracy = options, *scores(margins)
    for start in starts(options):
        its_macro_f1, its_accuracy = scores(fitting.out_of_fold(given, start, range(enough))[0])
        if its_macro_f1 > macro_f1 and its_accuracy > accuracy:
            best, macro_f1, accuracy = start, its_macro_f1, its_accuracy
    if best is not options:
        margins, known_share = fitting.out_of_fold(given, best)
    return best, margins, known_share


def calibrated(given: TrainingSet, margins: Floats, known_share: Floats) -> tuple[Confidence, Rows]:
    """The confidence model, and the own rows with confidences that are themselves out of fold."""
    labels, fold = given.labels[given.own], given.fold[given.own]
    n_words = np.asarray(given.features.words[given.own].sum(axis=1)).ravel()
    codes, values = confidence.best_codes(margins)
    inputs = confidence.signals(margins, codes, values, known_share, n_words)
    sure = np.zeros(len(labels))
    for held_out in (fold == i for i in range(FOLDS) if (fold == i).any() and not (fold == i).all()):
        learned = confidence.fit(inputs[~held_out], codes[~held_out], labels[~held_out])
        sure[held_out] = learned.of(inputs[held_out], codes.shape[1])[:, 0]
    rows = Rows(sure, codes[:, 0], labels, given.text[given.own])
    return confidence.fit(inputs, codes, labels), rows


def left_to_people(given: TrainingSet, rows: Rows, promised: Promise, by_code: Floats) -> list[str]:
    """What the training's own rows say, out of fold, of what is left to people: sentences for the log.

    What needs no person at each precision is by the rule that the model's own thresholds, `by_code`, are
    chosen by.
    """
    shares = []
    for precision in without_person.PRECISIONS:
        other = replace(promised, precision=precision)
        at = by_code if precision == promised.precision else thresholds.by_code(rows, other)
        alone = thresholds.without_person(rows, at)
        shares.append({"precision": precision, "share": alone.mean() if len(alone) else 0.0})
    names = np.array(given.codes)
    answers = pd.DataFrame({"truth": names[rows.label], "code": names[rows.code], "text_key": rows.text})
    learned = Counter(names[given.labels].tolist())
    said = (
        advice.by_the_policy(shares),
        advice.confused(without_person.confused(answers, learned)),
    )
    return [sentence for sentence in said if sentence]


def copy_code(target: Path) -> None:
    """Put the code that serves the model beside it, so that last year's model still runs as it did."""
    source = Path(__file__).resolve().parents[1]
    without = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(source / package, target / package, ignore=without, dirs_exist_ok=True)


if __name__ == "__main__":
    run(main)
