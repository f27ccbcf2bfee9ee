"""What people have said of a month's items, in whichever month they said it.

How labels take it is in kept_decisions.py, how decisions are stored in processing/dataset/decisions.py.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.dataset import decisions
from processing.dataset.text import TEXT_COLUMNS
from processing.labels.kept_decisions import given
from processing.labels.published import Published
from processing.policy import DECIDE

#: What must be read of an item that was decided on: its text tells whether the decision still stands.
ITEM = dict.fromkeys(("item_id", *TEXT_COLUMNS), "text")
_SAID = pa.schema(
    [
        (name, pa.string())
        for name in ("item_id", "text_key", "answer", "label", "decided_by", "why", "decided_on", "run")
    ]
    + [("decided_at", decisions.TIME)]
)


def said(made: pa.Table, replaced: Published | None, book: Codebook, period: str) -> pa.Table:
    """The latest decision on each item and text, whatever the month, brought to the codes in force.

    A decision is on an id and a text, and stands until somebody decides later, in whichever month; items may
    be missing in between. A code's succession carries it along.

    Args:
        made: what training reads: of decisions.read_rows, with the columns ITEM.
        replaced: the newest labels of the same month, None where there are none yet. What is on them may not
            have reached `made`.
        book: the group's codebook.
        period: the month that is labelled, `2026-10`.
    """
    said = _latest(made, replaced, period)
    # Withdrawn in another month is as if nobody had decided; in this one the item was given back to people.
    gone = pc.and_(pc.equal(said["answer"], "withdrawn"), said["earlier"])
    said = said.filter(pc.invert(gone))
    outcome = recode(said["label"], book.code_map(period))
    is_code = pc.equal(said["answer"], "code")
    ended = pc.and_(is_code, pc.is_null(outcome.codes))
    changed = pc.and_(pc.and_(is_code, pc.invert(ended)), pc.not_equal(outcome.reasons, ""))
    said = said.set_column(said.column_names.index("label"), "label", outcome.codes)
    said = said.append_column("change", _where(changed, outcome.reasons))
    return said.append_column("ended", _where(ended, outcome.reasons))


def standing(items: pa.Table, said: pa.Table, same_text: str) -> pa.Table:
    """What people have said of each item, in the items' order.

    Where nobody has said anything of an item, it has the latest decision on the same text.

    Args:
        items: `item_id` and `text_key`.
        said: of `said`.
        same_text: of the policy.

    Returns:
        A row an item, with what kept_decisions.put reads. `answer` is null where there is nothing to put, and
        `same_text` where the policy makes a decision of the one on the same text. Besides:

        - `by_text`: whether it is the decision on the same text, of another id
        - `earlier`: whether it was made in another month
        - `change`: what became of the code since, in words; null where nothing did
        - `ended`: the same where no single code in force stands for it now; a person must choose anew
    """
    said = said.filter(pc.is_in(said["text_key"], value_set=items["text_key"].combine_chunks()))
    is_code = pc.equal(said["answer"], "code")
    own = pc.index_in(decisions.keys(items), value_set=decisions.keys(said))
    stands = pc.or_(pc.and_(is_code, pc.is_null(said["ended"])), pc.equal(said["answer"], "none"))
    usable = np.flatnonzero(stands)
    texts = said["text_key"].combine_chunks()
    latest = pa.array(usable[decisions.last(texts.take(pa.array(usable)))], pa.int32())
    of_text = latest.take(pc.index_in(items["text_key"].combine_chunks(), value_set=texts.take(latest)))
    found = said.take(pc.coalesce(own, of_text))
    by_text = pc.and_(pc.is_null(own), pc.is_valid(of_text))

    nothing = pc.or_(pc.is_valid(found["ended"]), by_text)
    answer = pc.if_else(pc.fill_null(nothing, True), pa.scalar(None, pa.string()), found["answer"])
    if same_text == DECIDE:
        answer = pc.if_else(by_text, pa.scalar("same_text"), answer)
    found = found.set_column(found.column_names.index("answer"), "answer", answer)
    for name in ("item_id", "text_key"):
        found = found.set_column(found.column_names.index(name), name, items[name])
    return found.append_column("by_text", by_text)


def _latest(made: pa.Table, replaced: Published | None, period: str) -> pa.Table:
    """The latest decision on each item and text, skips left out, with `earlier`."""
    tables = [made.select(_SAID.names)]
    if replaced is not None:
        # Before those that training reads, which know the month in which they were made.
        tables = [_of_month(given(replaced)), *tables]
        if replaced.overtaken is not None:
            tables = [_of_month(replaced.overtaken), *tables]
    said = decisions.latest(pa.concat_tables([table.cast(_SAID) for table in tables]))
    # A sheet is named by the run that took it first, and that by the month.
    other_month = pc.invert(pc.match_substring(said["run"], f"-{period}-"))
    return said.append_column("earlier", pc.fill_null(other_month, False))


def _of_month(table: pa.Table) -> pa.Table:
    table = table.filter(pc.not_equal(table["answer"], "skip"))
    return table.append_column("run", pa.nulls(len(table), pa.string())).select(_SAID.names)


def _where(mask: pa.ChunkedArray, texts: pa.Array) -> pa.ChunkedArray:
    return pc.if_else(pc.fill_null(mask, False), texts, pa.scalar(None, pa.string()))
