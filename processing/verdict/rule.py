"""Whether a newly trained model replaces the winner: the questions of the rule, and the verdict they lead to.

The rule in words, its error rates and how to set the policy: docs/verdicts.md. What the questions are asked
of: evidence.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from processing.arrays import Texts
from processing.policy import Policy
from processing.verdict.evidence import Compared, Evidence, compare, macro_f1
from processing.verdict.figures import probability, signed
from processing.words import counted

TOLERATED_LOSS = 0.005  # of accuracy; the interval must rule out a greater one
RARER_LEVEL = 0.3  # one-sided; strict, since few rows have the rarer codes and a loss there is hard to see
MIN_DISCORDANT = 30  # with fewer discordant texts a percentile interval is too short to show a gain or a loss

FIRST = ("FIRST", "The group has no winner yet, so this model becomes its first.")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question of the rule with its answer, in words that the report shows as they are.

    Attributes:
        question: to be answered with yes by a challenger that is to be promoted.
        asked: what the policy or the rule asks for.
        found: what the evidence has.
        passed: the answer; None where it is not known, which stops no challenger.
    """

    question: str
    asked: str
    found: str
    passed: bool | None


@dataclass(frozen=True, kw_only=True)
class Verdict(Evidence):
    """A decision with its reason and its evidence.

    Attributes:
        verdict: FIRST, PROMOTE, KEEP, UNDECIDED or REJECT.
        reason: the decision in words.
        questions: the rule's, in its order: the first one answered with no gives the verdict. None are asked
            without a winner, and without test rows only those that need none.
    """

    verdict: str
    reason: str
    questions: tuple[Question, ...]


