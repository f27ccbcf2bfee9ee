"""What people would write instead: each peer is fitted on texts and returns a function from texts to labels.

A peer's settings are a small grid; `tuned` chooses among them on the validation part of the training texts,
as the project's own settings were chosen. One thread each.
"""

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xgboost
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

Predict = Callable[[list[str]], np.ndarray]

TUNING_ROWS = 30_000  # of the texts to learn from, at random; all of them would take the benchmark an hour


def tuned(name: str, texts: list[str], labels: np.ndarray, validation: np.ndarray) -> dict:
    """The setting with the most right answers on the validation texts; `validation`: a mask, `(n_texts,)`."""
    fit, grid = PEERS[name]
    learn = np.random.default_rng(0).permutation(np.flatnonzero(~validation))[:TUNING_ROWS]
    check = [text for text, held_out in zip(texts, validation, strict=True) if held_out]

    def right(setting: dict) -> float:
        predict = fit([texts[i] for i in learn], labels[learn], **setting)
        return float((predict(check) == labels[validation]).mean())

    return max(grid, key=right)


def tfidf(min_df: int = 1):
    """Words 1-2 and characters 3-5 inside words, the strongest common recipe."""
    options = {"sublinear_tf": True, "dtype": np.float32, "min_df": min_df}
    words = TfidfVectorizer(ngram_range=(1, 2), **options)
    return make_union(words, TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), **options))


def linear_svc(texts: list[str], labels: np.ndarray, C: float = 0.3) -> Predict:
    return make_pipeline(tfidf(), LinearSVC(C=C, random_state=0)).fit(texts, labels).predict


def logistic_regression(texts: list[str], labels: np.ndarray, C: float) -> Predict:
    """The default solver took 4.5 GB here; saga on float32, without terms of one text only, a fifth of it."""
    model = LogisticRegression(C=C, solver="saga", max_iter=20, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # twice as many passes: +0.0005 of validation
        return make_pipeline(tfidf(min_df=2), model).fit(texts, labels).predict


def boosted_trees(texts: list[str], labels: np.ndarray, **parameters) -> Predict:
    codes, numbers = np.unique(labels, return_inverse=True)
    features = make_pipeline(tfidf(), SelectKBest(chi2, k=2000)).fit(texts, numbers)
    data = xgboost.DMatrix(features.transform(texts), numbers, nthread=1)
    parameters |= {"objective": "multi:softmax", "num_class": len(codes), "max_bin": 32, "nthread": 1}
    booster = xgboost.train(parameters, data, num_boost_round=40)

    def predict(new: list[str]) -> np.ndarray:
        answers = booster.predict(xgboost.DMatrix(features.transform(new), nthread=1))
        return codes[answers.astype(int)]

    return predict


def fasttext(texts: list[str], labels: np.ndarray, **setting) -> Predict:
    import fasttext as library  # wanted by this benchmark only

    codes, numbers = np.unique(labels, return_inverse=True)
    options = {"wordNgrams": 2, "minn": 3, "maxn": 5, "dim": 50, "bucket": 500_000, "loss": "softmax"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        lines = (f"__label__{n} {' '.join(t.lower().split())}" for t, n in zip(texts, numbers, strict=True))
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        model = library.train_supervised(str(file), thread=1, verbose=0, seed=1, **options, **setting)

    def predict(new: list[str]) -> np.ndarray:
        answers, _ = model.predict([" ".join(text.lower().split()) for text in new])
        return codes[[int(answer[0][len("__label__") :]) for answer in answers]]

    return predict


# Name: how to fit, and the grid, what is usually best first.
PEERS = {
    "TF-IDF + LinearSVC": (linear_svc, [{"C": 0.3}, {"C": 0.1}, {"C": 1.0}]),
    "TF-IDF + LogisticRegression": (logistic_regression, [{"C": 100.0}, {"C": 30.0}, {"C": 300.0}]),
    "fastText": (
        fasttext,
        [{"lr": lr, "epoch": epoch} for lr, epoch in ((1.0, 25), (0.5, 25), (1.0, 50), (0.5, 50))],
    ),
    "TF-IDF + xgboost": (boosted_trees, [{"eta": 0.3, "max_depth": 9}, {"eta": 0.3, "max_depth": 6}]),
}
