"""Pages and workbooks as files; pages are written next to one another so that their links work."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.report import label_workbook
from pipelines.report.archive import Archive
from pipelines.report.pages import comparison_page, labels_page, labels_page_name, page_name, period_page


def write_comparison(archive: Archive, run: str, folder: Path) -> Path:
    """Write the page of one comparison into `folder` and return its path. Raises ReportError."""
    return _write(folder / page_name(run), comparison_page(*archive.comparison(run)))


def write_labels(archive: Archive, group: str, period: str, folder: Path) -> Path:
    """Write the page of a month's labels into `folder` and return its path. Raises ReportError."""
    return _write(folder / labels_page_name(group, period), labels_page(archive.labels(group, period)))


def write_period(archive: Archive, period: str, folder: Path) -> Path:
    """Write the page of a period and those of its comparisons and labels; return the former.

    Raises ReportError.
    """
    comparisons, groups, winners, labels = archive.period(period)
    for evidence, lineage in comparisons:
        _write(folder / page_name(evidence["run"]), comparison_page(evidence, lineage))
    for month in labels:
        name = labels_page_name(month["summary"]["group"], period)
        _write(folder / name, labels_page(month))
    return _write(folder / page_name(period), period_page(period, comparisons, groups, winners, labels))


def write_workbook(archive: Archive, group: str, period: str, run: str | None, path: Path) -> Path:
    """Write the workbook of a month's labels, or of those that one `run` made, to `path`, and return that.

    Raises Refused.
    """
    with TemporaryDirectory() as scratch:
        label_workbook.write(path, archive.labelled_items(group, period, run, Path(scratch)))
    return path


def _write(path: Path, page: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path
