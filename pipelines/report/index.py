"""The page on all groups in all months: from overview.py to HTML. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from pipelines.report import formats
from pipelines.report.overview import Group
from pipelines.report.pages import VERDICTS, WAITS, render
from pipelines.report.trend import trend

#: The file name of the page.
INDEX = "index.html"
#: On paper the page has so many months, the newest: a sheet has no room for more.
PRINTED = 8
#: A trend line of scores that move less than this does not fill its cell.
LEAST_SPAN = 0.05


def index_page(groups: Sequence[Group], now: datetime, pages: Collection[str] = (), note: str = "") -> str:
    """The page on all groups in all months, a whole HTML document.

    Args:
        groups: as `archive.Archive.index` reads them.
        now: when they were read, with a time zone.
        pages: file names of the pages beside this one: it links to these alone.
        note: what whoever reads the page must know of its data.
    """
    labelled = [month for group in groups for month in group.figures]
    months = _months([*labelled, *(month for group in groups for month in group.verdicts)])
    newest = max(labelled, default=None)
    if not note and any(group.is_synthetic for group in groups):
        note = "Synthetic data: the numbers show that the system works, not how good it is on real items."
    return render(
        "index.html",
        scripts=("sort.js", "filter.js") if months else ("sort.js",),
        groups=[{"about": group, "trends": _trends(group, months)} for group in groups],
        months=months[::-1],
        newest=newest,
        counts=Counter(
            group.verdicts[newest].verdict for group in groups if newest and newest in group.verdicts
        ),
        concerning=[group for group in groups if group.attention and newest in group.figures],
        verdicts=(*VERDICTS, WAITS),
        now=now.astimezone(UTC).isoformat(),
        pages=pages,
        printed=PRINTED,
        note=note,
    )


def _months(found: Iterable[str]) -> list[str]:
    """All months from the first to the last of those found, without a gap."""
    numbers = [int(year) * 12 + int(month) - 1 for year, month in (each.split("-") for each in found)]
    ends = range(min(numbers), max(numbers) + 1) if numbers else ()
    return [f"{number // 12}-{number % 12 + 1:02}" for number in ends]


def _trends(group: Group, months: Sequence[str]) -> list[dict[str, Any]]:
    """Of each figure its newest value, the same in words, and its trend line."""
    labels = [group.figures.get(month) for month in months]
    scores = [group.verdicts[month].score if month in group.verdicts else None for month in months]
    unsure = [each.unsure if each else None for each in labels]
    rows = [float(each.rows) if each else None for each in labels]
    drifts = [each.drift if each else None for each in labels]
    columns = (
        ("score", formats.points, scores, LEAST_SPAN),
        ("unsure, %", formats.points, unsure, 0),
        ("rows", _whole, rows, 0),
        ("drift, %", formats.points, drifts, 0),
    )
    trends = []
    for name, said, values, least_span in columns:
        known = [(month, value) for month, value in zip(months, values, strict=True) if value is not None]
        ends = [f"{said(value)} in {month}" for month, value in (*known[:1], *known[-1:])]
        newest = known[-1][1] if known else None
        label = f"{group.name}, {name}: {' to '.join(ends) or 'none'}"
        trends.append({"value": newest, "said": said(newest), "line": trend(values, label, least_span)})
    return trends


def _whole(value: float | None) -> str:
    return formats.count(None if value is None else int(value))
