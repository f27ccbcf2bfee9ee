"""What without_person.py has found, in sentences: the same in a training's log, a message and on a page."""

from collections.abc import Sequence
from typing import Any

from processing.labels.without_person import LABEL, MERGE, SAME_TEXT
from processing.policy import AUTOMATIC, MONTH

SHOWN = 3


def at_precisions(found: Sequence[dict[str, Any]]) -> str:
    """How much would need no person at each precision, and at best; empty for nothing found."""
    if not found:
        return ""
    shares = [f"{100 * each['share']:.1f} % at {100 * each['precision']:g} %" for each in found]
    best = [f"{100 * each['best']:.1f}" for each in found]
    return f"Without a person: {', '.join(shares)} right (at best {', '.join(best)})."


def confused(found: Sequence[dict[str, Any]], shown: int = SHOWN) -> str:
    """The pairs confused most and what to do about each; empty where there are none."""
    if not found:
        return ""
    pairs = [f"{' and '.join(pair['codes'])} ({pair['rows']:,}): {remedy(pair)}" for pair in found[:shown]]
    return f"Confused most, of {found[0]['of']:,} wrong rows: {'; '.join(pairs)}."


def remedy(pair: dict[str, Any]) -> str:
    """What to do about a pair of codes."""
    if pair["do"] == LABEL:
        return f"label more rows of {' and '.join(pair['few'])}"
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
