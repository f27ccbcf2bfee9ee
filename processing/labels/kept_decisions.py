"""What people decided on an earlier version of a month's labels, put into the version that replaces it."""

import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.labels import label_table
from processing.labels.published import Published

COLUMNS = ["item_id", "code", "reason", "decided_by", "text_key"]


def keep(
    labels: pa.Table, replaced: Published | None, book: Codebook, period: str
) -> tuple[pa.Table, dict[str, int] | None]:
    """The labels with the decisions in them, and how many are `kept` and how many are `not_kept`.

    A decision is kept where the item's text is the one that the person saw and the code is in force in the
    period. One on an item that is no longer there is not counted.

    Args:
        labels: with the columns of label_table.label, and `text_key`.
        replaced: the newest labels of the same month, with COLUMNS; None where there are none yet.
        book: the group's codebook.
        period: the month that is labelled, `2026-10`.
    """
    if replaced is None:
        return labels, None
    decisions = replaced.table.filter(pc.is_valid(replaced.table["decided_by"])).combine_chunks()
    # Not pa.array: of no decision at all it would make an array without a type.
    at = pc.index_in(labels["item_id"], value_set=decisions["item_id"].combine_chunks())
    decision = decisions.take(at)
    in_force = pa.array(book.in_force(period), pa.string())
    kept = pc.and_(
        pc.equal(decision["text_key"], labels["text_key"]), pc.is_in(decision["code"], value_set=in_force)
    )
    kept = pc.fill_null(kept, False)
    values = {
        **{name: decision[name] for name in ("code", "reason", "decided_by")},
        "description": label_table.descriptions(decision["code"].combine_chunks(), book),
        "status": "labelled",
        "confidence": None,  # it was the model's confidence in its own code
    }
    labels = labels.append_column("decided_by", pa.nulls(len(labels), pa.string()))
    counts = {"kept": pc.sum(kept).as_py() or 0}
    counts["not_kept"] = len(at) - at.null_count - counts["kept"]
    return label_table.replace(labels, kept, values), counts
