"""Training rows that a group shares with other groups, by the keys of a list that both name (`unu`, `hs`).

The scheme's own name (`weee`) stands for the codes of its groups: there the key is the row's code as the
codebooks of other groups name it (`DE-weee:1`).

Only rows of the train split, and of them only what is learned from: text, attributes and the keys. No item's
id and no row that the group ever tests on.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from processing.codes.codebook import Codebook, name_of, scheme_of
from processing.dataset.text import TEXT_COLUMNS
from processing.policy import NO_LIST

KEYS = "keys"
FILE = "rows.parquet"


def write(train: Path, book: Codebook, share_by: str, folder: Path) -> None:
    """Write the rows of the folder `train` that are shared by the list `share_by`; none for NO_LIST."""
    if share_by == NO_LIST:
        return
    rows = pa.concat_tables([pq.read_table(path) for path in sorted(train.glob("*.parquet"))])
    pq.write_table(to_share(rows, book, share_by), folder / FILE)


def to_share(rows: pa.Table, book: Codebook, share_by: str) -> pa.Table:
    """Rows whose code names keys of the list, with the column `keys` (list of text) in place of the label."""
    by_scheme = share_by == scheme_of(book.group)
    keys_of = {
        code.code: [name_of(book.group, code.code)] if by_scheme else code.references.get(share_by)
        for code in book.codes
    }
    keys = pa.array([keys_of.get(label) for label in rows["label"].to_pylist()], pa.list_(pa.string()))
    columns = [*TEXT_COLUMNS, *(attribute.name for attribute in book.attributes)]
    shared = rows.select(columns).append_column(KEYS, keys)
    return shared.filter(keys.is_valid())
