"""Whether a newly trained model replaces the winner.

The rule in words, its error rates and how to set the policy: docs/verdicts.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from processing.policy import Policy
from processing.verdict.evidence import Evidence, compare, macro_f1

TOLERATED_LOSS = 0.005  # of accuracy; the interval must rule out a greater one
RARER_LEVEL = 0.3  # one-sided; strict, since few rows have the rarer codes and a loss there is hard to see
MIN_DISCORDANT = 30  # with fewer discordant texts a percentile interval is too short to show a gain or a loss

FIRST = ("FIRST", "The group has no winner yet, so this model becomes its first.")


@dataclass(frozen=True, kw_only=True)
class Verdict(Evidence):
    """A decision with its reason and its evidence.

    Attributes:
        verdict: FIRST, PROMOTE, KEEP, UNDECIDED or REJECT.
        reason: the decision in words.
    """

    verdict: str
    reason: str


def decide(
    truth: np.ndarray,
    challenger: np.ndarray,
    winner: np.ndarray | None,
    text_key: np.ndarray,
    policy: Policy,
    *,
    codes_in_force: Iterable[str] = (),
    challenger_lacks: Iterable[str] | None = None,
    winner_lacks: Iterable[str] = (),
    critical: Iterable[str] = (),
) -> Verdict:
    """Decide on a challenger from both models' codes for the same test rows.

    Args:
        truth: true codes, shape (n_rows,).
        challenger: the challenger's codes for the same rows, shape (n_rows,).
        winner: the winner's codes for the same rows, shape (n_rows,); None where the group has no winner yet.
        text_key: equal where texts are equal, shape (n_rows,); equal texts count as one observation.
        policy: what the group asks.
        codes_in_force: codes that items may have in the period.
        challenger_lacks: those of them that the challenger cannot predict; None: not known.
        winner_lacks: those of them that the winner cannot predict.
        critical: codes whose recall and precision must not get significantly worse.

    Raises:
        ValueError: an array has not one value for each row.
    """
    rows = {"truth": truth, "challenger": challenger, "winner": winner, "text_key": text_key}
    rows = {name: np.asarray(values).astype(str) for name, values in rows.items() if values is not None}
    for name, values in rows.items():
        if values.shape != (len(truth),):
            raise ValueError(
                f"{name} has shape {values.shape}, must have one value for each of {len(truth)} rows"
            )
    truth, challenger = rows["truth"], rows["challenger"]
    text = np.unique(rows["text_key"], return_inverse=True)[1]
    in_force, critical = set(codes_in_force), set(critical)
    found = {
        "rows": len(truth),
        "distinct_texts": len(np.unique(text)),
        "untested_codes": tuple(sorted((in_force | critical) - set(truth.tolist()))),
    }
    if challenger_lacks is not None:
        lacks = set(challenger_lacks)
        # Without a winner there is nothing to lose.
        also_lacks = lacks if winner is None else set(winner_lacks)
        found["lost_codes"] = tuple(sorted(lacks - also_lacks))
        found["unreached_codes"] = tuple(sorted(lacks & also_lacks))
    if len(truth):
        found["score"] = macro_f1(truth, challenger)
    if len(truth) and winner is not None:
        found |= compare(truth, challenger, rows["winner"], text, critical, policy.level)
    evidence = Evidence(**found)
    verdict, reason = FIRST if winner is None else _rule(evidence, policy)
    return Verdict(
        verdict=verdict, reason=reason + _warnings(evidence, critical, alone=winner is None), **found
    )


def _rule(e: Evidence, policy: Policy) -> tuple[str, str]:
    """Verdict and reason where there is a winner: the whole rule, top to bottom."""
    if e.lost_codes:
        lost = f"{_listed(e.lost_codes)}, now in force"
        return "REJECT", f"The challenger cannot predict {lost}; the winner can."
    if e.distinct_texts < policy.min_rows:
        texts = f"{e.distinct_texts:,} distinct test texts, the policy asks for {policy.min_rows:,}"
        return "UNDECIDED", f"Too few rows to tell: {texts}. The winner stays."
    seen = _seen(e, policy)
    if e.vetoed_by:
        return "REJECT", f"Significantly worse on critical {_listed(e.vetoed_by)}. All codes: {seen}."
    significant, enough = e.p_value <= policy.level, e.better_texts + e.worse_texts >= MIN_DISCORDANT
    worse = (significant and e.worse_texts > e.better_texts) or (enough and e.high < 0)
    if worse:
        return "REJECT", f"The challenger is significantly worse: {seen}."
    if e.difference < policy.min_gain or e.difference <= 0:
        return "KEEP", f"No useful gain in macro-F1 (wanted: {100 * policy.min_gain:g} points): {seen}."
    better = (significant and e.better_texts > e.worse_texts) or (enough and e.low > 0)
    if not better:
        return "UNDECIDED", f"The gain may be chance with so few rows: {seen}. The winner stays."
    if e.accuracy_low <= -TOLERATED_LOSS:
        return "UNDECIDED", f"The gain may cost half a point of accuracy: {seen}. The winner stays."
    if e.rarer_p_value <= RARER_LEVEL:
        rarer = f"{e.rarer_better:,} texts newly right, {e.rarer_worse:,} newly wrong"
        cost = f"it may be at the cost of the rarer half of the codes ({rarer})"
        return "UNDECIDED", f"Better overall, but {cost}. All codes: {seen}. The winner stays."
    return "PROMOTE", f"The challenger is better: {seen}."


def _seen(e: Evidence, policy: Policy) -> str:
    """The numbers a person needs, in words."""
    texts = f"{e.better_texts:,} texts newly right, {e.worse_texts:,} newly wrong (p = {e.p_value:.2g})"
    interval = f"{100 * (1 - policy.level):g} % interval {100 * e.low:+.1f} to {100 * e.high:+.1f}"
    scores = f"accuracy {100 * e.accuracy_difference:+.1f} points, macro-F1 {100 * e.difference:+.1f} points"
    return f"{texts}; {scores} ({interval})"


def _warnings(e: Evidence, critical: set[str], *, alone: bool) -> str:
    """What a person should know besides, whatever the verdict is."""
    warnings = ""
    if e.unreached_codes:
        cannot = "It cannot" if alone else "Neither model can"
        warnings += f" {cannot} predict {_listed(e.unreached_codes)}, now in force: no rows to learn from."
    if unknown := tuple(code for code in e.untested_codes if code in critical):
        warnings += f" No test row has critical {_listed(unknown)}: nothing is known there."
    return warnings


def _listed(codes: tuple[str, ...]) -> str:
    """Codes for a sentence, at most five by name."""
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return f"code{'s' if len(codes) > 1 else ''} {', '.join(codes[:5])}{more}"
