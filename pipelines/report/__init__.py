"""Self-contained pages for people: on comparisons, labels, a period, all periods, a dataset, a trial.

Nothing is decided here: verdicts are processing/verdict's, summaries processing/month's. The commands are
../commands/report.py, check.py and try_file.py. Read archive.py, then pages.py.

    archive.py  what a page is made of, from ledger and buckets
    pages.py    from that to HTML
    tested_models.py  what any two models have labelled
    two_models.py  in what they differ
    index.py    the page on all groups and months
    overview.py what it says of each group
    templates/  the pages' templates, styles and scripts
    plots.py    the pictures
    svg.py      Matplotlib figures as inline SVG
    trend.py    trend lines in the cells of a table
    formats.py  numbers as the pages show them
    terms.py    names of scores and outcomes
    files.py    pages as files that link to one another
"""

from pipelines.report.index import index_page
from pipelines.report.pages import (
    check_page,
    comparison_page,
    labels_page,
    labels_page_name,
    models_page,
    models_page_name,
    page_name,
    period_page,
    trial_page,
)

__all__ = [
    "check_page",
    "comparison_page",
    "index_page",
    "labels_page",
    "labels_page_name",
    "models_page",
    "models_page_name",
    "page_name",
    "period_page",
    "trial_page",
]
