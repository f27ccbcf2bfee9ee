"""Self-contained pages for people: on a comparison, a month's labels, a period, a dataset, a trial.

Nothing is decided here: verdicts are processing/verdict's, summaries processing/month's. The commands are
../commands/report.py, check.py and try_file.py. Read archive.py, then pages.py.

    archive.py  what a page is made of, from ledger and buckets
    pages.py    from that to HTML
    templates/  the pages' templates, style and script
    plots.py    the pictures
    svg.py      Matplotlib figures as inline SVG
    formats.py  numbers as the pages show them
    terms.py    names of scores and outcomes
    files.py    pages as files that link to one another
"""

from pipelines.report.pages import (
    check_page,
    comparison_page,
    labels_page,
    labels_page_name,
    page_name,
    period_page,
    trial_page,
)

__all__ = [
    "check_page",
    "comparison_page",
    "labels_page",
    "labels_page_name",
    "page_name",
    "period_page",
    "trial_page",
]
