"""What needs attention in a month's labels: plain checks on the summary, each with its threshold."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from processing.policy import all_to_review
from processing.words import counted

LABEL_MIX = 0.10  # share of items that would have to move to have last month's mix of codes
CONFIDENCE = 0.15  # the same for the bands of confidence
CHANGED = 0.05  # share of known items whose code is different though their text and the codebook are not
CHANGED_ITEMS = 20
ROWS = 0.25  # more or fewer rows than last month
REJECTED = 0.05  # share of rows that could not be used
UNSEEN = 0.05  # more unseen words than last month, as a share of all words


@dataclass(frozen=True)
class Check:
    """One check, in words.

    Attributes:
        what: what is checked.
        threshold: from where on it needs attention.
        found: what was found.
        message: the sentence for people; None where all is well.
    """

    what: str
    threshold: str
    found: str
    message: str | None


def with_attention(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary (docs/outputs.md) with its `checks` and, of those, what needs `attention`."""
    parts = (_codes, _review, _decisions, _rows, _changes, _drift)
    checks = [check for part in parts for check in part(summary)]
    messages = [check.message for check in checks if check.message]
    return summary | {"checks": [asdict(check) for check in checks], "attention": messages}


def _codes(summary: dict[str, Any]) -> Iterator[Check]:
    new = [code["code"] for code in summary["codes_out_of_reach"] if code["newly_in_force"]]
    found, message = ", ".join(new), None
    if new:
        codes, it = (f"codes {found}", "them") if len(new) > 1 else (f"code {found}", "it")
        message = f"The model cannot predict {codes}, new to it: label some items with {it} and train again."
    yield Check("codes newly in force that the model cannot predict", "one", found or "none", message)


def _review(summary: dict[str, Any]) -> Iterator[Check]:
    plan = summary["review"]
    counts, message = summary["counts"], None
    automatic = counts["labelled"] - counts["decided"]
    if not automatic and counts["review"] > plan["without_code"]:
        message = (
            f"{all_to_review(plan['wanted_precision'])} Train on more rows; until then a review "
            "capacity in the group's policy lets the most certain pass without review."
        )
    yield Check("items labelled without a person", "none", f"{automatic:,}", message)
    message = None
    if plan["let_through"]:
        message = (
            f"{counted(plan['needed'], 'item')} should be reviewed, but the reviewers' capacity is "
            f"{plan['capacity']:,}: {plan['let_through']:,} passed without review. Of the automatic labels "
            f"{plan['expected_precision']:.1%} are expected to be right; the target is "
            f"{plan['wanted_precision']:.1%}."
        )
    passed = f"{plan['let_through']:,}"
    yield Check("items passed without review beyond the reviewers' capacity", "one", passed, message)


def _decisions(summary: dict[str, Any]) -> Iterator[Check]:
    decisions = summary["decisions"]
    if not decisions:
        return
    lost, message = decisions["not_kept"], None
    if lost:
        message = (
            f"{counted(lost, 'decision')} on this month could not be kept, as the item is gone, its text has "
            "changed, the code is not in force, or somebody decided later. decisions.csv says which: decide "
            "again where it matters (labelmill review)."
        )
    yield Check("people's decisions on the month that are not in these labels", "one", f"{lost:,}", message)


def _rows(summary: dict[str, Any]) -> Iterator[Check]:
    counts = summary["counts"]
    rows, rejected = counts["rows"], counts["rejected"]
    many = rejected > REJECTED * rows
    message = f"{rejected:,} of {counted(rows, 'row')} could not be used." if many else None
    found = f"{rejected / max(rows, 1):.1%}"
    yield Check("rows that could not be used", f"over {REJECTED:.0%}", found, message)
    if earlier := summary["earlier"]:
        before = earlier["counts"]["rows"]
        message = None
        if abs(rows - before) > ROWS * before:
            message = f"{counted(rows, 'row')} arrived; in {earlier['period']} it was {before:,}."
            if not rows:
                message = f"The month is empty; {earlier['period']} had {counted(before, 'row')}."
        found = f"{rows:,} after {before:,}"
        yield Check("rows, compared with last month", f"{ROWS:.0%} more or fewer", found, message)


def _changes(summary: dict[str, Any]) -> Iterator[Check]:
    changes = summary["changes"]
    if not changes:
        return
    person, known = changes["not_as_decided"], changes["items_in_both"]
    message = f"Items whose code is not the one a person had decided on: {person:,}." if person else None
    yield Check("items whose code is not the one a person had decided on", "one", f"{person:,}", message)
    unexplained = changes["by_cause"]["model"] + changes["by_cause"]["attributes"]
    many = unexplained >= CHANGED_ITEMS and unexplained > CHANGED * known
    message = f"{unexplained:,} of {known:,} known items changed code with the same text and codebook."
    yield Check(
        "items with a different code that neither text nor codebook explains",
        f"over {CHANGED:.0%}, and {CHANGED_ITEMS} items",
        f"{unexplained:,} of {known:,}",
        message if many else None,
    )


def _drift(summary: dict[str, Any]) -> Iterator[Check]:
    drift = summary["drift"]
    if not drift:
        return
    last = summary["earlier"]["period"]
    for name, what in {"label_mix": "mix of codes", "confidence": "model's confidence"}.items():
        if found := drift[name]:
            message = f"The {what} moved by {found['distance']:.0%} since {last}." if found["alarm"] else None
            yield Check(
                what,
                f"distance over {found['threshold']:.2f}, and over twice what chance would explain",
                f"{found['distance']:.2f}, by chance {found['by_chance']:.2f}",
                message,
            )
    now, before = summary["unseen_words"], summary["earlier"]["unseen_words"]
    if now is not None and before is not None:
        message = f"{now:.0%} of the words are unknown to the model, {before:.0%} before."
        yield Check(
            "unseen words",
            f"{100 * UNSEEN:.0f} points more than last month",
            f"{now:.1%} after {before:.1%}",
            message if now - before > UNSEEN else None,
        )
