"""What people must be told of a month's labels: plain checks on the summary, each with its threshold."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from processing.policy import all_to_review

LABEL_MIX = 0.10  # share of items that would have to move to have last month's mix of codes
CONFIDENCE = 0.15  # the same for the bands of confidence
CHANGED = 0.05  # share of known items whose code is another though neither their text nor the codebook is
CHANGED_ITEMS = 20
ROWS = 0.25  # more or fewer rows than last month
REJECTED = 0.05  # share of rows that could not be used
UNSEEN = 0.05  # more unseen words than last month, as a share of all words


@dataclass(frozen=True)
class Check:
    """One thing that is looked at, in words.

    Attributes:
        what: what is looked at.
        threshold: what would need attention.
        found: what was found.
        told: the sentence for people; None where all is well.
    """

    what: str
    threshold: str
    found: str
    told: str | None


def judged(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary (docs/outputs.md) with its `checks` and, of those, what needs `attention`."""
    looked_at = (_codes, _review, _decisions, _rows, _changes, _drift)
    checks = [check for look in looked_at for check in look(summary)]
    told = [check.told for check in checks if check.told]
    return summary | {"checks": [asdict(check) for check in checks], "attention": told}


def _codes(summary: dict[str, Any]) -> Iterator[Check]:
    new = [code["code"] for code in summary["codes_out_of_reach"] if code["newly_in_force"]]
    found, told = ", ".join(new), None
    if new:
        codes = f"{'codes' if len(new) > 1 else 'code'} {found}"
        told = f"The model cannot give {codes}, new to it: label some items so and train again."
    yield Check("codes newly in force that the model cannot give", "one", found or "none", told)


def _review(summary: dict[str, Any]) -> Iterator[Check]:
    plan = summary["review"]
    counts, told = summary["counts"], None
    if not counts["labelled"] and counts["review"] > plan["without_code"]:
        told = (
            f"{all_to_review(plan['wanted_precision'])} Train on more rows; until then a review "
            "capacity in the group's policy lets the surest through."
        )
    yield Check("items labelled without a person", "none", f"{counts['labelled']:,}", told)
    told = None
    if plan["let_through"]:
        told = (
            f"{plan['needed']} items need a look, reviewers' capacity is {plan['capacity']}: "
            f"{plan['let_through']} were let through, and {plan['expected_precision']:.1%} of the automatic "
            f"labels are expected to be right, wanted are {plan['wanted_precision']:.1%}."
        )
    yield Check("items let through beyond the reviewers' capacity", "one", f"{plan['let_through']:,}", told)


def _decisions(summary: dict[str, Any]) -> Iterator[Check]:
    decisions = summary.get("decisions")  # labels to amend may be from before this was looked at
    if not decisions:
        return
    lost, told = decisions["not_kept"], None
    if lost:
        told = (
            f"{lost} decisions of people on an earlier version of this month are not in this one, as the "
            "item's text is another or the code is not in force: decide again (labelmill review)."
        )
    yield Check("decisions on an earlier version that are not in this one", "one", f"{lost:,}", told)


def _rows(summary: dict[str, Any]) -> Iterator[Check]:
    counts = summary["counts"]
    rows, rejected = counts["rows"], counts["rejected"]
    told = f"{rejected} of {rows} rows could not be used." if rejected > REJECTED * rows else None
    yield Check("rows that could not be used", f"over {REJECTED:.0%}", f"{rejected / max(rows, 1):.1%}", told)
    if earlier := summary["earlier"]:
        before = earlier["counts"]["rows"]
        other = abs(rows - before) > ROWS * before
        told = f"{rows} rows came, {before} in {earlier['period']}." if other else None
        found = f"{rows:,} after {before:,}"
        yield Check("rows, compared with last month", f"{ROWS:.0%} more or fewer", found, told)


def _changes(summary: dict[str, Any]) -> Iterator[Check]:
    changes = summary["changes"]
    if not changes:
        return
    person, known = changes["by_cause"]["person"], changes["items_in_both"]
    told = f"{person} items have another code than a person had decided on." if person else None
    yield Check("items with another code than a person had decided on", "one", f"{person:,}", told)
    unexplained = changes["by_cause"]["model"] + changes["by_cause"]["attributes"]
    many = unexplained >= CHANGED_ITEMS and unexplained > CHANGED * known
    told = f"{unexplained} of {known} known items have another code, with the same text and codebook."
    yield Check(
        "items with another code that neither text nor codebook explains",
        f"over {CHANGED:.0%}, and {CHANGED_ITEMS} items",
        f"{unexplained:,} of {known:,}",
        told if many else None,
    )


def _drift(summary: dict[str, Any]) -> Iterator[Check]:
    drift = summary["drift"]
    if not drift:
        return
    last = summary["earlier"]["period"]
    for name, what in {"label_mix": "mix of codes", "confidence": "model's confidence"}.items():
        if found := drift[name]:
            told = f"The {what} moved by {found['distance']:.0%} since {last}." if found["alarm"] else None
            yield Check(
                what,
                f"distance over {found['threshold']:.2f}, and over twice what chance makes one expect",
                f"{found['distance']:.2f}, by chance {found['by_chance']:.2f}",
                told,
            )
    now, before = summary["unseen_words"], summary["earlier"]["unseen_words"]
    if now is not None and before is not None:
        told = f"{now:.0%} of the words are unknown to the model, {before:.0%} before."
        yield Check(
            "unseen words",
            f"{100 * UNSEEN:.0f} points more than last month",
            f"{now:.1%} after {before:.1%}",
            told if now - before > UNSEEN else None,
        )