def decide(
    truth: Texts,
    challenger: Texts,
    winner: Texts | None,
    text_key: Texts,
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
    given = {"truth": truth, "challenger": challenger, "winner": winner, "text_key": text_key}
    rows = {name: np.asarray(values).astype(str) for name, values in given.items() if values is not None}
    for name, values in rows.items():
        if values.shape != (len(truth),):
            raise ValueError(
                f"{name} has shape {values.shape}, must have one value for each of {len(truth)} rows"
            )
    truth, challenger = rows["truth"], rows["challenger"]
    text = np.unique(rows["text_key"], return_inverse=True)[1]
    in_force, critical = set(codes_in_force), set(critical)
    found: dict[str, Any] = {
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
    evidence = Evidence(**found)
    if len(truth) and winner is not None:
        found |= compare(truth, challenger, rows["winner"], text, critical, policy.level)
        evidence = Compared(**found)
    rule = [] if winner is None else list(_rule(evidence, policy))
    verdict, reason = FIRST if winner is None else _first_no(rule, evidence, policy)
    return Verdict(
        verdict=verdict,
        reason=reason + _warnings(evidence, critical, alone=winner is None),
        questions=tuple(question for question, _, _ in rule),
        **found,
    )


def _rule(e: Evidence, policy: Policy) -> Iterator[tuple[Question, str, str]]:
    """The whole rule, top to bottom: each question, and the verdict and reason where its answer is no."""
    lost = _listed(e.lost_codes or ())
    yield (
        Question(
            question="Can it predict every code in force that the winner can?",
            asked="all",
            found=_reach(e),
            passed=None if e.lost_codes is None else not e.lost_codes,
        ),
        "REJECT",
        f"The challenger cannot predict {lost}, now in force; the winner can.",
    )
    texts = f"{counted(e.distinct_texts, 'distinct test text')}, the policy asks for {policy.min_rows:,}"
    yield (
        Question(
            question="Are there enough distinct test texts?",
            asked=f"{policy.min_rows:,} or more",
            found=f"{e.distinct_texts:,}",
            passed=e.distinct_texts >= policy.min_rows,
        ),
        "UNDECIDED",
        f"Too few rows to tell: {texts}. The winner stays.",
    )
    if not isinstance(e, Compared):  # there is no test row
        return
    seen = _seen(e, policy)
    yield (
        Question(
            question="Is no critical code significantly worse?",
            asked="none",
            found=", ".join(e.vetoed_by) or "none",
            passed=not e.vetoed_by,
        ),
        "REJECT",
        f"Significantly worse on critical {_listed(e.vetoed_by)}. All codes: {seen}.",
    )
    better, worse, level = e.better_texts, e.worse_texts, f"p ≤ {policy.level:g}"
    significant, enough = e.p_value <= policy.level, better + worse >= MIN_DISCORDANT
    counts = f"{better:,} right, {worse:,} wrong, {probability(e.p_value)}"
    both = f"{counts}; {signed(e.low)} to {signed(e.high)}"
    yield (
        Question(
            question="Is it not significantly worse overall?",
            asked=f"no net loss with {level}, interval not below 0",
            found=both,
            passed=not ((significant and worse > better) or (enough and e.high < 0)),
        ),
        "REJECT",
        f"The challenger is significantly worse: {seen}.",
    )
    yield (
        Question(
            question="Is the gain in macro-F1 useful?",
            asked=f"{signed(policy.min_gain)} points or more",
            found=f"{signed(e.difference)} points",
            passed=e.difference >= policy.min_gain and e.difference > 0,
        ),
        "KEEP",
        f"No useful gain in macro-F1 (required: {signed(policy.min_gain)} points): {seen}.",
    )
    yield (
        Question(
            question="Is the gain more than chance?",
            asked=f"net gain with {level}, or interval above 0 with {MIN_DISCORDANT} changed texts",
            found=both,
            passed=(significant and better > worse) or (enough and e.low > 0),
        ),
        "UNDECIDED",
        f"The gain may be chance with so few rows: {seen}. The winner stays.",
    )
    yield (
        Question(
            question="Is a loss of accuracy ruled out?",
            asked=f"interval above {signed(-TOLERATED_LOSS)}",
            found=f"{signed(e.accuracy_low)} to {signed(e.accuracy_high)}",
            passed=e.accuracy_low > -TOLERATED_LOSS,
        ),
        "UNDECIDED",
        f"The gain may cost half a point of accuracy: {seen}. The winner stays.",
    )
    rarer = f"{counted(e.rarer_better, 'text')} newly right, {e.rarer_worse:,} newly wrong"
    cost = f"it may be at the cost of the rarer half of the codes ({rarer})"
    yield (
        Question(
            question="Do the rarer codes not pay for it?",
            asked=f"one-sided p above {RARER_LEVEL:g}",
            found=f"{e.rarer_better:,} right, {e.rarer_worse:,} wrong, {probability(e.rarer_p_value)}",
            passed=e.rarer_p_value > RARER_LEVEL,
        ),
        "UNDECIDED",
        f"Better overall, but {cost}. All codes: {seen}. The winner stays.",
    )


def _first_no(rule: list[tuple[Question, str, str]], e: Evidence, policy: Policy) -> tuple[str, str]:
    """Verdict and reason of the first question answered with no; a promotion where there is none."""
    for question, verdict, reason in rule:
        if question.passed is False:
            return verdict, reason
    assert isinstance(e, Compared)  # else there are too few test rows
    return "PROMOTE", f"The challenger is better: {_seen(e, policy)}."


def _reach(e: Evidence) -> str:
    """Which codes in force the challenger can predict."""
    if e.lost_codes is None:
        return "not known"
    neither = f"; neither model can predict {', '.join(e.unreached_codes)}" if e.unreached_codes else ""
    return (f"not {', '.join(e.lost_codes)}" if e.lost_codes else "all") + neither


def _seen(e: Compared, policy: Policy) -> str:
    """The numbers a person needs, in words."""
    texts = (
        f"{counted(e.better_texts, 'text')} newly right, {e.worse_texts:,} newly wrong (p = {e.p_value:.2g})"
    )
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
        warnings += f" No test row has critical {_listed(unknown)}, so it could not be checked."
    return warnings


def _listed(codes: tuple[str, ...]) -> str:
    """Codes for a sentence, at most five by name."""
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return f"code{'s' if len(codes) > 1 else ''} {', '.join(codes[:5])}{more}"
