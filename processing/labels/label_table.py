"""The labelled rows, every row of the dataset among them: as Parquet and as CSV.

People open the workbook that is made of the Parquet file (pipelines/report/label_workbook.py).
"""

import codecs
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from processing.arrays import Booleans, Floats
from processing.codes.codebook import Codebook
from processing.codes.recode import recode, recode_lists, recode_second
from processing.labels import csv_guard, review_queue
from processing.labels.reliability import Record
from processing.octets import has_any
from processing.policy import Policy

COLUMNS = {
    "item_id": "the item, as the dataset names it",
    "code": "a code of the codebook; for status review, a suggestion; empty if none or rejected",
    "description": "the code's description in the codebook",
    "confidence": "the model's confidence in the code, in [0, 1]; empty where the code is a person's",
    "second_code": "the model's second most likely code",
    "short_list": "for status review, the codes that hold the right one for 95 % of the items that a person "
    "sees, the likeliest first, at most five, and how many more it would take; empty where the code is "
    "enough, or the model has no list",
    "status": "labelled: use the code; review: a person must decide; none: a person found that no code fits; "
    "rejected: the row could not be used",
    "reason": "why the status is not labelled, or which change of codes led to the code",
    "model": "the model that labelled the whole dataset",
    "codebook_version": "the version of the codebook",
    "dataset": "S3 address of the dataset",
    "run": "the execution that made the label",
    "labelled_at": "when, UTC",
    "answer": "what a person said: code, none (no code fits), skip, withdrawn, same_text (of another item "
    "with the same text); empty if nobody said anything",
    "decided_by": "the name of the reviewer whose answer it is",
    "decided_at": "when the reviewer answered, UTC",
    "decided_on": "the item that the reviewer looked at, where the answer was given for its whole family",
    "why": "the reviewer's reason, where one was given",
    "suggested": "the model's code, where a person decided or a person's decision is suggested",
    "text_key": "hash of the item's title, brand and product type; the same for the same text",
    "family": "the same for items whose titles differ only in variant parts, such as size, colour, pack",
    "model_group": "the model group",
    "period": "the month",
    "truth": "the known label (test sets only)",
    "title": "the item's title (test sets only)",
    "known_share": "share of the item's text that the model knows, in [0, 1] (test sets only)",
    "since": "the month since when the text has been among the labelled rows; empty if from the start "
    "(test sets only)",
}
TEST_ONLY = ("truth", "title", "known_share", "since")
TIME = pa.timestamp("ms", tz="UTC")
TYPES = {"confidence": pa.float64(), "known_share": pa.float64(), "labelled_at": TIME, "decided_at": TIME}
#: The answers that decide on an item.
DECIDED = ("code", "none", "same_text")
UNSURE = "The model is not sure enough."
DOUBTED = "The model has been wrong more often than it says."
LET_THROUGH = "The model is not sure enough, but reviewers are at capacity."
WHY = (None, UNSURE, DOUBTED, LET_THROUGH)


def questions(predictions: pa.Table, said: pa.Table, book: Codebook, period: str) -> pa.Table:
    """What decides on review, a row a prediction; `to_review` needs that of all of the month.

    `confidence`; `marked`: the model itself is not sure; `nameless`: no code in force stands for its code;
    `no_code`: as that, or what people said must be decided anew; `open`: no person has decided.
    """
    nameless = recode(predictions["code"], book.code_map(period)).codes.is_null()
    return pa.table(
        {
            "confidence": predictions["confidence"],
            "marked": predictions["review"],
            "nameless": nameless,
            "no_code": pc.or_(nameless, pc.is_valid(said["ended"])),
            # What people have decided takes nobody's time, and is no automatic label.
            "open": pc.invert(pc.is_in(said["answer"], value_set=pa.array(DECIDED))),
        }
    )


