"""People's decisions put into labels: those of a sheet, or those on the labels that are replaced.

A decision is on an item and its text. One that the labels of a month do not hold goes with them from version
to version, and is put into the first that has the item with this text again.
"""

import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.labels import label_table
from processing.labels.published import Published

ANSWER = ("answer", "decided_by", "decided_at", "why")
COLUMNS = ["item_id", "code", "text_key", *ANSWER]
DECISION = ["item_id", "label", "text_key", *ANSWER]
#: What decides; a skip is an answer, too.
DECIDED = pa.array(["code", "none", "withdrawn"])
WITHDRAWN = "A person's decision was withdrawn."


def keep(
    labels: pa.Table, replaced: Published | None, book: Codebook, period: str
) -> tuple[pa.Table, pa.Table | None]:
    """The labels with the decisions on `replaced` in them; and these, `kept` or not, None without `replaced`.

    Decisions on items that are not there are left out, and so are those that fitted no item of `replaced`
    and fit none of these.

    Args:
        labels: made anew, with the columns of label_table.label, and `text_key`.
        replaced: the newest labels of the same month, with COLUMNS; None where there are none yet.
        book: the group's codebook.
        period: the month that is labelled, `2026-10`.
    """
    if replaced is None:
        return labels, None
    there = pc.is_in(replaced.table["item_id"], value_set=labels["item_id"].combine_chunks())
    decisions = given(replaced).filter(there.filter(pc.is_valid(replaced.table["answer"])))
    if replaced.overtaken is not None:
        fits = pc.is_in(_on(replaced.overtaken), value_set=_on(labels))
        decisions = pa.concat_tables([decisions, replaced.overtaken.filter(fits)])
        fits = pc.is_in(_on(decisions), value_set=_on(labels))
        # Of two on an item, that on its text, and of those the later; nobody skips what was decided.
        decisions = decisions.append_column("fits", fits).append_column("decided", _decided(decisions))
        order = [(name, "descending") for name in ("fits", "decided", "decided_at")]
        decisions = _first(decisions.sort_by(order), "item_id").select(DECISION)
    decisions = decisions.combine_chunks()
    for name in (*ANSWER, "suggested"):
        kind = label_table.TYPES.get(name, pa.string())
        labels = labels.append_column(name, pa.nulls(len(labels), kind))
    labels, decided = put(labels, decisions, book, period)
    return labels, with_kept(decisions, labels, decided)


def given(published: Published) -> pa.Table:
    """The answers that a month's labels hold, with the columns DECISION."""
    held = published.table.filter(pc.is_valid(published.table["answer"])).select(COLUMNS)
    return held.rename_columns({"code": "label"}).select(DECISION)


def overtaken(labels: pa.Table, *decisions: pa.Table | None) -> pa.Table:
    """Of all decisions on a month the latest on each item and text, if the month's labels do not hold one.

    Args:
        labels: with `item_id`, `text_key`, `answer`.
        decisions: tables with the columns DECISION, or None.
    """
    tables = [table.select(DECISION) for table in decisions if table is not None]
    table = pa.concat_tables(tables, promote_options="permissive")
    table = table.filter(_decided(table)).sort_by([("decided_at", "descending")])
    held = pc.is_in(_on(table), value_set=_on(labels.filter(_decided(labels))))
    left = table.filter(pc.invert(held))
    return _first(left.append_column("on", _on(left)), "on").select(DECISION)


def _decided(table: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(table["answer"], value_set=DECIDED)


def _on(table: pa.Table) -> pa.Array:
    """What a row is on: item and text."""
    return pc.binary_join_element_wise(table["item_id"], table["text_key"], "\n").combine_chunks()


def _first(table: pa.Table, by: str) -> pa.Table:
    """The first row of each value of a column."""
    values = table[by].combine_chunks()
    return table.take(pc.index_in(pc.unique(values), value_set=values))


def put(
    labels: pa.Table, decisions: pa.Table, book: Codebook, period: str
) -> tuple[pa.Table, pa.ChunkedArray]:
    """The labels with the decisions in them, and the mask of the rows that were decided, shape (n_labels,).

    A decision counts where the item's text is the one that the person saw, the code is in force in the
    period, and nobody decided later. A skip counts only where the item still waits for review.

    Args:
        labels: with the columns of label_table.COLUMNS that are not the same in every row.
        decisions: at most one an item, with `item_id`, `text_key`, ANSWER and `label`, the code where the
            answer is `code`.
        book: the group's codebook.
        period: the labels' month, `2026-10`.
    """
    # Not pa.array: of no decision at all it would make an array without a type.
    given = decisions.take(pc.index_in(labels["item_id"], value_set=decisions["item_id"].combine_chunks()))
    answer, at = given["answer"], labels["decided_at"]
    code, none, skip, withdrawn = (
        pc.fill_null(pc.equal(answer, name), False) for name in ("code", "none", "skip", "withdrawn")
    )
    counts = pc.equal(given["text_key"], labels["text_key"])
    for holds in (
        pc.or_(pc.invert(code), pc.is_in(given["label"], value_set=pa.array(book.in_force(period)))),
        pc.or_(pc.invert(skip), pc.equal(labels["status"], "review")),
        pc.or_kleene(pc.is_null(at), pc.greater_equal(given["decided_at"], at)),
    ):
        counts = pc.and_(counts, holds)
    counts = pc.fill_null(counts, False)

    suggested = pc.coalesce(labels["suggested"], labels["code"])
    label = pc.if_else(code, given["label"], pa.scalar(None, pa.string()))
    by = pc.binary_join_element_wise("decided by ", given["decided_by"], "")
    no_code = pc.binary_join_element_wise("no code fits, decided by ", given["decided_by"], "")
    labels = label_table.replace(labels, counts, {name: given[name] for name in ANSWER})
    labels = label_table.replace(
        labels,
        pc.and_(counts, pc.or_(code, none)),
        {
            "code": label,
            "description": _descriptions(label, book),
            "status": pc.if_else(code, "labelled", "none"),
            "reason": pc.if_else(code, by, no_code),
            "suggested": suggested,
            "confidence": None,  # it was the model's confidence in its own code
        },
    )
    taken_back = {
        "code": suggested,
        "description": _descriptions(suggested, book),
        "status": "review",
        "reason": WITHDRAWN,
        "suggested": None,
    }
    return label_table.replace(labels, pc.and_(counts, withdrawn), taken_back), counts


def with_kept(decisions: pa.Table, labels: pa.Table, decided: pa.ChunkedArray) -> pa.Table:
    """The decisions with the column `kept`: `yes` or `no`, by the mask `decided` of rows in the labels."""
    ids = labels["item_id"].filter(decided).combine_chunks()
    kept = pc.is_in(decisions["item_id"], value_set=ids)
    return decisions.append_column("kept", pc.if_else(kept, "yes", "no"))


def counts(labels: pa.Table, decisions: pa.Table) -> dict[str, int]:
    """How many decisions the labels hold, `kept`, and how many of `decisions` they do not, `not_kept`.

    A skip is an answer, but decides nothing.
    """
    held = _decided(labels)
    lost = pc.and_(pc.equal(decisions["kept"], "no"), pc.not_equal(decisions["answer"], "skip"))
    return {"kept": pc.sum(held).as_py() or 0, "not_kept": pc.sum(lost).as_py() or 0}


def _descriptions(codes: pa.ChunkedArray, book: Codebook) -> pa.Array:
    return label_table.descriptions(codes.combine_chunks(), book)
