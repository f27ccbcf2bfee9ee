"""Pages as files, written next to one another so that their links work."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.report.archive import Archive
from pipelines.report.index import INDEX, index_page
from pipelines.report.pages import (
    Up,
    comparison_page,
    labels_page,
    labels_page_name,
    models_page,
    models_page_name,
    page_name,
    period_page,
)

ALL = "All months"


def write_comparison(archive: Archive, run: str, folder: Path) -> Path:
    """Write the page of one comparison into `folder` and return its path. Raises ReportError."""
    evidence, lineage = archive.comparison(run)
    return _write(
        folder / page_name(run), comparison_page(evidence, lineage, _up(folder, evidence["period"]))
    )


def write_labels(archive: Archive, group: str, period: str, folder: Path) -> Path:
    """Write the page of a month's labels into `folder` and return its path. Raises ReportError."""
    page = labels_page(archive.labels(group, period), _up(folder, period))
    return _write(folder / labels_page_name(group, period), page)


def write_period(archive: Archive, period: str, folder: Path, answer: str = "") -> Path:
    """Write the page of a period, those of its comparisons and labels, and the index; return the first.

    `answer` says whether the month is done, what needs a person, and by when. Raises ReportError.
    """
    comparisons, groups, winners, labels = archive.period(period)
    above: Up = [(INDEX, ALL)]
    up: Up = [*above, (page_name(period), period)]
    for evidence, lineage in comparisons:
        _write(folder / page_name(evidence["run"]), comparison_page(evidence, lineage, up))
    for month in labels:
        name = labels_page_name(month["summary"]["group"], period)
        _write(folder / name, labels_page(month, up))
    page = period_page(period, comparisons, groups, winners, labels, answer, above)
    path = _write(folder / page_name(period), page)
    write_index(archive, folder)
    return path


def write_models(found: dict[str, Any], lineage: dict[str, Any], said: Sequence[str], folder: Path) -> Path:
    """Write the page of any two models (`models_page`) into `folder` and return its path."""
    path = folder / models_page_name(found["winner"]["model"], found["challenger"]["model"])
    return _write(path, models_page(found, lineage, said, _up(folder, found["period"])))


def write_index(archive: Archive, folder: Path) -> Path:
    """Write the page on all groups in all months and return its path; it links to the pages in `folder`.

    Raises ReportError.
    """
    pages = {path.name for path in folder.glob("*.html")}
    return _write(folder / INDEX, index_page(archive.index(), datetime.now(UTC), pages))


def _up(folder: Path, period: str) -> Up:
    """The pages above those of a period that are in the folder already."""
    above = ((INDEX, ALL), (page_name(period), period))
    return [(name, text) for name, text in above if (folder / name).exists()]


def _write(path: Path, page: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
