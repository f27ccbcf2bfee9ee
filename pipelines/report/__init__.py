"""Pages for people: on comparisons, labels, items, months, datasets, trials; one to label on; workbooks.

Nothing is decided here: verdicts are processing/verdict's, summaries processing/month's. The commands are
../commands/report.py, check.py and try_file.py. Read archive.py, then pages.py.

    archive.py         what a page is made of, from ledger and buckets
    pages.py           from that to HTML
    tested_models.py   what any two models have labelled
    two_models.py      in what they differ
    overview.py        what the index says of each group
    index.py           from that to HTML
    templates/         the pages' templates, styles and scripts
    plots.py           the pictures
    svg.py             Matplotlib figures as inline SVG
    trend.py           trend lines in the cells of a table
    formats.py         numbers as the pages show them
    terms.py           names of scores and outcomes
    files.py           pages as files that link to one another, and workbooks
    label_workbook.py  a month's labels as a workbook
"""

from pipelines.report.index import index_page
from pipelines.report.pages import (
    audit_page,
    check_page,
    comparison_page,
    labels_page,
    labels_page_name,
    models_page,
    models_page_name,
    page_name,
    period_page,
    review_page,
    trial_page,
)

__all__ = [
    "audit_page",
    "check_page",
    "comparison_page",
    "index_page",
    "labels_page",
    "labels_page_name",
    "models_page",
    "models_page_name",
    "page_name",
    "period_page",
    "review_page",
    "trial_page",
]
