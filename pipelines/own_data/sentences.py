"""What a trial has found, in sentences: the same on the terminal and on the page.

Nothing is computed here. What is said of a later model is an estimate, and called one.
"""

from typing import Any

from processing.dataset.split import TEST_SHARE
from processing.labels import advice
from processing.policy import MONTH
from processing.verdict.figures import probability, signed
from processing.words import counted

AGAINST = {
    "PROMOTE": "By the rule for winners it would replace the baseline.",
    "KEEP": "By the rule for winners that is no useful gain over the baseline.",
    "UNDECIDED": "By the rule for winners that is not decided.",
    "REJECT": "By the rule for winners the baseline is the better one.",
}


def sentences(found: dict[str, Any]) -> dict[str, str]:
    """Sentences by what they are of, for what pipelines.own_data.trial found.

    `rows`, `accuracy`, `calibration`, `review`, `advice`, `comparison`, `half`, `needed`; `half` is
    missing where too few rows were left for it.
    """
    said = {
        "rows": _rows(found),
        "accuracy": _accuracy(found),
        "calibration": _calibration(found),
        "review": _review(found),
        "advice": _advice(found),
        "comparison": _comparison(found),
        "half": _half(found),
        "needed": _needed(found),
    }
    return {name: sentence for name, sentence in said.items() if sentence}


def _rows(found: dict[str, Any]) -> str:
    without = found["rows"] - found["labelled"]
    aside = found["labelled"] - found["usable"]
    return (
        f"{counted(found['rows'], 'row')}, {found['labelled']:,} with a code"
        + (f" ({without:,} without are left out)" if without else "")
        + (f", {aside:,} set aside" if aside else "")
        + f"; {counted(found['texts'], 'distinct text')}, {counted(len(found['codes']), 'code')}. "
        f"Tested on {counted(found['test']['rows'], 'row')} of {counted(found['test']['texts'], 'text')} "
        "that no model has learned from."
    )


def _accuracy(found: dict[str, Any]) -> str:
    model = found["model"]
    return (
        f"{_percent(model['accuracy'])} of the held-out rows get the right code, and every row of "
        f"{_percent(model['texts_right'] / found['test']['texts'])} of the texts; the true share of texts "
        f"lies between {_percent(model['accuracy_low'])} and {_percent(model['accuracy_high'])} (exact 95 % "
        "interval). "
        "It holds for items like those of this file, labelled as they are here."
    )


def _calibration(found: dict[str, Any]) -> str:
    ours, baseline = (100 * found[each]["calibration_error"] for each in ("model", "baseline"))
    chance = found["model"]["calibration_error_by_chance"]
    return (
        f"Its confidence is {ours:.1f} points away from the share of right answers, the "
        f"baseline's {baseline:.1f} (expected calibration error). Exact confidences would show "
        f"{100 * chance['mean']:.1f} points on these rows, rarely more than {100 * chance['high']:.1f}."
    )


def _review(found: dict[str, Any]) -> str:
    model, precision = found["model"], found["policy"]["precision"]
    if not model["alone_rows"]:
        return advice.all_to_review(precision)
    right = model["alone_right"] / model["alone_rows"]
    of = "all published labels" if found["policy"]["promise"] == MONTH else "the labels nobody looks at"
    return (
        f"So that {100 * precision:g} % of {of} are right, people would look at "
        f"{_percent(1 - model['coverage'])} of the items. Of the other "
        f"{counted(model['alone_rows'], 'held-out row')} {_percent(right)} were right; with the others "
        f"decided by people, {_percent(model['right_of_all'])} of all."
    )


def _advice(found: dict[str, Any]) -> str:
    model = found["model"]
    return f"{advice.at_precisions(model['at_precisions'])} {advice.confused(model['confused'])}".strip()


def _comparison(found: dict[str, Any]) -> str:
    compared = found["comparison"]
    return (
        f"Against the baseline {counted(compared['better_texts'], 'text')} newly right, "
        f"{compared['worse_texts']:,} newly wrong (exact test, {probability(compared['p_value'])}); accuracy "
        f"{signed(compared['accuracy_difference'])} points, macro-F1 {signed(compared['difference'])}. "
        f"{AGAINST[compared['verdict']]}{_to_decide(found, compared)}"
    )


def _half(found: dict[str, Any]) -> str:
    half = found["half"]
    if not half:
        return ""
    gain = found["model"]["accuracy"] - half["accuracy"]
    decided = {
        "PROMOTE": "a comparison would have shown it",
        "UNDECIDED": "a comparison could not tell that from chance",
        "KEEP": "a comparison would have seen no useful gain",
        "REJECT": "a comparison would have seen a loss",
    }[half["verdict"]]
    return (
        f"With half of the training texts {_percent(half['accuracy'])} are right: the other half brought "
        f"{signed(gain)} points, and {decided}.{_to_decide(found, half)}"
    )


def _to_decide(found: dict[str, Any], compared: dict[str, Any]) -> str:
    """How many labelled rows would tell, where that can be estimated."""
    if compared["texts_to_decide"] is None:
        return ""
    rows = compared["texts_to_decide"] * found["usable"] / found["texts"] / TEST_SHARE
    return f" If it goes on like this, about {float(f'{rows:.2g}'):,.0f} labelled rows would decide it."


def _needed(found: dict[str, Any]) -> str:
    if not found["needed"]:
        return (
            "Less than a point of accuracy is left to gain on these texts: a comparison would hardly show it."
        )
    parts = [
        f"{100 * each['gain']:g} {'point' if each['gain'] == 0.01 else 'points'} better: about "
        f"{counted(each['rows'], 'row')}"
        + (f" ({each['more']:,} more)" if each["more"] else " (there are enough)")
        for each in found["needed"]
    ]
    return (
        f"Labelled rows until a comparison would show, in four of five cases, that a later model is "
        f"{'; '.join(parts)}. An estimate by the exact test alone, if "
        f"{_percent(found['changed'])} of the texts change sides as here, or three for each one gained where "
        "that is more; the other questions of the rule (docs/verdicts.md) may ask for more."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
