"""The evidence for a verdict: two models' labels of the same test rows, compared text by text."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from processing.arrays import Booleans, Integers, Texts
from processing.verdict.automatic import Automatic
from processing.verdict.bootstrap import Replicates, interval, resample
from processing.verdict.mcnemar import discordant, exact_interval, mcnemar

VETO_LEVEL = 0.05  # chance that a challenger as good as the winner on all critical codes is vetoed


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the test set says. Differences are challenger minus winner; None where nothing was compared.

    Attributes:
        rows, distinct_texts: size of the test set.
        score, winner_score: macro-F1 over the codes that have test rows, in [0, 1], higher is better.
        difference: of the two scores, in [-1, 1].
        low, high: bootstrap interval of `difference` at the policy's level; None with fewer texts than the
            policy's `min_rows`.
        accuracy_difference: of accuracy over rows, in [-1, 1].
        accuracy_low, accuracy_high: its bootstrap interval; with fewer texts the exact one, over texts.
        better_texts, worse_texts: distinct texts on which only the challenger, only the winner is right.
        p_value: exact McNemar on them, two-sided, in [0, 1].
        rarer_texts: distinct texts that have a code of the rarer half.
        rarer_better, rarer_worse: of these, on which only the challenger, only the winner is right.
        rarer_p_value: exact McNemar on those, one-sided: small when the challenger loses there.
        vetoed_by: critical codes on which the challenger is significantly worse.
        lost_codes: codes in force that the winner can predict and the challenger cannot; None: not known.
        unreached_codes: codes in force that no model here can predict; None: not known.
        untested_codes: codes in force, or critical, that have no test row.
        automatic: what each model labels without a person; None where that is not known.
    """

    rows: int
    distinct_texts: int
    score: float | None = None
    winner_score: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    accuracy_difference: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    better_texts: int | None = None
    worse_texts: int | None = None
    p_value: float | None = None
    rarer_texts: int | None = None
    rarer_better: int | None = None
    rarer_worse: int | None = None
    rarer_p_value: float | None = None
    vetoed_by: tuple[str, ...] = ()
    lost_codes: tuple[str, ...] | None = None
    unreached_codes: tuple[str, ...] | None = None
    untested_codes: tuple[str, ...] = ()
    automatic: Automatic | None = None


@dataclass(frozen=True, kw_only=True)
class Compared(Evidence):
    """The evidence where both models have labelled test rows: what `compare` finds is there."""

    winner_score: float
    difference: float
    accuracy_difference: float
    accuracy_low: float
    accuracy_high: float
    better_texts: int
    worse_texts: int
    p_value: float
    rarer_texts: int
    rarer_better: int
    rarer_worse: int
    rarer_p_value: float


def compare(
    truth: Texts,
    challenger: Texts,
    winner: Texts,
    text: Integers,
    critical: Collection[str],
    level: float,
    min_rows: int,
) -> dict[str, Any]:
    """The fields of `Compared` that need both models' labels.

    Args:
        truth: codes, strings, shape (n_rows,), at least one row.
        challenger: its labels, likewise.
        winner: its labels, likewise.
        text: number of the row's text, shape (n_rows,); every number from 0 to the largest occurs.
        critical: codes whose recall and precision must not get significantly worse.
        level: what the intervals leave out, half at either end, in (0, 1).
        min_rows: distinct texts from where on intervals are bootstrapped; with fewer they would be too short.
    """
    codes = np.unique(truth)
    true, by_challenger, by_winner = (_numbered(each, codes) for each in (truth, challenger, winner))
    right_c, right_w = challenger == truth, winner == truth
    better, worse = discordant(right_c, right_w, text)
    texts = int(text.max()) + 1
    replicates: Replicates | None = None
    macro_f1_bounds: tuple[float, float] | tuple[None, None] = (None, None)
    accuracy_bounds = exact_interval(better, worse, texts, level)
    if texts >= min_rows:
        replicates = resample(true, by_challenger, by_winner, text, len(codes))
        macro_f1_bounds = interval(replicates.macro_f1, level)
        accuracy_bounds = interval(replicates.accuracy, level)
    rarer = np.isin(truth, _rarer_half(truth))
    rarer_better, rarer_worse = discordant(right_c[rarer], right_w[rarer], text[rarer])
    winner_score = macro_f1(truth, winner)
    return {
        "winner_score": winner_score,
        "difference": macro_f1(truth, challenger) - winner_score,
        "low": macro_f1_bounds[0],
        "high": macro_f1_bounds[1],
        "accuracy_difference": float(right_c.mean() - right_w.mean()),
        "accuracy_low": accuracy_bounds[0],
        "accuracy_high": accuracy_bounds[1],
        "better_texts": better,
        "worse_texts": worse,
        "p_value": mcnemar(better, worse),
        "rarer_texts": len(np.unique(text[rarer])),
        "rarer_better": rarer_better,
        "rarer_worse": rarer_worse,
        "rarer_p_value": mcnemar(rarer_better, rarer_worse, "less"),
        "vetoed_by": _vetoes(truth, challenger, winner, text, codes, critical, replicates),
    }


def macro_f1(truth: Texts, predicted: Texts) -> float:
    """Macro-F1 over the codes that have rows, so the same codes for every model; codes of shape (n_rows,)."""
    return float(f1_score(truth, predicted, labels=np.unique(truth), average="macro", zero_division=0))


def _vetoes(
    truth: Texts,
    challenger: Texts,
    winner: Texts,
    text: Integers,
    codes: Texts,
    critical: Collection[str],
    replicates: Replicates | None,
) -> tuple[str, ...]:
    """Critical codes with significantly lower recall or precision; all these tests share one level."""
    tested = sorted(set(critical) & set(codes.tolist()))
    level = VETO_LEVEL / max(1, 2 * len(tested))
    vetoed = []
    for code in tested:
        gives_c, gives_w, is_code = challenger == code, winner == code, truth == code
        recall = mcnemar(*discordant(gives_c[is_code], gives_w[is_code], text[is_code]), "less")
        # On other rows a model is right when it does not give the code. To give the code more often, and as
        # often rightly, is not a fault: hence the precision as well, its interval where there is one.
        wrongly = mcnemar(*discordant(~gives_c[~is_code], ~gives_w[~is_code], text[~is_code]), "less")
        if replicates:
            precision = interval(replicates.precision[:, np.searchsorted(codes, code)], 2 * level)[1]
        else:
            precision = _share(is_code, gives_c) - _share(is_code, gives_w)
        if recall <= level or (wrongly <= level and precision < 0):
            vetoed.append(code)
    return tuple(vetoed)


def _share(of: Booleans, among: Booleans) -> float:
    """The share that is `of` some kind among the rows `among`, both of shape (n_rows,); 0 of no rows."""
    return float(of[among].mean()) if among.any() else 0.0


def _rarer_half(truth: Texts) -> Texts:
    """The half of the codes, rounded down, that have the fewest rows."""
    codes, rows = np.unique(truth, return_counts=True)
    rarer: Texts = codes[np.argsort(rows, kind="stable")[: len(codes) // 2]]
    return rarer


def _numbered(values: Texts, codes: Texts) -> Integers:
    """Positions of `values` in the sorted `codes`; len(codes) for what is not among them."""
    at = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
    return np.where(codes[at] == values, at, len(codes))