def to_review(
    asked: pa.Table, policy: Policy, record: Record | None = None
) -> tuple[pa.Array, dict[str, object]]:
    """Why each item goes to review though it has a code, the number of one of WHY, (n,); and the review plan.

    Where `record`, what became of the model's labels, is worse than its confidence says, so many more go to
    review that the wanted precision holds by the record. Confidence itself is shown as the model gave it.
    `asked` is of `questions`, for the whole month.
    """
    confidence = asked["confidence"].to_numpy()
    marked, nameless, no_code, open_ = (
        np.asarray(asked[name], bool) for name in ("marked", "nameless", "no_code", "open")
    )

    def queue(confidence: Floats) -> review_queue.Queue:
        return review_queue.choose(confidence[open_], marked[open_], no_code[open_], policy)

    corrected = record.corrected(confidence) if record else confidence
    as_said = queue(confidence)
    chosen = as_said if corrected is confidence else queue(corrected)
    why = np.zeros(len(open_), np.int8)
    doubted = chosen.unsure & ~as_said.unsure
    masks = (chosen.unsure, doubted, chosen.let_through)
    why[open_] = np.select(masks[::-1], [WHY.index(each) for each in (LET_THROUGH, DOUBTED, UNSURE)])
    automatic = open_ & ~no_code
    automatic[open_] &= ~as_said.unsure
    alone = as_said
    if not open_.all() or (no_code != nameless).any():
        alone = review_queue.choose(confidence, marked, nameless, policy)
    plan = chosen.plan | {
        "needed_as_said": alone.plan["needed"],
        "reliability": _reliability(record, confidence[automatic], doubted),
    }
    return pa.array(why), plan


def label(predictions: pa.Table, said: pa.Table, why: pa.Array, book: Codebook, period: str) -> pa.Table:
    """Each prediction with its status, columns as in COLUMNS up to `reason`.

    A code that is not in force in the period is replaced where exactly one code in force stands for it; else
    the item goes to review with the model's code, whatever the confidence. The reason names the change.

    `said` is of standing_decisions.standing, `why` of `to_review`, both in the order of the predictions: what
    people have decided is put into the labels later, and what they must decide anew goes to review.
    """
    recoded = recode(predictions["code"], book.code_map(period))
    code = pc.coalesce(recoded.codes, predictions["code"].combine_chunks())
    sentence = pa.array(WHY, pa.string()).take(why)
    reason = pc.coalesce(sentence, pc.if_else(pc.equal(recoded.reasons, ""), None, recoded.reasons))
    unsure = pc.is_in(sentence, value_set=pa.array([UNSURE, DOUBTED]))
    # What people must decide anew has no code either.
    review = pc.or_(unsure, pc.or_(recoded.codes.is_null(), pc.is_valid(said["ended"]).combine_chunks()))
    return pa.table(
        {
            "item_id": predictions["item_id"],
            "code": code,
            "description": descriptions(code, book),
            "confidence": predictions["confidence"],
            "second_code": recode_second(predictions["second_code"], code, book.code_map(period)),
            "short_list": recode_lists(
                predictions["short_list"], predictions["short_list_size"], review, book.code_map(period)
            ),
            "status": pc.if_else(review, "review", "labelled"),
            "reason": reason,
        }
    )


def _reliability(record: Record | None, confidence: Floats, doubted: Booleans) -> dict[str, object] | None:
    """What the record says of the labels that need no person if the model is believed; None: nothing."""
    estimate = record and record.estimate(confidence)
    if not record or not estimate:
        return None
    begins = record.begins()
    return {
        "since": record.since[begins] if begins else "",
        "tested": int(record.rows[begins:].sum()),
        "wrong": int(record.wrong[begins:].sum()),
        "expected_wrong": round(float(record.expected[begins:].sum()), 1),
        "worse_than_said": record.is_worse_than_said(),
        "right": estimate.right,
        "at_least": estimate.at_least,
        "sent_to_review": int(doubted.sum()),
    }


def descriptions(codes: pa.Array, book: Codebook) -> pa.Array:
    """What the codebook calls each code; null for one that it does not have."""
    names = pa.array([entry.description for entry in book.codes], pa.string())
    return names.take(pc.index_in(codes, pa.array([entry.code for entry in book.codes])))


