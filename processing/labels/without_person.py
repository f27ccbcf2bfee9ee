"""What could be labelled without a person, what stands in its way, and what helps: figures of labelled rows.

Whose rows they are (a test set's, or a training's out of fold) the caller knows; advice.py says it in words.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from processing.arrays import Booleans, Floats, Integers, Texts

PRECISIONS = (0.98, 0.95, 0.9)
RISK = 0.05  # the chance that a promise is not kept on new items
TESTS_PER_LOG = 1.4  # independent tests that count alike, for each unit of the logarithm of the rows
PAIRS = 5
CODES = 20
EXAMPLES = 3
TITLE_CHARACTERS = 80
FEW_ROWS = 50  # learned of a code: with fewer, more rows come first
BOTH_WAYS = 0.2  # share of a pair's wrong texts that the rarer direction has where it goes both ways
BOTH_CODES = 0.1  # so many texts have both, for each that is wrong, where the text is not enough
LABEL, DESCRIBE, MERGE, SAME_TEXT = "label", "describe", "merge", "same_text"


def left_to_people(
    rows: pd.DataFrame, confidence: Floats, automatic: Booleans, learned: Mapping[str, int]
) -> dict[str, Any]:
    """All figures of test rows: `at_precisions`, `confused`, `mostly_another`, as those functions say.

    Args:
        rows: columns `truth`, `code`, `text_key` and `title`, as texts.
        confidence: in the code, shape (n_rows,), in [0, 1].
        automatic: rows that no person looks at, shape (n_rows,).
        learned: how many rows of each code the model has learned from.
    """
    truth, code = rows["truth"].to_numpy(str), rows["code"].to_numpy(str)
    return {
        "at_precisions": at_precisions(truth == code, confidence, rows["text_key"].to_numpy(str)),
        "confused": confused(rows, learned),
        "mostly_another": mostly_another(truth, code, automatic),
    }


def at_precisions(right: Booleans, confidence: Floats, text: Integers | Texts) -> list[dict[str, Any]]:
    """How much would need no person at each of PRECISIONS, the surest first; shares in [0, 1].

    Of each `precision` the `share` of the rows at which the right ones are bounded by it from below (Clopper
    and Pearson, 1934, texts as units, at RISK by `at_once`) and the `best` share, were the threshold known.
    And of all rows, those that a person decides counted as right, the `right_of_all` at `share`.

    Args:
        right: whether the model's code was the true one, shape (n_rows,).
        confidence: in it, shape (n_rows,), in [0, 1], from rows that the model has not learned.
        text: number or key of the row's text, shape (n_rows,).
    """
    rows = pd.DataFrame({"sure": confidence, "wrong": ~right, "text": text})
    rows = rows.sort_values("sure", ascending=False, kind="stable")
    # The first row of a text counts it, its first wrong one counts it as wrong.
    texts = (~rows["text"].duplicated()).cumsum().to_numpy()
    wrong_texts = (rows["wrong"] & ~rows["text"].where(rows["wrong"]).duplicated()).cumsum().to_numpy()
    wrong, n = rows["wrong"].cumsum().to_numpy(), np.arange(1, len(rows) + 1)
    sure = rows["sure"].to_numpy()
    ends = np.append(sure[1:] < sure[:-1], True)[: len(rows)]  # rows as sure as another go with it
    found = []
    for precision in PRECISIONS:
        level = at_once(RISK, texts[-1] if len(rows) else 0, precision)
        bound = np.nan_to_num(betaincinv(texts - wrong_texts, wrong_texts + 1, level))
        safe = _last(ends & (bound >= precision))
        best = _last(ends & (wrong <= (1 - precision) * n + 1e-9))
        found.append(
            {
                "precision": precision,
                "share": safe / max(len(rows), 1),
                "best": best / max(len(rows), 1),
                "right_of_all": 1 - float(wrong[safe - 1]) / len(rows) if safe else 1.0,
            }
        )
    return found


def at_once(risk: float, n: int, precision: float | Floats) -> Floats:
    """The risk of one test at which the best of all thresholds keeps a promise but for a chance of `risk`.

    Rows that are too few to show a precision in [0, 1] are no test. From there on to all `n`, the share of
    wrong rows by its standard error is about a stationary process in the logarithm of the rows: however many
    tests there are, they count as so many as that grows. In the worst case, where confidences say nothing,
    4 to 6 % of the groups just short of their promise pass at a risk of 5 %.
    """
    return np.asarray(risk / (1 + TESTS_PER_LOG * np.log(np.maximum(n / needed(precision, risk), 1))))


def needed(precision: float | Floats, risk: float = RISK) -> Floats:
    """How many rows, all right, it takes to show a precision in [0, 1] but for a chance of `risk`."""
    return np.asarray(np.ceil(np.log(risk) / np.log(np.clip(precision, 1e-9, 1 - 1e-9))))


def right_of_all(expected: float | None, automatic: int, items: int) -> float | None:
    """The share of all published labels to be expected right, people's decisions counted as right, in [0, 1].

    `expected` is that share of the `automatic` ones alone, None where there are none; `items` are all.
    """
    if not items:
        return None
    return 1.0 if expected is None else 1 - automatic * (1 - expected) / items


def confused(rows: pd.DataFrame, learned: Mapping[str, int]) -> list[dict[str, Any]]:
    """The pairs of codes that the model confuses most, at most PAIRS, and what to do about each.

    `codes` are the two; `rows` and `texts` those that have one and were given the other, of `of` wrong rows;
    `same_text` the texts whose rows have either code; `titles` examples. What to `do`: LABEL more rows of
    `few`, of which little was learned; SAME_TEXT: deliver more than texts, many of which have both codes;
    MERGE, if nobody needs the difference, where the confusion goes both ways though both were learned from
    many rows; else DESCRIBE, in the items, what tells the codes apart.

    Args:
        rows: columns `truth`, `code`, `text_key`, and `title` where there are titles.
        learned: how many rows of each code the model has learned from.
    """
    wrong = rows[rows["truth"] != rows["code"]]
    pair = pd.Series(list(map(tuple, np.sort(wrong[["truth", "code"]].to_numpy(str), axis=1))), wrong.index)
    counts = (
        pair.value_counts(sort=False).sort_index(kind="stable").sort_values(ascending=False, kind="stable")
    )
    found = []
    for codes in counts.index[:PAIRS]:
        of = wrong[pair == codes].drop_duplicates(["text_key", "truth"])
        with_either = rows[rows["truth"].isin(codes)]
        same_text = int((with_either.groupby("text_key")["truth"].nunique() > 1).sum())
        few = [code for code in codes if learned.get(code, 0) < FEW_ROWS]
        directions = of["truth"].value_counts()
        both_ways = len(directions) > 1 and bool(directions.min() >= BOTH_WAYS * directions.sum())
        titles = of["title"].dropna().str.slice(0, TITLE_CHARACTERS).head(EXAMPLES) if "title" in of else []
        found.append(
            {
                "codes": list(codes),
                "rows": int(counts[codes]),
                "texts": int(of["text_key"].nunique()),
                "of": len(wrong),
                "same_text": same_text,
                "few": few,
                "do": _what_to_do(few, same_text >= BOTH_CODES * len(of), both_ways),
                "titles": list(titles),
            }
        )
    return found


def _what_to_do(few: list[str], on_same_text: bool, both_ways: bool) -> str:
    if few:
        return LABEL
    if on_same_text:
        return SAME_TEXT
    return MERGE if both_ways else DESCRIBE


def mostly_another(truth: Texts, code: Texts, automatic: Booleans) -> list[dict[str, Any]]:
    """The codes whose rows get another code more often than their own, most wrong rows first; at most CODES.

    Of each `code` its `rows`, the share `right`, the code `given` most often instead, and how many of the
    wrong rows went `without_person`.

    Args:
        truth: codes, shape (n_rows,).
        code: the model's, likewise.
        automatic: rows that no person looks at, shape (n_rows,).
    """
    rows = pd.DataFrame({"truth": truth, "code": code, "alone": automatic})
    rows["wrong"] = rows["truth"] != rows["code"]
    found: list[dict[str, Any]] = []
    for true, of in rows.groupby("truth"):
        wrong = of[of["wrong"]]
        if 2 * len(wrong) > len(of):
            found.append(
                {
                    "code": str(true),
                    "rows": len(of),
                    "right": 1 - len(wrong) / len(of),
                    "given": str(wrong["code"].mode().iloc[0]),
                    "without_person": int(wrong["alone"].sum()),
                }
            )
    found.sort(key=lambda each: (-each["rows"] * (1 - each["right"]), each["code"]))
    return found[:CODES]


def _last(holds: Booleans) -> int:
    """How many rows there are up to the last one for which it holds; 0 for none."""
    at = np.flatnonzero(holds)
    return int(at[-1]) + 1 if len(at) else 0
