"""One set's line of benchmarks/people.py: searches, fits, labels and promises, with the code imported.

It is run with an earlier commit's packages as well; what differs between commits is in the last functions.
"""

from argparse import Namespace
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import beta, binom
from sklearn.metrics import f1_score
from warm_start import parsed, searched

from inference.predict import Labeller
from processing.codes.codebook import Code, Codebook
from processing.dataset.text import text_keys
from processing.verdict.scores import calibration_error
from training import confidence, fitting, train, training_set, tune
from training.training_set import TrainingSet

SPLITS = 20
FLOOR = 0.8  # wanted of each code
PRECISIONS = (0.98, 0.95, 0.9)
TRIALS = 8
FINE = 0.02  # a calibration error that is small whatever chance would show


def measure(rows: pd.DataFrame, quick: bool) -> dict[str, float]:
    """The line of a set; rows: title, brand, label and truth."""
    if quick:
        rows = rows.iloc[np.random.default_rng(1).permutation(len(rows))[:2500]].reset_index(drop=True)
    table = canonical(rows)
    splits = 1 if quick or len(rows) > 40_000 else 3 if len(rows) > 10_000 else 5
    tested = [_tested(table, rows["truth"].to_numpy(object), seed) for seed in range(splits)]
    scores = {name: float(np.mean([each[name] for each, _ in tested])) for name in tested[0][0]}
    return {"rows": len(rows), "codes": rows["label"].nunique(), **scores} | _kept(table, rows, tested[0][1])


def canonical(rows: pd.DataFrame) -> pa.Table:
    made = {name: rows[name].tolist() for name in ("title", "brand", "label")}
    table = pa.table(made | {"product_type": [""] * len(rows)})
    return table.append_column("text_key", text_keys("XX-set", table))


def given_rows(table: pa.Table, seed: int) -> TrainingSet:
    """Its training set; a quarter of the texts are validation."""
    given = training_set.of_rows([table], (), sorted(set(table["label"].to_pylist())))
    return _without_doubtful(replace(given, validation=_held_out(given.text, seed, 4)))


def _held_out(text: np.ndarray, seed: int, of: int) -> np.ndarray:
    """Rows of one in `of` texts, at random, `(n_rows,)`."""
    return np.random.default_rng(seed).permutation(text.max() + 1)[text] % of == 0


def _book(codes: tuple[str, ...]) -> Codebook:
    return Codebook(
        "XX-set", "1", (), tuple(Code(code, code, date.min, None, critical=False) for code in codes)
    )


def _tested(table: pa.Table, truth: np.ndarray, seed: int) -> tuple[dict[str, float], Namespace]:
    """Scores of a model on a fifth of the texts, and the setting that the search chose for it."""
    text = np.unique(table["text_key"].to_pylist(), return_inverse=True)[1]
    test = _held_out(text, seed, 5)
    given = given_rows(table.filter(pa.array(~test)), seed)
    options = _searched(given, seed)
    model, _ = train.train(given, _book(given.codes), options)
    answers = Labeller(model).label(table.filter(pa.array(test)))
    given_codes, sure = np.array(model.codes, object)[answers.codes[:, 0]], answers.confidence[:, 0]
    right = given_codes == truth[test]
    return {
        "accuracy": float(right.mean()),
        "macro-F1": float(
            f1_score(
                truth[test], given_codes, labels=np.unique(truth[test]), average="macro", zero_division=0
            )
        ),
        **_calibration(sure, right, text[test]),
    }, options


def _searched(given: TrainingSet, seed: int) -> Namespace:
    """The best of TRIALS, as the tuning job would find it."""
    tuner, trials = searched(seed), []
    for _ in range(TRIALS):
        candidate = tuner.ask()
        options = parsed(candidate.tuned)
        trials.append((tune.score(given, options), options))
        tuner.tell(candidate, trials[-1][0])
    best = max(trials, key=lambda trial: trial[0])[1]
    return Namespace(**vars(best), promise="automatic", precision=PRECISIONS[0], code_precision=FLOOR)


def _calibration(sure: np.ndarray, right: np.ndarray, text: np.ndarray) -> dict[str, float]:
    """The calibration error, and what exact confidences would show; a text is right or wrong as one."""
    rng = np.random.default_rng(0)
    draws = [rng.uniform(size=text.max() + 1)[text] < sure for _ in range(200)]
    errors = [calibration_error(drawn, sure) for drawn in draws]
    error = calibration_error(right, sure)
    fine = error <= max(np.quantile(errors, 0.95), FINE)
    return {"ECE": error, "by chance": float(np.mean(errors)), "calibrated": float(fine)}


