"""What people would write instead: each peer is fitted on texts and returns a function from texts to labels.

Settings are those that a small search on a validation split of the same data chose. One thread each.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xgboost
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

Predict = Callable[[list[str]], np.ndarray]


def tfidf():
    """Words 1-2 and characters 3-5 inside words, the strongest common recipe."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
    return make_union(words, characters)


def linear_svc(texts: list[str], labels: np.ndarray) -> Predict:
    return make_pipeline(tfidf(), LinearSVC(C=0.3, random_state=0)).fit(texts, labels).predict


def logistic_regression(texts: list[str], labels: np.ndarray) -> Predict:
    return make_pipeline(tfidf(), LogisticRegression(C=10, max_iter=150, tol=1e-2)).fit(texts, labels).predict


def boosted_trees(texts: list[str], labels: np.ndarray) -> Predict:
    codes, numbers = np.unique(labels, return_inverse=True)
    features = make_pipeline(tfidf(), SelectKBest(chi2, k=2000)).fit(texts, numbers)
    data = xgboost.DMatrix(features.transform(texts), numbers, nthread=1)
    parameters = {
        "objective": "multi:softmax",
        "num_class": len(codes),
        "eta": 0.3,
        "max_depth": 6,
        "max_bin": 32,
        "nthread": 1,
    }
    booster = xgboost.train(parameters, data, num_boost_round=40)

    def predict(new: list[str]) -> np.ndarray:
        answers = booster.predict(xgboost.DMatrix(features.transform(new), nthread=1))
        return codes[answers.astype(int)]

    return predict


def fasttext(texts: list[str], labels: np.ndarray) -> Predict:
    import fasttext as library  # wanted by this benchmark only

    codes, numbers = np.unique(labels, return_inverse=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        lines = (f"__label__{n} {' '.join(t.lower().split())}" for t, n in zip(texts, numbers, strict=True))
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        settings = {
            "lr": 0.5,
            "epoch": 25,
            "wordNgrams": 2,
            "minn": 3,
            "maxn": 5,
            "dim": 50,
            "bucket": 500_000,
        }
        model = library.train_supervised(str(file), thread=1, verbose=0, loss="softmax", seed=1, **settings)

    def predict(new: list[str]) -> np.ndarray:
        answers, _ = model.predict([" ".join(text.lower().split()) for text in new])
        return codes[[int(answer[0][len("__label__") :]) for answer in answers]]

    return predict


PEERS = {
    "TF-IDF + LinearSVC": linear_svc,
    "TF-IDF + LogisticRegression": logistic_regression,
    "fastText": fasttext,
    "TF-IDF + xgboost": boosted_trees,
}
