"""Whether a newly trained model replaces the winner: the questions of the rule, and the verdict they lead to.

The rule in words, its error rates and how to set the policy: docs/verdicts.md. What the questions are asked
of: evidence.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from processing.arrays import Booleans, Texts
from processing.dataset.split import TEST_SHARE
from processing.policy import MONTH, Policy
from processing.verdict.automatic import Automatic, automatic
from processing.verdict.evidence import Compared, Evidence, compare, macro_f1
from processing.verdict.figures import probability, signed
from processing.verdict.mcnemar import texts_needed
from processing.words import counted

TOLERATED_LOSS = 0.005  # of accuracy; the interval must rule out a greater one
RARER_LEVEL = 0.3  # one-sided; strict, since few rows have the rarer codes and a loss there is hard to see
MIN_DISCORDANT = 30  # with fewer discordant texts a percentile interval is too short to show a gain or a loss
TOLERATED_REVIEW = 0.1  # of the rows: one model may leave so many more to people than the other
REVIEW_LEVEL = 0.05  # one-sided; a smaller difference in labels without a person may be chance

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
        asks: whether a person must approve the promotion, whatever the policy says.
    """

    verdict: str
    reason: str
    questions: tuple[Question, ...]
    asks: bool = False


def decide(
    truth: Texts,
    challenger: Texts,
    winner: Texts | None,
    text_key: Texts,
    policy: Policy,
    *,
    alone: tuple[Booleans, Booleans] | None = None,
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
        alone: rows that challenger and winner label without a person, shape (n_rows,) each; None: not known.
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
        by_winner = rows["winner"]
        found |= compare(truth, challenger, by_winner, text, critical, policy.level, policy.min_rows)
        if alone is not None:
            right = challenger == truth, by_winner == truth
            found["automatic"] = automatic(*right, *alone, text, policy.precision, policy.promise)
        evidence = Compared(**found)
    rule = [] if winner is None else list(_rule(evidence, policy))
    verdict, reason = FIRST if winner is None else _first_no(rule, evidence, policy)
    return Verdict(
        verdict=verdict,
        asks=verdict == "PROMOTE" and any(question.passed is False for question, _, _ in rule),
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
    few = e.distinct_texts < policy.min_rows
    yield (
        Question(
            question="Are there test rows?",
            asked=f"1 or more; with fewer than {policy.min_rows:,} distinct texts only exact tests count",
            found=counted(e.distinct_texts, "distinct text"),
            passed=isinstance(e, Compared),
        ),
        "UNDECIDED",
        "No test row, so nothing is known. The winner stays.",
    )
    if not isinstance(e, Compared):  # there is no test row
        return
    seen = _seen(e, policy)
    # People's time is a gain too, as long as the model is otherwise as good.
    spares = e.automatic is not None and _much_gained(e.automatic) and e.difference >= -policy.min_gain
    useful = e.difference >= policy.min_gain and e.difference > 0
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
    below = enough and e.high is not None and e.high < 0
    above = enough and e.low is not None and e.low > 0
    changed = f"{better:,} right, {worse:,} wrong, {probability(e.p_value)}"
    no_loss, gain = f"no net loss with {level}", f"net gain with {level}"
    shown = (significant and better > worse) or above
    if not few:
        changed += f"; {signed(e.low)} to {signed(e.high)}"
        no_loss += ", interval not below 0"
        gain += f", or interval above 0 with {MIN_DISCORDANT} changed texts"
    yield (
        Question(
            question="Is it not significantly worse overall?",
            asked=no_loss,
            found=changed,
            passed=not ((significant and worse > better) or below),
        ),
        "REJECT",
        f"The challenger is significantly worse: {seen}.",
    )
    yield (
        Question(
            question="Is the gain in macro-F1 useful?",
            asked=f"{signed(policy.min_gain)} points or more; no such loss if much less is left to people",
            found=f"{signed(e.difference)} points" + (", much less left to people" if spares else ""),
            passed=useful or spares,
        ),
        "KEEP",
        f"No useful gain in macro-F1 (required: {signed(policy.min_gain)} points): {seen}.",
    )
    yield (
        Question(
            question="Is the gain more than chance?",
            asked=f"{gain}, or much less left to people",
            found=changed,
            passed=shown or spares,
        ),
        "UNDECIDED",
        f"The gain may be chance with so few rows: {seen}. The winner stays.{_would_decide(e, policy)}",
    )
    yield (
        Question(
            question="Is a loss of accuracy ruled out?",
            asked=f"interval above {signed(-TOLERATED_LOSS)}, as is what was measured",
            found=f"{signed(e.accuracy_low)} to {signed(e.accuracy_high)}, {signed(e.accuracy_difference)}",
            passed=min(e.accuracy_low, e.accuracy_difference) > -TOLERATED_LOSS,
        ),
        "UNDECIDED",
        f"The gain may cost half a point of accuracy: {seen}. The winner stays.",
    )
    rarer = f"{counted(e.rarer_better, 'text')} newly right, {e.rarer_worse:,} newly wrong"
    cost = f"it may be at the cost of the rarer half of the codes ({rarer})"
    # Hardly any of few texts has a rarer code, and a test there would not see a loss.
    more_right = e.rarer_better > e.rarer_worse or not e.rarer_texts
    as_many = spares and e.rarer_better == e.rarer_worse
    yield (
        Question(
            question="Do the rarer codes not pay for it?",
            asked="more right than wrong" if few else f"one-sided p above {RARER_LEVEL:g}",
            found=f"{e.rarer_better:,} right, {e.rarer_worse:,} wrong, {probability(e.rarer_p_value)}",
            passed=more_right or as_many if few else e.rarer_p_value > RARER_LEVEL,
        ),
        "UNDECIDED",
        f"Better overall, but {cost}. All codes: {seen}. The winner stays.",
    )
    labelled, only_spares = _labelled(e.automatic, policy), spares and not (useful and shown)
    much = f"more than {100 * TOLERATED_REVIEW:g} points or of all, with p ≤ {REVIEW_LEVEL:g}"
    yield (
        Question(
            question="Is about as much labelled without a person?",
            asked=f"no loss of {much}, nor such a gain that is the only one",
            found=labelled,
            passed=None if e.automatic is None else not (_much_lost(e.automatic) or only_spares),
        ),
        "PROMOTE",
        (
            "As good, and it would label much more without a person, so a person must approve: "
            if only_spares
            else "Better, but it would label much less without a person, so a person must approve: "
        )
        + f"{labelled}. All codes: {seen}.",
    )


def _first_no(rule: list[tuple[Question, str, str]], e: Evidence, policy: Policy) -> tuple[str, str]:
    """Verdict and reason of the first question answered with no; a promotion where there is none."""
    for question, verdict, reason in rule:
        if question.passed is False:
            return verdict, reason
    assert isinstance(e, Compared)  # else there are too few test rows
    return "PROMOTE", f"The challenger is better: {_seen(e, policy)}."


def _much_lost(a: Automatic) -> bool:
    """Whether the challenger leaves much more to people, or everything, and that is no chance."""
    return a.p_value <= REVIEW_LEVEL and (a.lost > TOLERATED_REVIEW or a.lost == a.winner_share)


def _much_gained(a: Automatic) -> bool:
    """Whether the challenger leaves much less to people, and that is no chance."""
    return a.gain_p_value <= REVIEW_LEVEL and -a.lost > TOLERATED_REVIEW


def _labelled(a: Automatic | None, policy: Policy) -> str:
    """What users get from the winner and from the challenger."""
    if a is None:
        return "not known"
    shares = (
        ("winner", a.winner_share, a.winner_right, a.winner_broken),
        ("challenger", a.share, a.right, a.broken),
    )
    words = [
        f"{name} {100 * share:.1f} %"
        + (
            ""
            if right is None
            else f" ({100 * right:.1f} % right{', too few' if broken else ''}, of all "
            f"{100 * (1 - share * (1 - right)):.1f} %)"
        )
        for name, share, right, broken in shares
    ]
    of = " of all published" if policy.promise == MONTH else ""
    return f"{', '.join(words)}; promised {100 * policy.precision:g} % right{of}"


def _would_decide(e: Compared, policy: Policy) -> str:
    """How many labelled rows it would take to tell, where that can be estimated."""
    texts = texts_needed(e.better_texts, e.worse_texts, e.distinct_texts, policy.level)
    if texts is None:
        return ""
    rows = e.rows / e.distinct_texts / TEST_SHARE
    return (
        f" If it goes on like this, about {_rounded(texts * rows)} labelled rows would decide it "
        f"(now about {_rounded(e.distinct_texts * rows)})."
    )


def _rounded(rows: float) -> str:
    """An estimate in words, to two digits."""
    return f"{float(f'{rows:.2g}'):,.0f}"


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
    scores = f"accuracy {100 * e.accuracy_difference:+.1f} points, macro-F1 {100 * e.difference:+.1f} points"
    if e.low is None or e.high is None:
        return f"{texts}; {scores}"
    interval = f"{100 * (1 - policy.level):g} % interval {100 * e.low:+.1f} to {100 * e.high:+.1f}"
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
