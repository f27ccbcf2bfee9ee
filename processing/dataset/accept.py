"""Whether a dataset is taken, and the rows it then gives: for Prepare, and for a check before it is sent.

Nothing is written here. Single bad rows are set aside with the reason; a dataset that cannot be trusted is
refused whole.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.dataset import data_files, decisions, hard_texts, kinds, rows, split
from processing.dataset.data_files import Dataset
from processing.dataset.findings import Finding, Place, merged, shortened
from processing.dataset.kinds import KINDS
from processing.dataset.manifest import DataFile
from processing.dataset.text import text_keys
from processing.words import counted

MIN_ROWS = 30
SHOWN = 3


@dataclass(frozen=True)
class Reviewed:
    """The folder with people's decisions, and when the dataset was delivered, with time zone."""

    folder: Path
    delivered: datetime


@dataclass(frozen=True)
class Accepted:
    """A dataset that is taken.

    Attributes:
        dataset: as it was read; with what was found in the good rows' texts, for purpose `training` in texts
            and labels together.
        columns: name to `text` or `number`.
        table: its rows, with those that people decided.
        good: of these, the ones that are not set aside.
        rejected: a table `rows.REJECTED` of the others.
        made: the good rows in canonical form, with `text_key`; labels are codes in force.
        recoded: how many labels followed a change of codes.
        reviewed: figures on people's decisions; empty where none were asked for.
        parts: for purpose `training`, the rows of train, validation and test.
        findings: all that was found, by kind: in the files, and the rows set aside.
    """

    dataset: Dataset
    columns: dict[str, str]
    table: pa.Table
    good: pa.Table
    rejected: pa.Table
    made: pa.Table
    recoded: dict[str, Any]
    reviewed: dict[str, Any]
    parts: dict[str, pa.Table]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return merged((*self.dataset.findings, *rows.Tally(self.rejected).findings()))


def accept(
    files: list[DataFile],
    book: Codebook,
    *,
    group: str,
    period: str,
    purpose: str,
    uri: str,
    reviewed: Reviewed | None = None,
    further: tuple[str, ...] = (),
) -> Accepted:
    """Read a dataset's files and judge them.

    Args:
        files: of the manifest, or those that will be in one.
        book: the group's codebook.
        group: the model group.
        period: `YYYY-MM`.
        purpose: `training`, `inference` or `test`.
        uri: what the dataset is called in errors.
        reviewed: the decisions that become training rows, too.
        further: text columns that the files have besides those of a dataset.

    Raises:
        BadData: the dataset cannot be used; its `kind` is of processing.dataset.kinds.
        BadManifest: the files are not those of the manifest.
    """
    found = judge(
        files, book, group=group, period=period, purpose=purpose, reviewed=reviewed, further=further
    )
    check_whole(found, purpose, uri)
    return found


def judge(
    files: list[DataFile],
    book: Codebook,
    *,
    group: str,
    period: str,
    purpose: str,
    reviewed: Reviewed | None = None,
    further: tuple[str, ...] = (),
) -> Accepted:
    """The same for the rows alone: whether they suffice is for `check_whole`."""
    columns = data_files.columns_of(book.attributes, labelled=purpose != "inference")
    columns |= dict.fromkeys(further, "text")
    # A test set's texts were repaired when it was made. Once more might make others of them, with other keys.
    dataset = data_files.read(files, columns, book.format, repair=purpose != "test")
    table, figures = dataset.table, {}
    if reviewed:
        decided = decisions.read_rows(reviewed.folder, columns, group)
        with_decided = decisions.merge(table, decided, group, book.code_map(period), reviewed.delivered)
        table, figures = with_decided.table, with_decided.figures
    good, rejected = rows.set_aside(table, _problems(book, purpose, period))
    made, repaired = rows.canonical(good, columns)
    dataset = replace(dataset, findings=merged((*dataset.findings, *chain(*repaired.values()))))
    recoded: dict[str, Any] = {}
    if "label" in columns:
        found = recode(made["label"], book.code_map(period))
        labels = pc.coalesce(found.codes, made["label"].combine_chunks())
        made = made.set_column(made.column_names.index("label"), "label", labels)
        recoded = found.mapped
    made = made.append_column("text_key", text_keys(group, made))
    masks = {}
    if purpose == "training":
        dataset = replace(dataset, findings=(*dataset.findings, *_same_text_two_codes(good, made)))
        masks = split.parts(made["text_key"], made["label"], hard_texts.are_held(made["text_key"], book))
    parts = {name: made.filter(pa.array(mask)) for name, mask in masks.items()}
    return Accepted(dataset, columns, table, good, rejected, made, recoded, figures, parts)


def check_whole(found: Accepted, purpose: str, uri: str) -> None:
    """Raise BadData where the rows together cannot be used, with purpose and uri as `accept` has them."""
    rejected = rows.Tally(found.rejected)
    check_some_are_left(found.table.num_rows, rejected, purpose, uri)
    if purpose == "training":
        _check_parts(found.made, found.parts, rejected)


