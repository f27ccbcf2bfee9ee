"""People's decisions put into labels: those of a sheet, or those that stand from before.

Which ones stand is found out in standing_decisions.py. One that the labels of a month do not hold goes with
them from version to version, so that none is lost before the ones of all months have it.
"""

import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.dataset.decisions import keys, last, latest
from processing.labels import label_table
from processing.labels.published import Published
from processing.policy import DECIDE

ANSWER = ("answer", "decided_by", "decided_at", "why", "decided_on")
COLUMNS = ["item_id", "code", "text_key", *ANSWER]
DECISION = ["item_id", "label", "text_key", *ANSWER]
#: What decides; a skip is an answer, too.
DECIDED = pa.array(["code", "none", "withdrawn"])
WITHDRAWN = "A person's decision was withdrawn."
_NO_TEXT = pa.scalar(None, pa.string())


def keep(
    labels: pa.Table, said: pa.Table, replaced: Published | None, book: Codebook, period: str
) -> tuple[pa.Table, pa.Table | None]:
    """The labels with what people have said; and the decisions on `replaced`, `kept` or not, None without it.

    Of the latter those on items that are no longer there are left out.

    Args:
        labels: made anew, with the columns of label_table.label, and `text_key`.
        said: of standing_decisions.standing, in the order of the labels.
        replaced: the newest labels of the same month, with COLUMNS; None where there are none yet.
        book: the group's codebook.
        period: the month that is labelled, `2026-10`.
    """
    for name in (*ANSWER, "suggested"):
        kind = label_table.TYPES.get(name, pa.string())
        labels = labels.append_column(name, pa.nulls(len(labels), kind))
    labels, decided = put(labels, said.filter(pc.is_valid(said["answer"])), book, period)
    carried = pc.and_(decided, pc.is_valid(said["change"]))
    story = pc.binary_join_element_wise(labels["reason"], said["change"], "; ")
    labels = label_table.replace(labels, carried, {"reason": story})
    asked = pc.binary_join_element_wise("decided by ", said["decided_by"], ", but ", said["ended"], "")
    labels = label_table.replace(labels, pc.is_valid(said["ended"]), {"reason": asked})
    hint = pc.and_(pc.and_(said["by_text"], pc.is_null(said["answer"])), pc.equal(labels["status"], "review"))
    labels = _suggest(labels, hint, said, book)
    if replaced is None:
        return labels, None

    before = given(replaced).combine_chunks()
    before = before.filter(pc.is_in(before["item_id"], value_set=labels["item_id"].combine_chunks()))
    labels, _ = put(labels, before.filter(pc.equal(before["answer"], "skip")), book, period)
    return labels, with_kept(before, labels)


def given(published: Published) -> pa.Table:
    """The answers that a month's labels hold, with the columns DECISION."""
    return answered(published.table.select(COLUMNS).rename_columns({"code": "label"})).select(DECISION)


def answered(labels: pa.Table) -> pa.Table:
    """The rows on which somebody has answered; of other items with the same text nobody has."""
    return labels.filter(pc.is_in(labels["answer"], value_set=pa.array([*DECIDED.to_pylist(), "skip"])))


def in_order(decisions: list[pa.Table], replaced: Published) -> pa.Table:
    """Decisions on parts of a month, of `keep`, in the order of the labels that they are on."""
    found = pa.concat_tables(decisions)
    at = pc.index_in(found["item_id"], value_set=given(replaced)["item_id"].combine_chunks())
    return found.take(pc.sort_indices(at))


def overtaken(labels: pa.Table, *decisions: pa.Table | None) -> pa.Table:
    """Of all decisions on a month the latest on each item and text, if the month's labels do not hold one.

    Args:
        labels: with `item_id`, `text_key`, `answer`.
        decisions: tables with the columns DECISION, or None.
    """
    tables = [table.select(DECISION) for table in decisions if table is not None]
    table = pa.concat_tables(tables, promote_options="permissive")
    table = table.filter(_decided(table))
    held = pc.is_in(keys(table), value_set=keys(labels.filter(_decided(labels))))
    left = table.filter(pc.invert(held))
    return latest(left)