def replace(table: pa.Table, where: pa.Array | pa.ChunkedArray, values: Mapping[str, object]) -> pa.Table:
    """The table with other `values` in the rows `where`: by column, a value a row, or one for all."""
    if not where.null_count and not pc.any(where).as_py():
        return table
    for name, value in values.items():
        kind = table.schema.field(name).type
        new = value if isinstance(value, pa.Array | pa.ChunkedArray) else pa.scalar(value, kind)
        column = pc.if_else(where, new, table[name])
        table = table.set_column(table.column_names.index(name), name, column.cast(kind))
    return table


def rejected_rows(rejected: pa.Table) -> pa.Table:
    """The rows that Prepare set aside, as published: what is not known is null."""
    row = rejected["row"].cast(pa.string())
    reason = pc.binary_join_element_wise(rejected["reason"], " (", rejected["file"], ", row ", row, ")", "")
    status = pa.array(["rejected"] * rejected.num_rows, pa.string())
    return pa.table({"item_id": rejected["item_id"], "status": status, "reason": reason})


def complete(table: pa.Table, names: Iterable[str]) -> pa.Table:
    """The table with these columns: labels of before there was one have it without a value."""
    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), TYPES.get(name, pa.string())))
    return table


def assemble(parts: list[pa.Table], constants: dict[str, object], *, test_set: bool) -> pa.Table:
    """All rows with all published columns; `constants` are the values that are the same in every row."""
    names = [name for name in COLUMNS if test_set or name not in TEST_ONLY]
    schema = pa.schema([(name, TYPES.get(name, pa.string())) for name in names])
    parts = [
        pa.table(
            [
                part[n] if n in part.column_names else pa.nulls(part.num_rows, schema.field(n).type)
                for n in names
            ],
            schema=schema,
        )
        for part in parts
    ]
    table = pa.concat_tables(parts)
    for name, value in constants.items():
        values = pa.repeat(pa.scalar(value, schema.field(name).type), table.num_rows)
        table = table.set_column(names.index(name), name, values)
    return table


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write the rows for machines."""
    pq.write_table(table, path, compression="zstd")


def write_csv(table: pa.Table, path: Path) -> None:
    """Write the rows for editors and programs: plain values, and no text that a spreadsheet calculates."""
    with CsvFile(path) as file:
        file.write(table)


class CsvFile:
    """A CSV that is written part by part.

    UTF-8 with byte order mark, which Excel needs to see that it is UTF-8. What csv_guard does to a text that
    could be a formula is undone there; all else is as in the Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._file.write(codecs.BOM_UTF8)
        self._writer: pyarrow.csv.CSVWriter | None = None

    def write(self, table: pa.Table) -> None:
        """Add rows; the first ones name the columns."""
        shown = pa.table({name: _shown(name, table[name]) for name in table.column_names})
        if self._writer is None:
            options = pyarrow.csv.WriteOptions(quoting_style="needed")
            self._writer = pyarrow.csv.CSVWriter(self._file, shown.schema, write_options=options)
        self._writer.write_table(shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()
        self._file.close()


def _shown(name: str, values: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column as the CSV has it; where values repeat, each different one is converted once."""
    if pa.types.is_floating(values.type):
        return values
    values = values.combine_chunks()
    if name in ("item_id", "text_key", "family"):
        return _guarded(values)
    if pa.types.is_timestamp(values.type):
        encoded = values.dictionary_encode()
        return pc.strftime(encoded.dictionary, format="%Y-%m-%dT%H:%M:%SZ").take(encoded.indices)
    different = values.unique()
    if _guarded(different).equals(different):
        return values
    encoded = values.dictionary_encode()
    return _guarded(encoded.dictionary).take(encoded.indices)


def _guarded(values: pa.Array) -> pa.Array:
    if not has_any(values, csv_guard.SIGNS):
        return values
    return pc.replace_substring_regex(values, csv_guard.FORMULA, r"\1'\2")
