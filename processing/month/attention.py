"""What needs attention in a month's labels: plain checks on the summary, each with its threshold.

Most are about a state. Such a state is told once; again when it had gone, is GREW times as bad or another.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from processing.labels import advice, audit
from processing.month.drift import MONTHLY
from processing.words import counted

LABEL_MIX = 0.10  # share of items that would have to move to have last month's mix of codes
LABEL_MIX_SINCE = 0.15  # the same for that of the model's first month: seasons move it
CONFIDENCE = 0.15  # the same for the bands of confidence, in any month of the model
CHANGED = 0.05  # share of known items whose code is different though their text and the codebook are not
CHANGED_ITEMS = 20
ROWS = 0.25  # more or fewer rows than last month
REJECTED = 0.05  # share of rows that could not be used
REJECTED_ROWS = 3
GREW = 2
LABEL_OR_MERGE = (
    "Label more items of such a code, or merge it with the other where nobody needs the difference."
)


@dataclass(frozen=True)
class Share:
    """A share whose rise is looked for (`drift.rise`).

    Attributes:
        points: the rise from where on it needs attention, in [0, 1].
        monthly: how much it moves without drift.
        of: the figure of history.py that says how much it is a share of.
        each: how many independent parts each of these has.
    """

    points: float
    monthly: float = MONTHLY
    of: str = "items"
    each: int = 1

    def count(self, month: dict[str, Any]) -> int:
        """Of how many parts the month's share is one."""
        return self.each * int(month[self.of])


RISES = {
    "review": Share(0.05),
    "unseen_words": Share(0.05, MONTHLY / 2, each=10),  # a text has about so many words and n-grams apart
    "rejected": Share(0.03, of="rows"),
}


@dataclass(frozen=True)
class Check:
    """One check, in words.

    Attributes:
        what: what is checked.
        threshold: from where on it needs attention.
        found: what was found.
        message: the sentence for people; None where there is nothing to tell, or it has been told.
        size: how bad a state is, or what it is made of; None where each month's finding is a new one.
        since: the month since when it needs attention; None where it does not.
    """

    what: str
    threshold: str
    found: str
    message: str | None
    size: float | str | None = None
    since: str | None = None


def with_attention(summary: dict[str, Any]) -> dict[str, Any]:
    """The summary (docs/outputs.md) with its `checks` and, of those, what needs `attention`.

    Of what its history says still stands (`standing`), it takes up the last month's and writes its own.
    """
    parts = (_codes, _review, _another, _reliability, _audit, _decisions, _rows, _changes, _mixes, _rises)
    checks = [check for part in parts for check in part(summary)]
    *earlier, own = summary["history"]
    stood = earlier[-1]["standing"] if earlier else {}
    checks = [_once(check, stood.get(check.what), own["period"]) for check in checks]
    unchecked = stood.keys() - {check.what for check in checks}
    standing = {what: stood[what] for what in sorted(unchecked)} | {
        check.what: {"since": check.since, "size": check.size if check.message else stood[check.what]["size"]}
        for check in checks
        if check.size is not None and check.since
    }
    return summary | {
        "history": [*earlier, own | {"standing": standing}],
        "checks": [asdict(check) for check in checks],
        "attention": [check.message for check in checks if check.message],
    }


def _once(check: Check, stood: dict[str, Any] | None, period: str) -> Check:
    """The check with `since`, and without its message where that has been told and is not much worse now."""
    if not check.message:
        return check
    if check.size is None or not stood:
        return replace(check, since=period)
    told = check.size == stood["size"]
    if not isinstance(check.size, str):
        told = check.size < GREW * stood["size"]
    return replace(check, since=stood["since"], message=None if told else check.message)


def _codes(summary: dict[str, Any]) -> Iterator[Check]:
    new = [code["code"] for code in summary["codes_out_of_reach"] if code["newly_in_force"]]
    found, message = ", ".join(new), None
    if new:
        codes, it = (f"codes {found}", "them") if len(new) > 1 else (f"code {found}", "it")
        message = f"The model cannot predict {codes}, new to it: label some items with {it} and train again."
    what = "codes newly in force that the model cannot predict"
    yield Check(what, "one", found or "none", message, found)


def _review(summary: dict[str, Any]) -> Iterator[Check]:
    plan = summary["review"]
    message, doubted = None, plan["reliability"] and plan["reliability"]["sent_to_review"]
    if not plan["automatic"] and not doubted and plan["needed"] > plan["without_code"]:
        test = summary.get("test") or {"at_precisions": (), "confused": ()}
        said = (
            advice.all_to_review(plan["wanted_precision"]),
            advice.at_precisions(test["at_precisions"]),
            advice.confused(
                test["confused"], doubted_in=summary["group"] if test.get("labels_doubted") else ""
            ),
            "A review capacity there lets the surest pass as well.",
        )
        message = " ".join(filter(None, said))
    yield Check("items labelled without a person", "none", f"{plan['automatic']:,}", message, 1)
    message = None
    if plan["let_through"]:
        message = (
            f"{counted(plan['needed'], 'item')} should be reviewed, but the reviewers' capacity is "
            f"{plan['capacity']:,}: {plan['let_through']:,} passed without review. Of the automatic labels "
            f"{plan['expected_precision']:.1%} are expected to be right; the target is "
            f"{plan['wanted_precision']:.1%}."
        )
    what, passed = "items passed without review beyond the reviewers' capacity", plan["let_through"]
    yield Check(what, "one", f"{passed:,}", message, passed)


