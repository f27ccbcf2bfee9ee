"""Writes the lists in docs/input.md: every kind of finding, and what became of each case of the corpus.

    python -m tests.processing.dataset.input_page

test_input_page.py compares the page with what this would write.
"""

import re
from pathlib import Path
from typing import get_args

from processing.dataset.kinds import KINDS, Outcome
from tests.processing.dataset.input_cases import (
    csv_cases,
    jsonlines_cases,
    parquet_cases,
    value_cases,
    whole_cases,
)

PAGE = Path(__file__).parents[3] / "docs" / "input.md"
CASES = [
    *csv_cases.CASES,
    *jsonlines_cases.CASES,
    *parquet_cases.CASES,
    *value_cases.CASES,
    *whole_cases.CASES,
]


def kinds_list() -> str:
    """Each kind with its outcome and fix, under a heading that is its anchor."""
    parts = []
    for outcome in get_args(Outcome):
        some = [kind for kind in KINDS.values() if kind.outcome == outcome]
        if some:
            parts.append(f"## {outcome.capitalize()}\n")
        parts += [f"### {kind.name}\n\n{kind.what} Fix: {kind.fix}\n" for kind in some]
    return "\n".join(parts)


def cases_table() -> str:
    """What was delivered, and what became of it."""
    head = "| delivered | outcome | found |\n| --- | --- | --- |\n"
    return head + "".join(
        f"| {case.name.replace('|', chr(92) + '|')} "
        f"| {'refused' if case.rows is None else f'{case.rows} usable'} "
        f"| {', '.join(f'[{kind}](#{kind})' for kind in case.kinds)} |\n"
        for case in CASES
    )


def with_lists(page: str) -> str:
    """The page with both lists written again, each between its two comments."""
    for name, text in (("kinds", kinds_list()), ("cases", cases_table())):
        page = re.sub(
            f"(<!-- {name} -->\n).*(<!-- end of {name} -->)",
            lambda found, text=text: f"{found[1]}\n{text}\n{found[2]}",
            page,
            flags=re.DOTALL,
        )
    return page


if __name__ == "__main__":
    PAGE.write_text(with_lists(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
