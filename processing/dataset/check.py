"""What would become of a dataset if it were sent: all that people ask of it beforehand, as JSON has it.

It is judged as Prepare judges it, by accept.py. Labels that people gave in reviews are not at hand here.
"""

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.codebook import Codebook
from processing.dataset import data_files, kinds, manifest, rows_set_aside
from processing.dataset.accept import Accepted, check_whole, judge
from processing.dataset.findings import (
    Finding,
    Place,
    Recognised,
    findings_in_report,
    found_at,
    recognised_in_report,
)
from processing.dataset.manifest import DataFile
from processing.dataset.rows import Tally
from processing.errors import JobError
from processing.policy import Policy
from processing.words import counted


def check(
    path: Path, book: Codebook, policy: Policy, *, period: str, purpose: str, uri: str = ""
) -> dict[str, Any]:
    """Judge a data file, or a folder of them with or without a manifest.

    Args:
        path: the file or folder.
        book: the group's codebook.
        policy: the group's.
        period: `YYYY-MM`.
        purpose: `training` or `inference`.
        uri: where the dataset is; empty: where its manifest says that it will be.

    Returns:
        `taken`, and of what is `refused` the `kind`, `problem` and `fix`. `read`, `findings` as Prepare's
        report has them, with the rows that would be set aside; and unless a file is refused the number of
        `rows`, of `usable` ones, the `columns` (`type`, and how many rows are `filled`), for purpose training
        also `codes`, the commonest first (`rows`, distinct `texts`, and how many of these would `test`),
        `comparison`: whether their `test_texts` suffice, and a `sentence` on it; and `set_aside` as Prepare's
        report has it, with whether for that a person must approve (`approval`), and a `sentence`.
    """
    about = {
        "group": book.group,
        "period": period,
        "purpose": purpose,
        "codebook_version": book.version,
    }
    left_over: tuple[Finding, ...] = ()
    files: list[DataFile] = []
    try:
        files = _files(path, uri)
        names = manifest.left_over(path, files) if path.is_dir() else []
        left_over = found_at(kinds.LEFT_OVER, [Place(name) for name in names])
        found = judge(files, book, group=book.group, period=period, purpose=purpose)
    except JobError as error:
        read, errors = _one_by_one(files, book, purpose)
        return {
            "taken": False,
            **about,
            "refused": [_refused(each) for each in errors or [error]],
            "read": recognised_in_report(read.items()),
            "findings": findings_in_report(left_over),
        }
    errors = []
    try:
        check_whole(found, purpose, uri or path.name)
    except JobError as error:
        errors.append(error)
    return {
        "taken": not errors,
        **about,
        "refused": [_refused(error) for error in errors],
        "read": recognised_in_report(found.dataset.recognised.items()),
        "findings": findings_in_report((*left_over, *found.findings)),
        "rows": found.table.num_rows,
        "usable": found.made.num_rows,
        "columns": {
            name: {"type": kind, "filled": _filled(found.made[name])} for name, kind in found.columns.items()
        },
        **(_of_training(found, book, policy, period) if purpose == "training" else {}),
    }


def _files(path: Path, uri: str) -> list[DataFile]:
    if not path.is_dir():
        return [DataFile(path.name, path, None)]
    if (path / manifest.NAME).exists():
        return manifest.read(path, uri or manifest.address(path))
    files = manifest.unlisted(path)
    if not files:
        raise kinds.NOT_DELIVERED.refusal(f"{path.name} holds no data file.", kinds.UNKNOWN_FORMAT.fix)
    return files


def _one_by_one(
    files: list[DataFile], book: Codebook, purpose: str
) -> tuple[dict[str, Recognised], list[JobError]]:
    """What each file was taken for, or why it is refused: all of them, where Prepare stops at the first."""
    columns = data_files.columns_of(book.attributes, labelled=purpose != "inference")
    read: dict[str, Recognised] = {}
    errors = []
    for file in files:
        try:
            read |= data_files.read([file], columns, book.format).recognised
        except JobError as error:
            errors.append(error)
    return read, errors


def _refused(error: JobError) -> dict[str, str]:
    return {"kind": error.kind, "problem": error.problem, "fix": error.fix}


def _filled(values: pa.ChunkedArray) -> int:
    if pa.types.is_string(values.type):
        values = pc.if_else(pc.equal(values, ""), None, values)
    return len(values) - int(values.null_count)


def _of_training(found: Accepted, book: Codebook, policy: Policy, period: str) -> dict[str, Any]:
    rows = Counter(found.made["label"].to_pylist())
    texts, test = _texts(found.made), _texts(found.parts["test"])
    codes = rows_set_aside.codes_of(found.table, found.good, book, period)
    set_aside = rows_set_aside.account(Tally(found.rejected), found.table.num_rows, codes)
    too_many = rows_set_aside.too_many(set_aside, policy.set_aside)
    return {
        "codes": {
            code: {"rows": number, "texts": texts[code], "test": test[code]}
            for code, number in rows.most_common()
        },
        "comparison": _comparison(pc.count_distinct(found.parts["test"]["text_key"]).as_py(), policy),
        "set_aside": set_aside
        | {
            "approval": too_many,
            "sentence": rows_set_aside.in_words(set_aside, policy.set_aside if too_many else None),
        },
    }


def _texts(table: pa.Table) -> Counter[str]:
    """Distinct texts by code."""
    pairs = table.select(["label", "text_key"]).group_by(["label", "text_key"]).aggregate([])
    return Counter(pairs["label"].to_pylist())


def _comparison(test_texts: int, policy: Policy) -> dict[str, Any]:
    """Whether so many distinct test texts suffice to compare models (docs/verdicts.md).

    Below the policy's min_rows exact tests decide alone. The exact McNemar test shows nothing, even where all
    texts speak for one model, unless two-sided 2 * 0.5 ** n_texts is at most the level.
    """
    least = math.ceil(1 - math.log2(policy.level))
    if test_texts >= policy.min_rows:
        says = "enough to compare them"
    elif test_texts >= least:
        says = f"exact tests decide alone, as min_rows is {policy.min_rows:,}, and see clear gains only"
    else:
        says = f"too few to compare them, {least} at the very least"
    return {
        "test_texts": test_texts,
        "min_rows": policy.min_rows,
        "suffices": test_texts >= least,
        "sentence": f"{counted(test_texts, 'distinct text')} would test models: {says}.",
    }
