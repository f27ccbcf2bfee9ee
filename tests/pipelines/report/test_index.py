"""The index: what the archive reads for it, what it makes of that, and what the page says."""

import re
from datetime import UTC, datetime

import pytest

from pipelines.report import index_page, labels_page_name, overview, page_name
from pipelines.report.trend import trend
from tests.pipelines.report.made_up import NOTE, History

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def history():
    return History(groups=4, months=15)


@pytest.fixture(scope="module")
def groups(history):
    return history.archive().index()


def test_sixty_groups_and_two_years_take_a_scan_and_two_summaries_a_group():
    history = History(groups=60, months=24)
    groups = history.archive().index()
    assert all(len(group.figures) == 24 - (group.name == history.groups[1]) for group in groups)
    firsts = [min(group.figures) for group in groups]
    unknown = [[month for month, each in group.figures.items() if each.drift is None] for group in groups]
    assert unknown == [[month] for month in firsts]
    summary = 2  # its manifest and itself
    again = summary  # the month that came again
    assert history.requests["GetObject"] == 60 * (1 + 2 * summary) + again
    page = index_page(groups, NOW, note=NOTE)
    assert len(page) < 400_000 and NOTE in page


def test_a_month_that_came_again_later_counts_as_its_own_labels_have_it(history, groups):
    *_, before, _, _ = history.months
    rows = [groups[0].figures[month].rows for month in sorted(groups[0].figures)]
    assert groups[0].figures[before].rows == rows[-3] > 1.7 * rows[-4]


def test_what_became_of_a_comparison_is_told_with_the_score_of_the_winner_since(history, groups):
    _, _, waiting, rolled_back = groups
    newest = waiting.verdicts[history.months[-1]]
    assert (newest.verdict, newest.score) == ("WAITS", None) and waiting.last_verdict == "WAITS"
    by_hand = rolled_back.verdicts[history.months[1]]
    assert by_hand.by_hand == "ROLLBACK" and by_hand.verdict != "ROLLBACK" and by_hand.run
    decisions = [
        {"run": f"DE-weee-comparison-2026-{month}-0f3a9c21d4e5", "verdict": verdict, "score": 0.9} | more
        for month, verdict, more in (
            ("08", "FIRST", {}),
            ("09", "KEEP", {"replaced_score": 0.8}),
            ("10", "PROMOTE", {"replaced_score": 0.8}),
        )
    ]
    found = overview.verdicts(overview.GroupLedger("DE-weee", decisions=decisions), [])
    assert [each.score for each in found.values()] == [0.9, 0.8, 0.9]


def test_a_summary_from_before_there_was_a_history_knows_its_own_month():
    counts = {"rows": 110, "rejected": 10, "review": 25}
    summary = {"period": "2026-10", "counts": counts, "codes": []}
    found = overview.figures(summary)
    assert found == {"2026-10": overview.Figures(rows=110, unsure=0.25, drift=None, stands=False)}
    reviewed = overview.figures(summary | {"review": {"needed": 40}})
    assert reviewed["2026-10"].unsure == 0.4


def test_drift_is_the_share_of_items_that_would_have_to_move():
    months = [
        {"period": f"2026-{month}", "rows": 100, "review": 0.1, "codes": codes, "standing": {}}
        for month, codes in (("09", {"1": 60, "2": 40}), ("10", {"1": 50, "2": 40, "3": 10}))
    ]
    found = overview.figures({"history": months})
    assert (found["2026-09"].drift, found["2026-10"].drift) == (None, 0.1)


def test_what_stood_before_is_still_told_of_the_newest_month():
    told = {"what": "rows", "message": "Far fewer rows.", "since": "2026-10", "found": "10"}
    stood = {"what": "share to review", "message": None, "since": "2026-08", "found": "31 %"}
    good = {"what": "rejected", "message": None, "since": None, "found": "0"}
    summary = {"attention": ["Far fewer rows."], "checks": [told, stood, good]}
    assert overview.attention(summary) == ["Far fewer rows.", "Since 2026-08: share to review, 31 %."]


def test_the_page_links_only_to_pages_that_are_beside_it(history, groups):
    newest, group = history.months[-1], groups[0]
    pages = [
        page_name(newest),
        labels_page_name(group.name, newest),
        page_name(group.verdicts[newest].run),
    ]
    html = index_page(groups, NOW, pages)
    links = {link.partition("#")[0] for link in re.findall(r'<a href="([^"]+)"', html)}
    assert links == set(pages)
    assert "As of 2026-11-03 09:00 UTC." in html


def test_a_page_without_any_month_says_so():
    assert "Nothing has been compared or labelled yet." in index_page([], NOW)


def test_a_trend_line_breaks_where_a_month_is_missing_and_says_what_it_shows():
    line = trend([1.0, 2.0, None, 4.0, 3.0], 'a "label"')
    [path] = re.findall(r' d="([^"]+)"', line)
    assert [step[0] for step in path.split()] == ["M", "L", "M", "L"]
    heights = [float(point.split(",")[1]) for point in path.split()]
    assert heights == [16.5, 12.0, 3.0, 7.5], "zero would be at the foot, 21"
    assert 'aria-label="a &#34;label&#34;"' in line


def test_a_score_that_hardly_moves_makes_a_line_in_the_middle():
    [path] = re.findall(r' d="([^"]+)"', trend([0.9, 0.901], "", least_span=0.05))
    assert all(10 < float(point.split(",")[1]) < 14 for point in path.split())


def test_what_the_model_is_not_sure_of_is_not_called_to_review(groups):
    # People may have decided on it, and reviewers may have no time for all of it.
    html = index_page(groups, NOW)
    assert "Unsure, %" in html and "review" not in html.lower().partition("what needs attention")[0]
