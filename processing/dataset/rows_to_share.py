"""Training rows that a group shares with other groups, by the keys of a list that both name (`unu`, `hs`).

Only rows of the train split, and of them only what is learned from: text, attributes and the keys. No item's
id, no code of this group, and no row that the group ever tests on.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from processing.codes.codebook import Codebook
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
    keys_of = {code.code: code.references.get(share_by) for code in book.codes}
    keys = pa.array([keys_of.get(label) for label in rows["label"].to_pylist()], pa.list_(pa.string()))
    columns = [*TEXT_COLUMNS, *(attribute.name for attribute in book.attributes)]
    shared = rows.select(columns).append_column(KEYS, keys)
    return shared.filter(keys.is_valid())
