"""docs/input.md says what the code and the corpus do."""

from processing.dataset.kinds import KINDS
from tests.processing.dataset.input_page import CASES, PAGE, with_lists


def test_the_page_lists_every_kind_and_every_case():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_lists(page), "write it again: make docs"
    assert [kind for kind in KINDS if f"\n### {kind}\n" not in page] == []


def test_the_corpus_has_at_least_150_cases():
    assert len(CASES) >= 150