def put(
    labels: pa.Table, decisions: pa.Table, book: Codebook, period: str
) -> tuple[pa.Table, pa.ChunkedArray]:
    """The labels with the decisions in them, and the mask of the rows that were decided, shape (n_labels,).

    A decision counts where the item's text is the one that the person saw, the code is in force in the
    period, and nobody decided later. A skip counts only where the item still waits for review, and what was
    decided on another item of the family only where nobody has decided on this one.

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
    code, none, skip, withdrawn, same_text = (
        pc.fill_null(pc.equal(answer, name), False)
        for name in ("code", "none", "skip", "withdrawn", "same_text")
    )
    counts = pc.equal(given["text_key"], labels["text_key"])
    of_family, own = (
        pc.is_valid(given["decided_on"]),
        pc.and_(_decided(labels), pc.is_null(labels["decided_on"])),
    )
    for holds in (
        pc.or_(pc.invert(code), pc.is_in(given["label"], value_set=pa.array(book.in_force(period)))),
        pc.or_(pc.invert(skip), pc.equal(labels["status"], "review")),
        pc.or_kleene(pc.is_null(at), pc.greater_equal(given["decided_at"], at)),
        pc.invert(pc.and_(of_family, own)),
    ):
        counts = pc.and_(counts, holds)
    counts = pc.fill_null(counts, False)

    suggested = pc.coalesce(labels["suggested"], labels["code"])
    label = pc.if_else(pc.or_(code, same_text), given["label"], _NO_TEXT)
    labels = label_table.replace(labels, counts, {name: given[name] for name in ANSWER})
    labels = label_table.replace(
        labels,
        pc.and_(counts, pc.or_(pc.or_(code, none), same_text)),
        {
            "code": label,
            "description": _descriptions(label, book),
            "status": pc.if_else(pc.is_valid(label), "labelled", "none"),
            "reason": _reason(label, given["decided_by"], same_text, given["decided_on"]),
            "suggested": suggested,
            "confidence": None,  # it was the model's confidence in its own code
        },
    )
    return label_table.replace(labels, pc.and_(counts, withdrawn), _taken_back(suggested, book)), counts


def put_for_same_text(
    labels: pa.Table, decisions: pa.Table, book: Codebook, period: str, same_text: str
) -> tuple[pa.Table, pa.ChunkedArray]:
    """The labels with a sheet's decisions on other items with the same text too; and the mask of these items.

    Other items are those that no person has decided on. A decision is a suggestion for them, or counts for
    them where the policy says so; a withdrawn one is taken back from them as well.

    Args:
        labels: with the decisions in them, columns as `put` takes them.
        decisions: those that are in the labels; of two on a text the last counts.
        book: the group's codebook.
        period: the labels' month, `2026-10`.
        same_text: of the policy.
    """
    decisions = decisions.filter(pc.not_equal(decisions["answer"], "skip")).combine_chunks()
    decisions = decisions.take(last(decisions["text_key"].combine_chunks()))
    given = decisions.take(pc.index_in(labels["text_key"], value_set=decisions["text_key"].combine_chunks()))
    undecided = pc.is_in(labels["answer"], value_set=pa.array([None, "skip", "same_text"], pa.string()))
    others = pc.and_(undecided, pc.is_valid(given["text_key"]))
    withdrawn = pc.fill_null(pc.equal(given["answer"], "withdrawn"), False)

    back = pc.and_(pc.and_(others, withdrawn), pc.is_valid(labels["suggested"]))
    labels = label_table.replace(labels, back, _taken_back(labels["suggested"], book) | dict.fromkeys(ANSWER))
    others = pc.and_(others, pc.invert(withdrawn))
    if same_text != DECIDE:
        others = pc.and_(others, pc.equal(labels["status"], "review"))
        return _suggest(labels, others, given, book), pc.or_(back, others)
    given = given.set_column(given.column_names.index("item_id"), "item_id", labels["item_id"])
    given = given.set_column(
        given.column_names.index("answer"), "answer", pa.repeat(pa.scalar("same_text"), len(given))
    )
    labels, decided = put(labels, given.filter(others), book, period)
    return labels, pc.or_(back, decided)


def with_kept(decisions: pa.Table, labels: pa.Table) -> pa.Table:
    """The decisions with the column `kept`: `yes` where the labels hold this one, `no` where not."""
    held = labels.take(pc.index_in(decisions["item_id"], value_set=labels["item_id"].combine_chunks()))
    kept = pc.and_(*(pc.equal(held[name], decisions[name]) for name in ("answer", "decided_at")))
    return decisions.append_column("kept", pc.if_else(pc.fill_null(kept, False), "yes", "no"))


def in_labels(labels: pa.Table) -> dict[str, int]:
    """How much of the labels is from people, for the summary.

    `kept`: decisions on these items; `by_text`: items decided as their text was, under another id;
    `by_family`: those of the `kept` that were made on another item of the family;
    `suggested`: items in review to which such a decision is suggested.
    """
    suggested = pc.and_(pc.equal(labels["status"], "review"), pc.is_valid(labels["suggested"]))
    return {
        "kept": _count(_decided(labels)),
        "by_text": _count(pc.equal(labels["answer"], "same_text")),
        "by_family": _count(pc.and_(_decided(labels), pc.is_valid(labels["decided_on"]))),
        "suggested": _count(suggested),
    }


def not_kept(decisions: pa.Table | None) -> int:
    """How many of the decisions, of `with_kept`, are not in the labels; a skip decides nothing."""
    if decisions is None:
        return 0
    return _count(pc.and_(pc.equal(decisions["kept"], "no"), pc.not_equal(decisions["answer"], "skip")))


def from_before(said: pa.Table) -> dict[str, int]:
    """What has become of decisions made in other months, for the summary; `said` is of `standing`.

    `earlier`: those that stand; `renamed`: those of them whose code has another name now; `ended`: those that
    do not stand, as no single code in force stands for theirs.
    """
    own = pc.invert(said["by_text"])
    stands = pc.and_(pc.and_(own, pc.is_valid(said["answer"])), said["earlier"])
    return {
        "earlier": _count(stands),
        "renamed": _count(pc.and_(stands, pc.is_valid(said["change"]))),
        "ended": _count(pc.and_(own, pc.is_valid(said["ended"]))),
    }


def _decided(table: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(table["answer"], value_set=DECIDED)


def _suggest(
    labels: pa.Table, where: pa.Array | pa.ChunkedArray, given: pa.Table, book: Codebook
) -> pa.Table:
    """The labels with what was decided for the same text as suggestions; `given` is in their order."""
    code = pc.coalesce(given["label"], labels["code"])
    suggestion = {
        "code": code,
        "description": _descriptions(code, book),
        "reason": _reason(given["label"], given["decided_by"], True),
        "suggested": pc.coalesce(labels["suggested"], labels["code"]),
        "confidence": None,  # it was the model's confidence in its own code
    }
    return label_table.replace(labels, where, suggestion)


def _taken_back(suggested: pa.ChunkedArray, book: Codebook) -> dict[str, object]:
    return {
        "code": suggested,
        "description": _descriptions(suggested, book),
        "status": "review",
        "reason": WITHDRAWN,
        "suggested": None,
    }


def _reason(
    label: pa.ChunkedArray,
    by: pa.ChunkedArray,
    same_text: pa.ChunkedArray | bool,
    on: pa.ChunkedArray | pa.StringScalar = _NO_TEXT,
) -> pa.ChunkedArray:
    """`decided by A. Muster`, and what else is to be said of it; `label` is null where no code fits."""
    said = pc.if_else(pc.is_valid(label), "decided ", "no code fits, decided ")
    what = pc.if_else(same_text, "for the same text by ", "by ")
    family = pc.coalesce(pc.binary_join_element_wise("as ", on, " of its family, ", ""), "")
    return pc.binary_join_element_wise(family, said, what, by, "")


def _descriptions(codes: pa.ChunkedArray, book: Codebook) -> pa.Array:
    return label_table.descriptions(codes.combine_chunks(), book)


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0
