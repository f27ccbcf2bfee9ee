"""Rows of other groups that a group may learn from, their labels turned into its own codes.

Codes of two codebooks mean the same where they name the same keys of one list (UNU keys, headings of the HS).
By the scheme's own name (`weee`), a code of another group means what this group's codebook says: `same_as`.
By which list a group shares, if at all, is policy; a job sees only the rows of groups that share by it, too.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.codes.codebook import Codebook, scheme_of
from processing.dataset import hard_texts, rows_to_share, split
from processing.dataset.text import TEXT_COLUMNS, text_keys


def read(folder: Path, book: Codebook, codes: set[str], share_by: str) -> list[pa.Table]:
    """One table for each other group in the folder: `<folder>/<group>/rows.parquet`.

    `codes` are those that may be learned, of which the group itself need not have a row. Columns of the
    tables are those of the group's canonical rows, except `item_id`; groups without a row are left out.
    """
    code_of = codes_by_key(book, codes, share_by)
    files = [
        path for path in sorted(folder.glob(f"*/{rows_to_share.FILE}")) if path.parent.name != book.group
    ]
    tables = [translate(pq.read_table(path), book, code_of) for path in files]
    return [table for table in tables if len(table)]


def translate(rows: pa.Table, book: Codebook, code_of: dict[str, set[str]]) -> pa.Table:
    """Shared rows with this group's codes, keys and attributes; what has no one code here is left out.

    So are texts that this group tests on: learned from a neighbour's copy of them, its test would flatter.
    """
    labels = pa.array([_code(keys, code_of) for keys in rows[rows_to_share.KEYS].to_pylist()], pa.string())
    columns = {name: rows[name] for name in TEXT_COLUMNS}
    for attribute in book.attributes:
        kind = pa.float64() if attribute.type == "number" else pa.string()
        same = attribute.name in rows.column_names and rows[attribute.name].type == kind
        columns[attribute.name] = rows[attribute.name] if same else pa.nulls(len(rows), kind)
    own = pa.table({**columns, "label": labels}).filter(pc.is_valid(labels))
    own = own.append_column("text_key", text_keys(book.group, own))
    tested = split.is_test(own["text_key"]) | hard_texts.are_held(own["text_key"], book)
    return own.filter(pa.array(~tested))


def codes_by_key(book: Codebook, codes: set[str], share_by: str) -> dict[str, set[str]]:
    """Which of `codes` name each key of the list."""
    by_scheme = share_by == scheme_of(book.group)
    code_of: dict[str, set[str]] = {}
    for code in (code for code in book.codes if code.code in codes):
        for key in code.same_as if by_scheme else code.references.get(share_by, ()):
            code_of.setdefault(key, set()).add(code.code)
    return code_of


def _code(keys: list[str], code_of: dict[str, set[str]]) -> str | None:
    """The one code that every key means; None where there is none, or where keys differ."""
    codes = [code_of.get(key, set()) for key in keys]
    meant = set.union(*codes) if codes and all(codes) else set()
    return meant.pop() if len(meant) == 1 else None
