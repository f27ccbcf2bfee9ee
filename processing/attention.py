"""What people must be told of a month's labels: plain thresholds on the summary, a sentence for each."""

from collections.abc import Iterator

LABEL_MIX = 0.10  # share of items that would have to move to have last month's mix of codes
CONFIDENCE = 0.15  # the same for the bands of confidence
CHANGED = 0.05  # share of known items whose code is another though neither their text nor the codebook is
CHANGED_ITEMS = 20
ROWS = 0.25  # more or fewer rows than last month
REJECTED = 0.05  # share of rows that could not be used
UNSEEN = 0.05  # more unseen words than last month, as a share of all words


def sentences(summary: dict) -> list[str]:
    """What needs attention in a summary (docs/outputs.md), the gravest first; empty when nothing does."""
    return [*_codes(summary), *_review(summary), *_rows(summary), *_changes(summary), *_drift(summary)]


def _codes(summary: dict) -> Iterator[str]:
    new = [code["code"] for code in summary["codes_out_of_reach"] if code["newly_in_force"]]
    if new:
        yield (
            f"The model cannot give {'codes' if len(new) > 1 else 'code'} {', '.join(new)}, new since it was "
            "trained: label some items so and train again."
        )


def _review(summary: dict) -> Iterator[str]:
    plan = summary["review"]
    if plan["let_through"]:
        yield (
            f"{plan['needed']} items need a look, reviewers' capacity is {plan['capacity']}: "
            f"{plan['let_through']} were let through, and {plan['expected_precision']:.1%} of the automatic "
            f"labels are expected to be right, wanted are {plan['wanted_precision']:.1%}."
        )


def _rows(summary: dict) -> Iterator[str]:
    counts, before = summary["counts"], summary["earlier"] and summary["earlier"]["counts"]
    if counts["rejected"] > REJECTED * counts["rows"]:
        yield f"{counts['rejected']} of {counts['rows']} rows could not be used."
    if before and abs(counts["rows"] - before["rows"]) > ROWS * before["rows"]:
        yield f"{counts['rows']} rows came, {before['rows']} in {summary['earlier']['period']}."


def _changes(summary: dict) -> Iterator[str]:
    changes = summary["changes"]
    if not changes:
        return
    person = changes["by_cause"]["person"]
    if person:
        yield f"{person} items have another code than a person had decided on."
    unexplained = changes["by_cause"]["model"] + changes["by_cause"]["attributes"]
    if unexplained >= CHANGED_ITEMS and unexplained > CHANGED * changes["items_in_both"]:
        yield (
            f"{unexplained} of {changes['items_in_both']} known items have another code, "
            "with the same text and codebook."
        )


def _drift(summary: dict) -> Iterator[str]:
    drift = summary["drift"]
    if not drift:
        return
    for name, what in {"label_mix": "mix of codes", "confidence": "model's confidence"}.items():
        if drift[name] and drift[name]["alarm"]:
            yield f"The {what} moved by {drift[name]['distance']:.0%} since {summary['earlier']['period']}."
    now, before = summary["unseen_words"], summary["earlier"]["unseen_words"]
    if now is not None and before is not None and now - before > UNSEEN:
        yield f"{now:.0%} of the words are unknown to the model, {before:.0%} before."
