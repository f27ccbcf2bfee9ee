"""Writes the table in docs/local.md: what the local stack refuses as AWS does (infra/local/refusals).

    python -m tests.infra.local.refusals_page

test_refusals.py compares the page with what this would write.
"""

import re
from pathlib import Path

from infra.local import refusals

PAGE = Path(__file__).parents[3] / "docs" / "local.md"


def with_table(page: str) -> str:
    """The page with its first table written again."""
    head = "| refused | by | error | source | seen |\n| --- | --- | --- | --- | --- |\n"
    rows = (
        f"| {row.when} | {', '.join(f'`{operation}`' for operation in row.operations)} | `{row.code}` "
        f"| {row.source} | {row.seen} |\n"
        for row in refusals.TABLE
    )
    table = head + "".join(rows)
    return re.sub(r"(\| .*\n)+", lambda _: table, page, count=1)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
