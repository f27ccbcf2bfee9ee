"""What without_person.py has found, in sentences: the same in a training's log, a message and on a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from processing.labels.without_person import LABEL, MERGE, SAME_TEXT, needed
from processing.policy import AUTOMATIC, MONTH, Policy

SHOWN = 3


def all_to_review(precision: float) -> str:
    """The warning for a model whose every answer is below its threshold; precision 0 means the default.

    A threshold may well be as precise: what is missing are the rows that would show it.
    """
    precision = precision or Policy.precision
    takes = (
        f"that takes at least {int(needed(precision)):,} different texts without an error, more with errors. "
        "More labelled rows help, or a lower precision in the group's policy."
        if precision < 1
        else "no number of rows shows that. A lower precision in the group's policy helps."
    )
    return (
        f"Every item goes to review: the labelled rows do not show a precision of {100 * precision:g} % at "
        f"any threshold; {takes}"
    )


def at_precisions(found: Sequence[dict[str, Any]]) -> str:
    """How much test rows alone show at each precision, by one threshold; empty for nothing found.

    It says that a policy's thresholds let through something else: they were found on the training's rows,
    which are more, and keep a floor of each code.
    """
    if not found:
        return ""
    best = ", ".join(f"{100 * each['best']:.1f}" for each in found)
    return (
        f"By one threshold, on test rows alone: {_shares(found)} right without a person (at best {best}); "
        "the policy's are by code."
    )


def by_the_policy(found: Sequence[dict[str, Any]]) -> str:
    """How much needs no person at each precision by the rule for thresholds, floors of codes included."""
    return f"Without a person: {_shares(found)} right, the floor of each code kept." if found else ""


def let_through(scored: Mapping[str, Any], precision: float, promise: str) -> str:
    """How much of a test set needs no person by the policy, and how right it is, by figures of scores.py."""
    if not scored["coverage"]:
        return ""
    of = "all labels" if promise == MONTH else "these"
    return (
        f"By the policy ({100 * precision:g} % of {of} right) {100 * scored['coverage']:.1f} % of the test "
        f"rows need no person: {100 * scored['accuracy_of_covered']:.1f} % of these were right, of all with "
        f"people's decisions {100 * scored['right_of_all']:.1f} %."
    )


def _shares(found: Sequence[dict[str, Any]]) -> str:
    return ", ".join(f"{100 * each['share']:.1f} % at {100 * each['precision']:g} %" for each in found)


def confused(found: Sequence[dict[str, Any]], shown: int = SHOWN, doubted_in: str = "") -> str:
    """The pairs confused most and what to do about each; empty where there are none.

    `doubted_in` is the group where many of its labels are likely wrong: then these come first.
    """
    if not found:
        return ""
    pairs = [
        f"{' and '.join(pair['codes'])} ({pair['rows']:,}): {remedy(pair, bool(doubted_in))}"
        for pair in found[:shown]
    ]
    said = f"Confused most, of {found[0]['of']:,} wrong rows: {'; '.join(pairs)}."
    return f"{labels_first(doubted_in)} {said}" if doubted_in else said


def labels_first(group: str) -> str:
    """What to do before anything about codes that are confused, where many labels are likely wrong."""
    return (
        f"Look at the likely wrong labels first (labelmill review labels {group}): codes may be confused "
        "because of them."
    )


def remedy(pair: dict[str, Any], doubted: bool = False) -> str:
    """What to do about a pair of codes; `doubted` where many labels are likely wrong."""
    if pair["do"] == LABEL:
        return f"label more rows of {' and '.join(pair['few'])}"
    if pair["do"] == MERGE and doubted:
        return "if they stay so once labels are put right, merge them or describe the difference in the items"
    if pair["do"] == MERGE:
        return "merge them if nobody needs the difference, else describe it in the items"
    if pair["do"] == SAME_TEXT:
        return "the same text has both: deliver what tells them apart"
    return "describe in the items what tells them apart"


def mostly_another(found: Sequence[dict[str, Any]], shown: int = SHOWN) -> str:
    """The codes whose items mostly get another one; empty where there are none."""
    if not found:
        return ""
    each = [
        f"{of['code']} ({100 * of['right']:.0f} % of {of['rows']:,} right, else {of['given']}"
        + (f", {of['without_person']:,} wrong without a person" if of["without_person"] else "")
        + ")"
        for of in found[:shown]
    ]
    more = f" and {len(found) - shown} more" if len(found) > shown else ""
    return f"Mostly given another code: {', '.join(each)}{more}."


def both(alone: float | None, of_all: float | None, promised: float, promise: str = AUTOMATIC) -> str:
    """How right labels are expected to be, those without a person and all that are published.

    `alone` and `of_all` are shares in [0, 1]; None where there are no labels. `promised` is the policy's
    precision, and `promise` what it is of: AUTOMATIC, the labels without a person, or MONTH, all.
    """
    marks = {
        kind: f" ({100 * promised:g} % promised)" if kind == promise and promised else ""
        for kind in (AUTOMATIC, MONTH)
    }
    first = (
        f"of the labels without a person {100 * alone:.1f} % are expected right{marks[AUTOMATIC]}"
        if alone is not None
        else f"there is no label without a person{marks[AUTOMATIC]}"
    )
    if of_all is None:
        return f"{first[0].upper()}{first[1:]}."
    return (
        f"{first[0].upper()}{first[1:]}; of all published labels, people's decisions counted as right, "
        f"{100 * of_all:.1f} %{marks[MONTH]}."
    )