def _another(summary: dict[str, Any]) -> Iterator[Check]:
    if not (test := summary.get("test")):  # nor has a summary from before it was there
        return
    found = test["mostly_another"]
    # What a person sees anyway is no cause for alarm.
    unseen = any(of["without_person"] for of in found)
    yield Check(
        "codes whose items mostly get another code, by the last comparison's test",
        "one, and a wrong row that needs no person",
        ", ".join(f"{of['code']} (else {of['given']})" for of in found) or "none",
        f"{advice.mostly_another(found)} {LABEL_OR_MERGE}" if unseen else None,
        ", ".join(of["code"] for of in found),
    )


def _reliability(summary: dict[str, Any]) -> Iterator[Check]:
    plan = summary["review"]
    found, message = plan["reliability"], None
    if not found:
        return
    promised = audit.promise(summary)
    if found["worse_than_said"] and found["right"] < promised:
        came = f" that came since {found['since']} and" if found["since"] else " that"
        message = (
            f"Of {found['tested']:,} tested texts{came} need no person the model had {found['wrong']:,} "
            f"wrong where it expected {found['expected_wrong']:.1f}: of this month's labels "
            f"{found['right']:.1%} would be right ({found['at_least']:.1%} at least), "
            f"{promised:.1%} are promised. So "
            f"{counted(found['sent_to_review'], 'more item')} went to review, and such will until a better "
            "model is the winner."
        )
    yield Check(
        "labels without a person that would be right, by the last comparison's test",
        "fewer than promised, and more wrong than the model expects",
        f"{found['right']:.1%}, {found['at_least']:.1%} at least; {found['wrong']:,} of {found['tested']:,} "
        f"tested were wrong, {found['expected_wrong']:.1f} expected",
        message,
        round(1 - found["right"], 4),
    )


def _audit(summary: dict[str, Any]) -> Iterator[Check]:
    if not (audited := summary.get("audit")):
        return
    found = f"{audited['at_least']:.1%} to {audited['at_most']:.1%}"
    if pooled := audited["pooled"]:
        found += f"; {pooled['at_least']:.1%} to {pooled['at_most']:.1%} with the months before"
    yield Check(
        "labels without a person that are right, by a blind sample",
        "the whole interval below what is promised",
        found,
        audit.in_words(audited) if audited["refuted"] else None,
    )


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
    rise = (summary["drift"] or {}).get("rejected")
    many = rejected > REJECTED * rows or (rise and rise["alarm"])
    message = None
    if many and rejected >= REJECTED_ROWS:
        message = f"{rejected:,} of {counted(rows, 'row')} could not be used."
    share = rejected / max(rows, 1)
    found = _found(share, rise) if rise else f"{share:.1%}"
    threshold = f"{REJECTED_ROWS} rows, and over {REJECTED:.0%} or {_points('rejected')}"
    yield Check("rows that could not be used", threshold, found, message, share)
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


def _mixes(summary: dict[str, Any]) -> Iterator[Check]:
    """Mixes against last month's and against those of the first month that the model labelled."""
    drift = summary["drift"]
    if not drift:
        return
    thresholds = {
        "label_mix": (
            "mix of codes",
            f"{LABEL_MIX:.2f} from last month's, {LABEL_MIX_SINCE:.2f} from that of ",
        ),
        "confidence": ("model's confidence", f"{CONFIDENCE:.2f} from last month's or that of "),
    }
    for name, (what, over) in thresholds.items():
        found = [one for one in drift[name] if one]
        if not found:
            continue
        moved = [one for one in found if one["alarm"]]
        since = " and ".join(f"by {one['distance']:.0%} since {one['period']}" for one in moved)
        yield Check(
            what,
            f"distance over {over}the model's first month, and over what chance explains",
            "; ".join(
                f"{one['distance']:.2f} from {one['period']}, by chance at most {one['limit']:.2f}"
                for one in found
            ),
            f"The {what} moved {since}." if moved else None,
            max((one["distance"] for one in moved), default=0),
        )


def _rises(summary: dict[str, Any]) -> Iterator[Check]:
    for name, (what, sentence) in {
        # Not all of them are to be reviewed: people may have decided on some.
        "review": (
            "items the model is not sure enough of",
            "The model is not sure enough of {} of the items",
        ),
        "unseen_words": ("unseen words", "{} of the words are unknown to the model"),
    }.items():
        if found := (summary["drift"] or {}).get(name):
            now = summary["history"][-1][name]
            rise = (
                f"{sentence.format(f'{now:.0%}')}, {found['before']:.0%} in {found['months']}."
                if found["alarm"]
                else None
            )
            yield Check(what, _points(name), _found(now, found), rise, found["rise"])


def _points(name: str) -> str:
    return f"{100 * RISES[name].points:.0f} points above other months of a year, and not by chance"


def _found(now: float, found: dict[str, Any]) -> str:
    before = f"; {found['before']:.1%} in {found['months']}" if found["months"] else ""
    return f"{now:.1%} after {found['last_month']:.1%}{before}"
