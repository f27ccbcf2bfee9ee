"""Whether a newly trained model replaces the winner: a rule on paired evidence from one test set.

The rule, its error rates and how to set the policy: docs/verdicts.md.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from processing.bootstrap import Replicates, interval, resample

POINT = 0.01  # the loss, in macro-F1 or accuracy, that must be ruled out before anything is promoted
VETO_LEVEL = 0.05  # chance that an equally good model is vetoed, over all critical codes together
MIN_DISCORDANT = 30  # below it a bootstrap interval is too short to be evidence of a gain


@dataclass(frozen=True)
class Policy:
    """What a model group asks of a challenger.

    Attributes:
        min_gain: smallest gain in macro-F1 that is worth a change of model, in [0, 1].
        min_rows: smallest number of distinct test texts to decide on, at least 1.
        level: significance level of the two-sided tests and intervals, in (0, 0.5].
    """

    min_gain: float = 0.005
    min_rows: int = 300
    level: float = 0.01

    def __post_init__(self):
        if not 0 <= self.min_gain <= 1:
            raise ValueError(
                f"policy: min_gain is {self.min_gain}, must be from 0 to 1 (0.005 is half a point)"
            )
        if self.min_rows < 1:
            raise ValueError(f"policy: min_rows is {self.min_rows}, must be 1 or more")
        if not 0 < self.level <= 0.5:
            raise ValueError(
                f"policy: level is {self.level}, must be above 0 and at most 0.5 (0.01 is usual)"
            )

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """The policy in a JSON object such as '{"min_gain": 0.01}'; what is not named keeps its default."""
        values = json.loads(text or "{}")
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            known = ", ".join(field.name for field in fields(cls))
            raise ValueError(f"policy: unknown setting {', '.join(sorted(unknown))}; there are {known}")
        return cls(**values)


@dataclass(frozen=True)
class Verdict:
    """A decision with its evidence; differences are challenger minus winner, None where there is no winner.

    Attributes:
        verdict: FIRST, PROMOTE, KEEP, UNDECIDED or REJECT.
        reason: the decision in words.
        score: the challenger's macro-F1 over the codes that have test rows, in [0, 1], higher is better.
        winner_score: the same of the winner.
        difference: of macro-F1, in [-1, 1].
        low, high: bootstrap interval of `difference` at the policy's level.
        accuracy_difference, accuracy_low, accuracy_high: the same of accuracy over rows.
        p_value: exact McNemar, two-sided, over distinct texts.
        better_texts, worse_texts: distinct texts on which only the challenger, only the winner is right.
        rows, distinct_texts: size of the test set.
        vetoed_by: critical codes on which the challenger is significantly worse.
        untested_codes: codes in force, or critical, that have no test row.
        missing_codes: codes in force that the challenger cannot predict.
    """

    verdict: str
    reason: str
    score: float | None = None
    winner_score: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    accuracy_difference: float | None = None
    accuracy_low: float | None = None
    accuracy_high: float | None = None
    p_value: float | None = None
    better_texts: int | None = None
    worse_texts: int | None = None
    rows: int = 0
    distinct_texts: int = 0
    vetoed_by: tuple[str, ...] = ()
    untested_codes: tuple[str, ...] = ()
    missing_codes: tuple[str, ...] = ()


def decide(
    truth: np.ndarray,
    challenger: np.ndarray,
    winner: np.ndarray | None,
    text_key: np.ndarray,
    policy: Policy,
    *,
    codes_in_force: Iterable[str] | None = None,
    challenger_codes: Iterable[str] | None = None,
    critical: Iterable[str] = (),
) -> Verdict:
    """Decide on a challenger from both models' codes for the same test rows.

    Args:
        truth: true codes, shape (n_rows,).
        challenger: the challenger's codes for the same rows, shape (n_rows,).
        winner: the winner's codes for the same rows, shape (n_rows,); None where the group has no winner yet.
        text_key: what identical texts have in common, shape (n_rows,); they count as one observation.
        policy: what the group asks.
        codes_in_force: codes a model must be able to predict; None asks for none.
        challenger_codes: codes the challenger can predict; None takes it to know all.
        critical: codes whose recall and precision must not get significantly worse.

    Raises:
        ValueError: the arrays do not have one value for each row.
    """
    truth, challenger, text_key = (np.asarray(each).astype(str) for each in (truth, challenger, text_key))
    winner = None if winner is None else np.asarray(winner).astype(str)
    _check_shapes(truth, challenger, winner, text_key)

    codes, critical = np.unique(truth), sorted(set(critical))
    in_force = set(codes_in_force or ())
    known = in_force if challenger_codes is None else set(challenger_codes)
    facts = {
        "rows": len(truth),
        "distinct_texts": len(np.unique(text_key)),
        "missing_codes": tuple(sorted(in_force - known)),
        "untested_codes": tuple(sorted((in_force | set(critical)) - set(codes.tolist()))),
        "score": _macro_f1(truth, challenger, codes),
    }
    if winner is None:
        return Verdict("FIRST", "The group has no winner yet, so this model becomes its first.", **facts)
    facts["winner_score"] = _macro_f1(truth, winner, codes)
    if len(truth) == 0:
        return Verdict("UNDECIDED", "The test set has no rows; the winner stays.", **facts)

    text = np.unique(text_key, return_inverse=True)[1]
    numbers = [_number(each, codes) for each in (truth, challenger, winner)]
    replicates = resample(*numbers, text, len(codes))
    right_c, right_w = challenger == truth, winner == truth
    better, worse = _discordant(right_c, right_w, text)
    facts["difference"] = facts["score"] - facts["winner_score"]
    facts["low"], facts["high"] = interval(replicates.macro_f1, policy.level)
    facts["accuracy_difference"] = float(right_c.mean() - right_w.mean())
    facts["accuracy_low"], facts["accuracy_high"] = interval(replicates.accuracy, policy.level)
    facts["better_texts"], facts["worse_texts"] = better, worse
    facts["p_value"] = _mcnemar(better, worse)
    facts["vetoed_by"] = _vetoes(truth, challenger, winner, text, codes, critical, replicates)
    return Verdict(*_rule(policy, **facts), **facts)


def _rule(policy, *, score, winner_score, **facts) -> tuple[str, str]:
    """Verdict and reason from the evidence: the whole rule, top to bottom."""
    e = Verdict("", "", **facts)
    gain = f"macro-F1 {_points(e.difference)} (from {_points(e.low)} to {_points(e.high)})"
    counts = f"{e.better_texts:,} texts newly right, {e.worse_texts:,} newly wrong, p = {e.p_value:.2g}"
    evidence = f"{gain}; accuracy {_points(e.accuracy_difference)} ({counts})"
    significant = e.p_value <= policy.level
    enough = e.better_texts + e.worse_texts >= MIN_DISCORDANT

    if e.missing_codes:
        return "REJECT", f"The challenger cannot predict {_listed(e.missing_codes)}, now in force."
    if e.distinct_texts < policy.min_rows:
        return "UNDECIDED", (
            f"{e.distinct_texts:,} distinct test texts are too few to decide: the policy asks for "
            f"{policy.min_rows:,}. The winner stays."
        )
    if e.vetoed_by:
        return "REJECT", f"Significantly worse on critical {_listed(e.vetoed_by)}. Overall: {evidence}."
    if (significant and e.worse_texts > e.better_texts) or (enough and e.high < 0):
        return "REJECT", f"The challenger is significantly worse: {evidence}."
    shown = (significant and e.better_texts > e.worse_texts) or (enough and e.low > 0)
    if e.difference < policy.min_gain or e.difference <= 0:
        return "KEEP", f"No useful gain: {evidence}; the policy asks for {_points(policy.min_gain)}."
    if not shown:
        return "UNDECIDED", f"A gain is seen but may be chance: {evidence}. The winner stays."
    if min(e.low, e.accuracy_low) <= -POINT:
        return (
            "UNDECIDED",
            f"A gain is seen, but a loss of a point cannot be ruled out: {evidence}. The winner stays.",
        )
    return "PROMOTE", f"The challenger is better: {evidence}."


def _check_shapes(truth, challenger, winner, text_key) -> None:
    """Raise ValueError unless every array has one value for each row."""
    named = {"challenger": challenger, "winner": winner, "text_key": text_key}
    for name, values in {"truth": truth, **named}.items():
        if values is not None and (values.ndim != 1 or len(values) != truth.shape[0]):
            raise ValueError(
                f"{name} has shape {values.shape}, must have one value for each of {truth.shape[0]} rows"
            )


def _macro_f1(truth, predicted, codes) -> float | None:
    """Macro-F1 over the codes that have test rows: the same codes for both models."""
    if len(truth) == 0:
        return None
    return float(f1_score(truth, predicted, labels=codes, average="macro", zero_division=0))


def _number(values, codes) -> np.ndarray:
    """Positions of `values` in the sorted `codes`; len(codes) for what is not among them."""
    at = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
    return np.where(codes[at] == values, at, len(codes))


def _discordant(right_c, right_w, text) -> tuple[int, int]:
    """Number of texts on which the challenger has more rows right, and on which the winner has."""
    balance = np.bincount(text, weights=right_c.astype(int) - right_w.astype(int))
    return int((balance > 0).sum()), int((balance < 0).sum())


def _mcnemar(better: int, worse: int, alternative: str = "two-sided") -> float:
    """Exact McNemar: were the discordant texts tosses of a fair coin? (McNemar 1947)"""
    return float(binomtest(better, better + worse, alternative=alternative).pvalue) if better + worse else 1.0


def _vetoes(truth, challenger, winner, text, codes, critical, replicates: Replicates) -> tuple[str, ...]:
    """Critical codes with significantly lower recall or precision; all these tests share one level."""
    tested = [code for code in critical if code in codes]
    level = VETO_LEVEL / max(1, 2 * len(tested))
    found = []
    for code in tested:
        is_code = truth == code
        lost = _discordant((challenger == code)[is_code], (winner == code)[is_code], text[is_code])
        # On the other rows a model is right when it does not give the code.
        false = _discordant((challenger != code)[~is_code], (winner != code)[~is_code], text[~is_code])
        _, precision_high = interval(replicates.precision[:, np.searchsorted(codes, code)], 2 * level)
        if _mcnemar(*lost, "less") <= level or (_mcnemar(*false, "less") <= level and precision_high < 0):
            found.append(code)
    return tuple(found)


def _points(value: float) -> str:
    """0.0123 as '+1.2 points'."""
    return f"{100 * value:+.1f} points"


def _listed(codes: tuple[str, ...]) -> str:
    """Codes for a sentence, at most five of them by name."""
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return f"code{'s' if len(codes) > 1 else ''} " + ", ".join(codes[:5]) + more
