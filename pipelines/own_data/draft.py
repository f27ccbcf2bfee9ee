"""A first codebook from the codes that a file has: a person then writes what each is called, and since when.

How one is checked and published is in pipelines/codebooks/.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.codebooks.read import checked
from pipelines.own_data.columns import CODE, TITLE, Columns
from processing.policy import Policy
from processing.words import counted

#: A day before all that is labelled; the file does not say since when a code is in force.
FROM = "2000-01-01"
TITLE_SIGNS = 60


def codebook(
    rows: pa.Table,
    columns: Columns,
    *,
    group: str,
    version: str,
    language: str,
    file: str,
    descriptions: Mapping[str, str],
) -> dict[str, Any]:
    """The codebook of a group, checked.

    Args:
        rows: its labelled rows (dataset.canonical).
        columns: which is which.
        group: the model group.
        version: of the codebook.
        language: of the descriptions, two letters.
        file: what the rows were read from.
        descriptions: what is known of codes in words (`in_words`).

    Raises:
        CodebookError: a code cannot be one, or there are fewer than two.
    """
    codes = pc.utf8_trim_whitespace(rows[CODE])
    counts = Counter(codes.to_pylist())
    titles = dict(zip(reversed(codes.to_pylist()), reversed(rows[TITLE].to_pylist()), strict=True))
    policy = Policy()
    made = {
        "group": group,
        "version": version,
        "language": language,
        "source": f"the codes in {file}; name the law and its annex here",
        "note": f"Made by labelmill init from {counted(rows.num_rows, 'labelled row')} of {file}. "
        f"{FROM} stands where it is not known since when a code is in force.",
        "attributes": [{"name": each.name, "type": each.type} for each in columns.declared()],
        "codes": [
            {
                "code": code,
                "description": descriptions.get(code)
                or f"(to be described: {counted(counts[code], 'row')}, such as "
                f"{(titles[code] or 'one without a title')[:TITLE_SIGNS]!r})",
                "valid_from": FROM,
                "valid_to": None,
                "critical": False,
            }
            for code in sorted(counts, key=_in_order)
        ],
        "policy": {name: getattr(policy, name) for name in ("precision", "min_gain", "min_rows", "approval")},
    }
    return checked(made, f"the codebook of {group}")


def in_words(table: pa.Table, columns: Columns) -> dict[str, str]:
    """Of each code what the column that describes codes says most often; none without such a column."""
    if not columns.description or CODE not in columns.roles:
        return {}
    pairs = zip(
        *(
            pc.utf8_trim_whitespace(pc.fill_null(table[name].cast(pa.string()), "")).to_pylist()
            for name in (columns.roles[CODE], columns.description)
        ),
        strict=True,
    )
    found: dict[str, str] = {}
    for (code, words), _ in Counter(pairs).most_common():
        if code and words:
            found.setdefault(code, words)
    return found


def _in_order(code: str) -> list[tuple[int, str]]:
    """A key to sort codes by: 2 before 10, 4a after 4."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", code)]
