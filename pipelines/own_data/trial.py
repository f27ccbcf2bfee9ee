"""What a model would do with a person's labelled rows: trained and scored here, with no stack.

The rows are judged, split, learned from and labelled by the code of the jobs, with one setting where a run
searches several. The baseline is what people write first: TF-IDF and logistic regression of scikit-learn,
both as they come. Both are scored on the same texts, which neither has seen. Accuracies are of this file
alone.
"""

import tempfile
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import binomtest

from inference.predict import Labeller
from pipelines.own_data import dataset
from pipelines.own_data.columns import Columns
from pipelines.own_data.needed import needed
from processing.arrays import Booleans, Floats, Texts
from processing.codes.codebook import Code, Codebook
from processing.dataset.accept import Accepted, accept
from processing.dataset.findings import findings_in_report
from processing.dataset.manifest import DataFile
from processing.dataset.text import TEXT_COLUMNS
from processing.errors import BadData
from processing.labels import review_queue, without_person
from processing.policy import Policy
from processing.verdict.mcnemar import texts_needed
from processing.verdict.rule import decide
from processing.verdict.scores import scores
from training import training_set
from training.hyperparameters import parser
from training.train import train

#: The model group of a file that has none yet; it salts the split.
GROUP = "XX-own"
BASELINE = "TF-IDF + logistic regression (scikit-learn's defaults)"
MOST_ITERATIONS = 1000
CERTAINTY = 0.95


def run(table: pa.Table, columns: Columns, policy: Policy, say: Callable[[str], None]) -> dict[str, Any]:
    """Train on a file's labelled rows, and say what to expect.

    Args:
        table: its rows, with the columns' numbers as doubles.
        columns: which is which; title and code are there.
        policy: what labels must meet.
        say: is told what is being done.

    Returns:
        As JSON has it: `rows`, `labelled` and `usable` ones, distinct `texts`, the `codes` by rows, what was
        found (`findings`), the `test` rows and texts, the scores of `model` and `baseline`, their
        `comparison`, what `half` of the training rows give, what share of the texts `changed`, and how many
        rows are `needed`.

    Raises:
        BadData: the rows cannot be split or learned from.
    """
    say("reading and splitting the rows")
    own = dataset.with_code(table, columns)
    rows = dataset.canonical(own, columns, labelled=True)
    found = _accepted(rows, columns)
    parts, test = found.parts, found.parts["test"]
    truth = test["label"].to_numpy(zero_copy_only=False).astype(str)
    keys = np.asarray(test["text_key"]).astype(str)
    say(f"training on {parts['train'].num_rows + parts['validation'].num_rows:,} rows")
    code, confidence, alone = _labels(parts, columns, policy)
    learned = Counter(parts["train"]["label"].to_pylist() + parts["validation"]["label"].to_pylist())
    say(f"training the baseline: {BASELINE}")
    base_code, base_confidence = _baseline(parts)
    say("training on half of the rows")
    half = _half(parts, columns, policy)
    say("comparing")
    texts = pc.count_distinct(found.made["text_key"]).as_py()
    made: dict[str, Any] = {
        "rows": table.num_rows,
        "labelled": rows.num_rows,
        "usable": found.made.num_rows,
        "texts": texts,
        "codes": dict(Counter(found.made["label"].to_pylist()).most_common()),
        "findings": dataset.located(findings_in_report(found.findings), own),
        "test": {"rows": test.num_rows, "texts": len(np.unique(keys))},
        "policy": {name: getattr(policy, name) for name in ("promise", "precision", "level", "min_rows")},
        "model": _scored(truth, code, confidence, alone, keys)
        | without_person.left_to_people(
            test.select(["text_key", "title"]).to_pandas().assign(truth=truth, code=code),
            confidence,
            alone,
            learned,
        ),
        "baseline": {"name": BASELINE}
        | _scored(truth, base_code, base_confidence, np.zeros(len(truth), bool), keys),
        "comparison": _compared(truth, code, base_code, keys, policy),
        "half": None,
    }
    if half is not None:
        before = _compared(truth, code, half, keys, policy)
        made["half"] = before | {"accuracy": float((half == truth).mean())}
    # Two models of one kind change sides as months do; the baseline is the next best that there is.
    made["changed"] = (made["half"] or made["comparison"])["changed"]
    left = 1 - made["model"]["accuracy"]
    estimates = needed(made["changed"], found.made.num_rows, texts, policy)
    made["needed"] = [each for each in estimates if each["gain"] <= left]
    return made


