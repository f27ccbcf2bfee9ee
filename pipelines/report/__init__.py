"""The report: a self-contained page per comparison, per month of labels, and per period over all groups."""

from pipelines.report.pages import comparison_page, labels_page, labels_page_name, page_name, period_page

__all__ = ["comparison_page", "labels_page", "labels_page_name", "page_name", "period_page"]