def _problems(book: Codebook, purpose: str, period: str) -> list[rows.Problem]:
    """What to look for in the rows.

    The labels of a test set were checked when it was made. A later codebook must not take rows away, since
    challenger and winner are scored on the same rows, whenever each runs.
    """
    problems = rows.problems_of_items()
    if purpose == "training":
        problems += rows.problems_of_labels(book, period)
    elif purpose == "test":
        problems += [rows.missing_label()]
    return problems


def check_some_are_left(delivered: int, rejected: rows.Tally, purpose: str, uri: str) -> None:
    """Raise BadData where no row is left of those delivered, naming each kind of problem with its first row.

    Such a month must stop: an output of rejected rows alone would be announced as ready. A month of which no
    row was delivered is one in which nothing was sold.
    """
    if delivered == 0:
        if purpose == "inference":
            return
        raise kinds.NO_ROWS.refusal("The dataset has no rows.")
    if rejected.rows == delivered:
        raise kinds.NO_USABLE_ROW.refusal(
            f"{uri} has {counted(delivered, 'row')} and none is usable. {_examples(rejected)}",
            KINDS[rejected.problems.most_common(1)[0][0]].fix,
        )


def _examples(rejected: rows.Tally) -> str:
    """How many rows have each of the commonest problems, and the first of each."""
    shown = []
    for kind, count in rejected.problems.most_common(SHOWN):
        row = rejected.first[kind][0]
        shown.append(f"{count:,} like {row['file']}, row {row['row']}: {row['reason']}")
    return " ".join(shown)


def _same_text_two_codes(good: pa.Table, made: pa.Table) -> tuple[Finding, ...]:
    """The texts that have several codes, each with the first row that has another code than one before it.

    `good` are the rows as delivered, `made` the same in the same order, with `text_key` and codes in force.
    """
    pairs = pa.table(
        {"text": made["text_key"], "code": made["label"], "at": pa.array(np.arange(made.num_rows))}
    )
    codes = pairs.group_by(["text", "code"]).aggregate([("at", "min")])
    texts = codes.group_by("text").aggregate([("code", "list"), ("at_min", "list"), ("at_min", "count")])
    several = texts.filter(pc.greater(texts["at_min_count"], 1)).to_pylist()
    found = sorted(
        (sorted(zip(text["at_min_list"], text["code_list"], strict=True)) for text in several),
        key=lambda codes: codes[1][0],
    )
    places = []
    for codes_of_text in found[:SHOWN]:
        at = codes_of_text[1][0]
        row = good.slice(at, 1).select(["_file", "_row", "title"]).to_pylist()[0]
        said = " and ".join(code for _, code in codes_of_text)
        places.append(Place(row["_file"], row["_row"], f"{shortened(row['title'])}: {shortened(said)}"))
    return (Finding(kinds.SAME_TEXT_TWO_CODES, len(found), tuple(places)),) if found else ()


def _codes_of_one_text(made: pa.Table) -> list[str]:
    """Their texts train (`split.parts`), so that few or none may be left to validate."""
    texts = made.group_by("label").aggregate([("text_key", "count_distinct")])
    return sorted(texts["label"].filter(pc.equal(texts["text_key_count_distinct"], 1)).to_pylist())


def _check_parts(made: pa.Table, parts: dict[str, pa.Table], rejected: rows.Tally) -> None:
    """Raise BadData where the rows of train, validation and test cannot serve as such."""
    set_aside = f" Set aside: {_examples(rejected)}" if rejected.rows else ""
    codes = pc.unique(made["label"]).to_pylist()
    if len(codes) == 1:
        raise kinds.ONE_LABEL.refusal(
            f"Every usable row has the same label, {codes[0]!r}: there is nothing to learn.{set_aside}"
        )
    counts = {name: part.num_rows for name, part in parts.items()}
    one_text = _codes_of_one_text(made)
    if made.num_rows >= MIN_ROWS and one_text and not counts["validation"]:
        raise kinds.ONE_TEXT_CODES.refusal(
            f"Of {counted(len(codes), 'code')} in {made.num_rows} usable rows {len(one_text)} have rows of "
            f"one text only, as {', '.join(map(repr, one_text[:SHOWN]))}: what is learned from it cannot be "
            f"checked on another.{set_aside}"
        )
    learnable = pc.count_distinct(parts["train"]["label"]).as_py()
    if made.num_rows < MIN_ROWS or not all(counts.values()) or learnable < 2:
        shown = ", ".join(f"{count} {name}" for name, count in counts.items())
        if held := made.num_rows - sum(counts.values()):
            shown += f", {held} held out as hard texts"
        raise kinds.FEW_ROWS.refusal(
            f"{made.num_rows} usable rows are too few to split: {shown}, "
            f"with {counted(learnable, 'code')} to train on.{set_aside}",
            f"deliver more labelled rows with different texts, {MIN_ROWS} at the very least.",
        )
