"""Accuracy and calibration, ours and the peers': figures that a busy machine does not change."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import (
    OPTIONS,
    answers_of,
    as_given,
    claim,
    copies_margins,
    fit_ours,
    note,
    scores,
    shared,
)
from _peers import PEERS, linear_svc, tuned

from inference.predict import Labeller
from processing.dataset import split
from training import confidence, fitting, thresholds, train
from training.thresholds import Promise
from training.training_set import TrainingSet

COUNTRIES, SMALL = 14, 7
BINS = 15
SPLITS = 12


def measure(
    table: pa.Table, items: pd.DataFrame, test: np.ndarray, peers: list[str]
) -> tuple[list[dict], list[dict]]:
    """A row for each classifier, and single claims."""
    rows = []
    for made in classifiers(table, items, test, peers):
        note(str(made))
        rows.append(made)
    return rows, [*calibration(table, items, test), *countries(table, items, test)]


def classifiers(table: pa.Table, items: pd.DataFrame, test: np.ndarray, peers: list[str]) -> Iterator[dict]:
    """A row for each; `unseen words` splits by the item's name instead of its text."""
    labels = items["product_category"].to_numpy()
    unseen = split.is_test(pa.array(items["name_key"]))
    right = {}
    for name, held_out in (("text", test), ("name", unseen)):
        labeller = fit_ours(table.filter(pa.array(~held_out)))
        right[name], answers = answers_of(labeller, table.filter(pa.array(held_out)), labels[held_out])
        if name == "text":
            result = scores(items[test], right[name], answers)
    yield row("Labelmill", result, right["name"].mean(), OPTIONS)
    result = shared(table, items, test)
    yield row("Labelmill, countries sharing", result, shared(table, items, unseen)["rows"], OPTIONS)
    texts = items["text"].to_numpy(object)
    place = split.shares(pa.array(items["text_key"]))[~test]
    validation = place < split.TEST_SHARE + split.VALIDATION_SHARE
    for name in peers:
        note(name)
        setting = tuned(name, texts[~test].tolist(), labels[~test], validation)
        fit, _ = PEERS[name]
        answers = fit(texts[~test].tolist(), labels[~test], **setting)(texts[test].tolist())
        result = scores(items[test], answers == labels[test], answers)
        again = fit(texts[~unseen].tolist(), labels[~unseen], **setting)(texts[unseen].tolist())
        yield row(name, result, (again == labels[unseen]).mean(), setting)


def row(name: str, result: dict, unseen_words: float, setting) -> dict:
    setting = setting if isinstance(setting, dict) else {"C": setting.c, "min_df": setting.min_df}
    shown = ", ".join(f"{key} {value:g}" for key, value in setting.items())
    return {"classifier": name, **result, "unseen words": float(unseen_words), "setting": shown}


def calibration(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> list[dict]:
    """On the test rows; and, as one split says little, on twelve random splits of the training rows' texts.

    There margins are out of fold; confidence and threshold are learned on four fifths, measured on one.
    """
    given = as_given(table.filter(pa.array(~test)))
    margins, known_share = fitting.out_of_fold(given, OPTIONS)
    repeated = [on_other_texts(given, margins, known_share, seed) for seed in range(SPLITS)]
    labeller = fit_ours(table.filter(pa.array(~test)))
    on_test = of_test(labeller, table.filter(pa.array(test)), items["product_category"][test].to_numpy())
    names = (
        "expected calibration error, 15 bins",
        "share of items that need no person",
        "precision among them",
        "that share, had the best threshold for 98 % been known",
    )
    claims = [claim(name, value) for name, value in zip(names, on_test, strict=True)]
    means = np.mean(repeated, axis=0)
    claims += [claim(f"{name}: mean of {SPLITS} splits", v) for name, v in zip(names, means, strict=True)]
    held = np.mean([precision >= OPTIONS.precision for _, _, precision, _ in repeated])
    return [*claims, claim("share of the splits with at least 98 % among them", held)]


def of_test(labeller: Labeller, table: pa.Table, labels: np.ndarray) -> tuple[float, float, float, float]:
    prediction = labeller.label(table)
    right, _ = answers_of(labeller, table, labels)
    return measures(prediction.confidence[:, 0], right, labeller.model.thresholds[prediction.codes[:, 0]])


def on_other_texts(given: TrainingSet, margins, known_share, seed: int) -> tuple[float, ...]:
    other = np.random.default_rng(seed).permutation(given.text.max() + 1)[given.text] % 5 == 0
    promised = Promise(
        OPTIONS.promise, OPTIONS.precision, OPTIONS.code_precision, np.zeros(len(given.codes), bool)
    )
    learned, rows = train.calibrated(some(given, ~other), margins[~other], known_share[~other])
    by_code = thresholds.by_code(rows, promised)
    rest, share = margins[other], known_share[other]
    codes, best = confidence.best_codes(rest)
    n_words = np.asarray(given.features.words[other].sum(axis=1)).ravel()
    sure = learned.of(confidence.signals(rest, codes, best, share, n_words), codes.shape[1])
    return measures(sure[:, 0], codes[:, 0] == given.labels[other], by_code[codes[:, 0]])


def some(given: TrainingSet, rows: np.ndarray) -> TrainingSet:
    names = ("features", "labels", "text", "fold", "validation", "source", "left_out")
    return replace(given, **{name: getattr(given, name)[rows] for name in names})


def measures(sure: np.ndarray, right: np.ndarray, threshold: np.ndarray) -> tuple[float, float, float, float]:
    """Calibration error; share above the thresholds, its precision; the share 98 % would have allowed."""
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    error = sum(abs(right[place == k].sum() - sure[place == k].sum()) for k in range(BINS)) / len(sure)
    alone = sure >= threshold
    order = np.argsort(-sure, kind="stable")
    precise = np.cumsum(right[order]) / np.arange(1, len(right) + 1) >= OPTIONS.precision
    best = (np.flatnonzero(precise)[-1] + 1) / len(right) if precise.any() else 0.0
    return error, alone.mean(), right[alone].mean(), best


def countries(table: pa.Table, items: pd.DataFrame, test: np.ndarray) -> list[dict]:
    """The fourteen largest countries: each one's own LinearSVC against the shared model's copy for it."""
    names = items["country"].value_counts().index[:COUNTRIES]
    among = items["country"].isin(names).to_numpy()
    items, table, test = items[among].reset_index(drop=True), table.filter(pa.array(among)), test[among]
    country = np.array([list(names).index(name) for name in items["country"]])
    codes, labels = np.unique(items["product_category"], return_inverse=True)
    margins = copies_margins(table, labels, country, ~test, np.flatnonzero(test), len(codes))
    right = margins.argmax(axis=1) == labels[test]
    own = np.zeros(test.sum(), bool)
    for number in range(COUNTRIES):
        learn = ~test & (country == number)
        its = country[test] == number
        predict = linear_svc(items["text"][learn].tolist(), labels[learn])
        own[its] = predict(items["text"][test][its].tolist()) == labels[test][its]
    gain = {
        names[k]: right[country[test] == k].mean() - own[country[test] == k].mean() for k in range(COUNTRIES)
    }
    small = country[test] >= COUNTRIES - SMALL
    worst = min(gain, key=gain.get)
    return [
        claim("seven smallest of 14 countries, sharing", right[small].mean()),
        claim("the same, each one's own LinearSVC", own[small].mean()),
        claim("all 14, sharing", right.mean()),
        claim("all 14, each one's own LinearSVC", own.mean()),
        claim(f"smallest gain of a country over its own LinearSVC ({worst})", gain[worst]),
    ]