def _kept(table: pa.Table, rows: pd.DataFrame, options: Namespace) -> dict[str, float]:
    """Whether promises are kept, over SPLITS splits of out-of-fold rows."""
    given = given_rows(table, 0)
    margins, known_share = _out_of_fold(given, options)
    number = {code: n for n, code in enumerate(given.codes)}
    truth = np.array([number.get(code, -1) for code in rows["truth"]])
    codes, best = confidence.best_codes(margins)
    n_words = np.asarray(given.features.words.sum(axis=1)).ravel()
    inputs = confidence.signals(margins, codes, best, known_share, n_words)
    found = []
    for seed in range(SPLITS):
        other = _held_out(given.text, seed, 5)
        learned, accepted = _accepted(given, inputs, codes, other)
        found.append(
            _of_split(
                learned,
                accepted,
                codes[other, 0],
                (codes[:, 0] == truth)[other],
                given.text[other],
                len(number),
            )
        )
    shares, short, refuted, by_code, see = (list(each) for each in zip(*found, strict=True))
    pooled = np.sum(by_code, axis=0)  # accepted and right ones of each code
    enough = pooled[0] >= 20
    return {
        **{
            f"auto {100 * precision:.0f}": share
            for precision, share in zip(PRECISIONS, np.mean(shares, axis=0).tolist(), strict=True)
        },
        "right 98": float(pooled[1].sum() / max(pooled[0].sum(), 1)),
        "short": int(sum(short)),
        "refuted": int(sum(refuted)),
        "codes kept": sum(_floors_hold(each) for each in by_code),
        "below": int((pooled[1][enough] < FLOOR * pooled[0][enough]).sum()),
        **dict(zip(("see, rest", "see, month"), np.mean(see, axis=0).tolist(), strict=True)),
    }


def _accepted(given: TrainingSet, inputs: np.ndarray, codes: np.ndarray, other: np.ndarray):
    """Confidence of the other rows, learned from the rest; which of them need no person at each precision."""
    labels, fold, rest = given.labels, given.fold, ~other
    sure = np.zeros(len(labels))
    for number in np.unique(fold[rest]):
        held_out = rest & (fold == number)
        learn = rest & ~held_out
        learned = confidence.fit(inputs[learn], codes[learn], labels[learn])
        sure[held_out] = learned.of(inputs[held_out], codes.shape[1])[:, 0]
    learned = confidence.fit(inputs[rest], codes[rest], labels[rest])
    of_other = learned.of(inputs[other], codes.shape[1])[:, 0]
    answered = sure[rest], codes[rest, 0], labels[rest], given.text[rest]
    bounds = [_thresholds(*answered, len(given.codes), precision) for precision in PRECISIONS]
    return of_other, [of_other >= bound[codes[other, 0]] for bound in bounds]


def _of_split(sure, accepted, codes, right, text, n_codes: int):
    """Shares accepted; whether short, and refuted; accepted and right ones by code; shares to see."""
    alone = accepted[0]
    by_code = np.array([np.bincount(codes[rows], minlength=n_codes) for rows in (alone, alone & right)])
    return (
        [rows.mean() for rows in accepted],
        alone.any() and right[alone].mean() < PRECISIONS[0],
        alone.any() and _at_most(right[alone], text[alone]) < PRECISIONS[0],
        by_code,
        _shares_to_see(sure, right),
    )


def _at_most(right: np.ndarray, text: np.ndarray) -> float:
    """An upper bound of the share of right rows at a risk of 5 % (Clopper and Pearson, 1934).

    Here, as an earlier commit has none. Rows of one text are right or wrong together: it counts as many rows
    as would be as uncertain if they were independent.
    """
    independent = len(text) ** 2 / np.square(np.bincount(text)).sum()
    wrong = independent * (1 - right.mean())
    return float(1 - beta.ppf(0.05, wrong, independent - wrong + 1)) if wrong else 1.0


def _floors_hold(by_code: np.ndarray) -> bool:
    """Whether no code's share of right ones is below FLOOR beyond chance, at 5 % for all codes together."""
    accepted, right = by_code
    used = accepted > 0
    chance = binom.cdf(right[used], accepted[used], FLOOR)
    return bool((chance >= 0.05 / max(used.sum(), 1)).all())


def _shares_to_see(sure: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Smallest shares to look at, least sure first: for the others to be right, and for all of them to be."""
    of_surest = right[np.argsort(-sure, kind="stable")]
    n = np.arange(1, len(right) + 1)
    wrong = np.cumsum(~of_surest)
    allowed = 1 - PRECISIONS[0]
    left_alone = [
        (np.flatnonzero(fine).max(initial=-1) + 1) / len(right)
        for fine in (wrong <= allowed * n, wrong <= allowed * len(right))
    ]
    return 1 - left_alone[0], 1 - left_alone[1]


def _thresholds(sure, codes, labels, text, n_codes: int, precision: float) -> np.ndarray:
    """The threshold of each code, `(n_codes,)`, by the imported code's own rule."""
    if hasattr(confidence, "review_threshold"):  # before each code had its own
        right = codes == labels
        return np.full(n_codes, confidence.review_threshold(sure, right, text, precision))
    from training.thresholds import Promise, Rows, by_code

    promise = Promise("automatic", precision, FLOOR, np.zeros(n_codes, bool))
    return by_code(Rows(sure=sure, code=codes, label=labels, text=text), promise)


def _out_of_fold(given: TrainingSet, options: Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Margins and known shares of all rows, by the setting that Train uses in the end."""
    if hasattr(train, "best_setting"):  # since Train compares the search's setting with good starts
        _, margins, known_share = train.best_setting(given, options)
        return margins, known_share
    return fitting.out_of_fold(given, options)


def _without_doubtful(given: TrainingSet) -> TrainingSet:
    """What Featurize makes of it under the default policy: rows whose label is likely wrong are left out."""
    if not (Path(train.__file__).parent / "doubtful.py").exists():
        return given
    from training import doubtful

    found, nobody = doubtful.find(given), np.zeros(len(given.labels), bool)
    return replace(given, left_out=doubtful.to_leave_out(given, found, nobody))
