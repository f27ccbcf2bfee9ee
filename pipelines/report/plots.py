"""The pictures of the pages."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from scipy.stats import binomtest

from pipelines.report.formats import points
from pipelines.report.svg import COLOURS, STYLE, figure, inline
from processing.verdict.figures import signed

INK, MUTED, LINE, PAPER, NEW, OLD = COLOURS.values()
CODES = 20
CERTAIN = 0.95
ENOUGH = 20  # rows for a point
MARKERS = {"PROMOTE": "o", "KEEP": "s", "UNDECIDED": "D", "REJECT": "v", "WAITS": "P"}
TITLE: dict[str, Any] = {
    "ha": "center",
    "va": "bottom",
    "weight": "bold",
    "bbox": {"facecolor": PAPER, "edgecolor": "none", "pad": 1},
}


@mpl.rc_context(STYLE)
def interval(evidence: dict[str, Any], old: str, new: str, salt: str) -> Markup:
    """The differences in macro-F1 and accuracy with their intervals, against the policy's thresholds.

    They are those of the model called `new` from the one called `old`.
    """
    gain, loss = evidence["policy"]["min_gain"], -evidence["rule"]["tolerated_loss"]
    rows = {
        "macro-F1": (("difference", "low", "high"), gain, "left", f"asked {signed(gain)}"),
        "accuracy": (
            ("accuracy_difference", "accuracy_low", "accuracy_high"),
            loss,
            "right",
            f"tolerated {signed(loss)}",
        ),
    }
    drawn = figure(height=160)
    axes = drawn.add_subplot()
    ends, words = [0, 200 * gain, 200 * loss], []
    for place, (name, (keys, threshold, side, said)) in enumerate(rows.items()):
        middle, low, high = (evidence[key] for key in keys)
        title = f"{name} {signed(middle)}"
        known = f", from {signed(low)} to {signed(high)}" if low is not None else ", no interval"
        words.append(f"{name} {signed(middle)} points{known}")
        middle, low, high = _points(middle, low, high)
        axes.plot([low, high], [place, place], color=NEW, linewidth=3, solid_capstyle="butt")
        axes.plot(middle, place, "o", color=NEW, markersize=8)
        axes.text(middle, place - 0.16, title, **TITLE)
        dashed = [place - 0.2, place + 0.36]
        axes.plot([100 * threshold] * 2, dashed, color=INK, linewidth=1.5, linestyle=(0, (3, 2)))
        axes.annotate(
            said,
            (100 * threshold, place + 0.28),
            xytext=(5 if side == "left" else -5, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            color=MUTED,
            fontsize=10,
        )
        ends += [low, high]
    margin = 0.14 * (max(ends) - min(ends))
    axes.set_xlim(min(ends) - margin, max(ends) + margin)
    axes.set_ylim(len(rows) - 0.5, -0.65)
    axes.axvline(0, color=INK, linewidth=1, zorder=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"{old} better  ←  points  →  {new} better")
    return inline(drawn, f"Differences, {new} minus {old}: {'; '.join(words)}.", salt)


@mpl.rc_context(STYLE)
def calibration(models: Mapping[str, dict[str, Any] | None], rows: int, salt: str) -> Markup:
    """How often each of two models is right at each confidence, and how its confidences are spread.

    A point stands for ENOUGH rows where there are, and has its exact interval (Clopper and Pearson's) at the
    level CERTAIN, as if all rows were independent: so one from few rows shows how little it says.

    `models` are scores by the model's role, the older model first, None where there is none; `rows` is how
    many rows both have labelled.
    """
    drawn = figure(height=330)
    curve, spread = drawn.subplots(2, sharex=True, height_ratios=(3, 1))
    curve.plot([0, 100], [0, 100], color=LINE, linewidth=1)
    words = []
    looks = ((OLD, "s--"), (NEW, "o-"))
    for number, ((role, model), (colour, form)) in enumerate(zip(models.items(), looks, strict=True)):
        if model is None:
            continue
        bins = _joined(model["calibration"])
        confidence, accuracy = ([100 * each[key] for each in bins] for key in ("confidence", "accuracy"))
        curve.plot(confidence, accuracy, form, color=colour, markersize=5, linewidth=1.5, label=role)
        curve.vlines(confidence, *_certain(bins), color=colour, linewidth=1)
        low, counts = ([100 * each[key] for each in model["calibration"]] for key in ("low", "rows"))
        width = 100 * (model["calibration"][0]["high"] - model["calibration"][0]["low"]) / 2
        spread.bar(
            [edge + number * width for edge in low],
            [share / rows for share in counts],
            width=0.9 * width,
            align="edge",
            color=colour,
        )
        words.append(f"calibration error of the {role} {points(model['calibration_error'])} points")
    curve.set_ylabel("right, %")
    curve.set_ylim(-3, 103)
    curve.legend(loc="lower right")  # where the share of right labels is rarely
    spread.set_ylabel("rows, %")
    spread.set_xlabel("confidence, %")
    spread.set_xlim(0, 102)
    label = f"Confidence against the share of right labels: {'; '.join(words)}."
    return inline(drawn, label, "calibration" + salt)


def _joined(bins: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring bins of confidence as one until it has ENOUGH rows; the least sure one may have fewer."""
    joined: list[dict[str, Any]] = []
    for each in reversed(bins):  # most labels are sure: those bins stay as they are
        if joined and (last := joined[-1])["rows"] < ENOUGH:
            rows = last["rows"] + each["rows"]
            means = {
                key: (last[key] * last["rows"] + each[key] * each["rows"]) / rows
                for key in ("confidence", "accuracy")
            }
            joined[-1] = {"rows": rows, **means}
        else:
            joined.append(each)
    return joined[::-1]


def _certain(bins: list[dict[str, Any]]) -> tuple[list[float], list[float]]:
    """Between which bounds the share of right labels is known in each bin, in points."""
    bounds = [
        binomtest(round(each["accuracy"] * each["rows"]), each["rows"]).proportion_ci(CERTAIN, method="exact")
        for each in bins
    ]
    return [100 * each.low for each in bounds], [100 * each.high for each in bounds]


def _points(middle: float, low: float | None, high: float | None) -> tuple[float, float, float]:
    """A difference and its bounds in points; where no interval was trusted they are the difference itself."""
    return 100 * middle, 100 * (middle if low is None else low), 100 * (middle if high is None else high)


@mpl.rc_context(STYLE)
def intervals(evidences: list[dict[str, Any]]) -> Markup:
    """The macro-F1 difference of each comparison with its interval, the largest gain first."""
    ordered = sorted(evidences, key=lambda evidence: evidence["difference"], reverse=True)
    drawn = figure(height=62 + 22 * len(ordered))
    axes = drawn.add_subplot()
    for place, evidence in enumerate(ordered):
        colour = NEW if evidence["verdict"] == "PROMOTE" else MUTED
        middle, low, high = _points(*(evidence[key] for key in ("difference", "low", "high")))
        axes.plot([low, high], [place, place], color=colour, linewidth=3, solid_capstyle="butt")
        axes.plot(middle, place, MARKERS[evidence["verdict"]], color=colour, mec=PAPER, markersize=9)
    axes.axvline(0, color=INK, linewidth=1, zorder=0)
    axes.set_yticks(range(len(ordered)), [evidence["group"] for evidence in ordered], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(ordered) - 0.5, -0.5)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("worse  ←  macro-F1, points  →  better")
    words = [f"{each['group']} {signed(each['difference'])} ({each['verdict']})" for each in ordered]
    return inline(drawn, f"Differences in macro-F1: {'; '.join(words)}.", "intervals")


@mpl.rc_context(STYLE)
def codes(summary: dict[str, Any]) -> Markup:
    """Items by code, this month and the one before, the most frequent codes first."""
    shown = summary["codes"][:CODES]
    months = [(summary["period"], NEW, "items")]
    if summary["earlier"]:
        months.append((summary["earlier"]["period"], OLD, "earlier_items"))
    drawn = figure(height=62 + 24 * len(shown))
    axes = drawn.add_subplot()
    thick = 0.8 / len(months)
    for number, (month, colour, field) in enumerate(months):
        places = [place + (number - (len(months) - 1) / 2) * thick for place in range(len(shown))]
        axes.barh(places, [row[field] for row in shown], height=0.85 * thick, color=colour, label=month)
    axes.set_yticks(range(len(shown)), [row["code"] for row in shown], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", integer=True)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("items")
    axes.legend(loc="lower right")
    words = [f"{row['code']} {row['items']:,}" for row in shown]
    return inline(drawn, f"Items by code in {summary['period']}: {'; '.join(words)}.", summary["run"])
