"""Every fault at every state that calls something ends as docs/faults.md says, and as without it."""

import pytest

from tests.simulation.faults import PAGE, STORIES, line, rows, stories_of, tell


@pytest.mark.parametrize("story", STORIES)
def test_each_fault_ends_as_the_page_says_and_leaves_what_is_left_without_it(story):
    page = PAGE.read_text(encoding="utf-8").splitlines()
    told = {at: name for at, name in stories_of().items() if name == story}
    assert told, "the story is of no use"
    for at, became in rows(told):
        assert line(at, became) in page, "Fix: make docs"


@pytest.mark.parametrize("story", STORIES)
def test_nothing_is_broken_without_a_fault(story):
    assert tell(story).broken == []
