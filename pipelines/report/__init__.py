"""The report: one self-contained page per comparison, and one per period over all model groups."""

from pipelines.report.pages import comparison_page, page_name, period_page

__all__ = ["comparison_page", "page_name", "period_page"]