def _compared(truth: Texts, code: Texts, other: Texts, keys: Texts, policy: Policy) -> dict[str, Any]:
    """The verdict on a model against another one, as winners are chosen.

    `changed` is the share of the texts on which one of them alone is right; `texts_to_decide`, of a gain that
    may be chance, about how many test texts would tell; None where that cannot be estimated.
    """
    verdict = decide(truth, code, other, keys, policy)
    better, worse, texts = verdict.better_texts or 0, verdict.worse_texts or 0, verdict.distinct_texts
    undecided = verdict.verdict == "UNDECIDED"
    return asdict(verdict) | {
        "changed": (better + worse) / texts,
        "texts_to_decide": texts_needed(better, worse, texts, policy.level) if undecided else None,
    }


def _accepted(rows: pa.Table, columns: Columns) -> Accepted:
    """The rows as Prepare takes them, for the month that it is."""
    codes = sorted({value.strip() for value in rows["label"].to_pylist()})
    book = Codebook(
        GROUP, "0", columns.declared(), tuple(Code(code, code, date.min, None, False) for code in codes)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = dataset.write(rows, Path(folder))
        return accept(
            [DataFile(path.name, path, None)],
            book,
            group=GROUP,
            period=f"{datetime.now(UTC):%Y-%m}",
            purpose="training",
            uri="the file",
        )


def _labels(parts: dict[str, pa.Table], columns: Columns, policy: Policy) -> tuple[Texts, Floats, Booleans]:
    """Of each test row the code, its confidence, and whether no person need look at it."""
    codes = sorted({*parts["train"]["label"].to_pylist(), *parts["validation"]["label"].to_pylist()})
    book = Codebook(
        GROUP, "0", columns.declared(), tuple(Code(code, code, date.min, None, False) for code in codes)
    )
    asked = {"promise": policy.promise, "precision": policy.precision or Policy.precision}
    asked |= {"code_precision": policy.code_precision}
    options: Namespace = parser("").parse_args([], Namespace(**asked))
    given = training_set.build(parts["train"], parts["validation"], book)
    model, _ = train(given, book, options)
    labelled = Labeller(model).label(parts["test"])
    confidence = labelled.confidence[:, 0]
    queue = review_queue.choose(confidence, labelled.review, np.zeros(len(confidence), bool), policy)
    return np.array(model.codes)[labelled.codes[:, 0]], confidence, ~queue.unsure


def _half(parts: dict[str, pa.Table], columns: Columns, policy: Policy) -> Texts | None:
    """The test rows' codes by a model that learned half of the texts; None where that is too few."""
    some = {name: _every_second_text(parts[name]) for name in ("train", "validation")}
    if not some["train"].num_rows:
        return None
    try:
        return _labels(some | {"test": parts["test"]}, columns, policy)[0]
    except BadData:
        return None


def _every_second_text(rows: pa.Table) -> pa.Table:
    """By a digit of the key that neither the split nor the folds look at."""
    return rows.filter(pa.array([int(key[7], 16) < 8 for key in rows["text_key"].to_pylist()], pa.bool_()))


def _baseline(parts: dict[str, pa.Table]) -> tuple[Texts, Floats]:
    """Of each test row the code and its probability."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    learned = pa.concat_tables([parts["train"], parts["validation"]])
    simple = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=MOST_ITERATIONS))
    simple.fit(_joined(learned), learned["label"].to_pylist())
    shares = simple.predict_proba(_joined(parts["test"]))
    return simple.classes_[shares.argmax(axis=1)].astype(str), shares.max(axis=1)


def _joined(rows: pa.Table) -> list[str]:
    return [
        " ".join(filter(None, row))
        for row in zip(*(rows[name].to_pylist() for name in TEXT_COLUMNS), strict=True)
    ]


def _scored(truth: Texts, code: Texts, confidence: Floats, alone: Booleans, keys: Texts) -> dict[str, Any]:
    """The scores, and how many texts are right in every row, with the exact bounds of their share."""
    right = code == truth
    wrong_texts, texts = len(np.unique(keys[~right])), len(np.unique(keys))
    bounds = binomtest(texts - wrong_texts, texts).proportion_ci(CERTAINTY, method="exact")
    return scores(truth, code, confidence, alone, keys) | {
        "texts_right": texts - wrong_texts,
        "accuracy_low": float(bounds.low),
        "accuracy_high": float(bounds.high),
        "alone_rows": int(alone.sum()),
        "alone_right": int(right[alone].sum()),
    }
