"""The sheets of a month's items that go out: those to review, and a blind sample; in sentences for people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.evidence.training_rows import RowsMissing
from pipelines.ledger.reading import LedgerError
from pipelines.report import review_page
from pipelines.review import labelling, sheet
from pipelines.review import sample as samples
from pipelines.review import second as second_sheet
from pipelines.review.published import (
    Output,
    Places,
    ReviewError,
    current_codebook,
    current_policy,
    learned,
    published,
)
from pipelines.review.queue import expected_right, sheet_rows
from processing.codes.codebook import Codebook
from processing.policy import SUGGEST
from processing.words import counted


def export_sheet(
    places: Places,
    group: str,
    period: str,
    path: Path,
    of_run: str | None = None,
    wanted: list[str] | None = None,
    second: Path | None = None,
) -> str:
    """Write a month's sheet or page to label on, none if nothing waits; return what to tell people.

    `places` is of pipelines/review/published.py; `of_run` names the labels' run, by default the newest;
    `wanted` are the ids of the items, by default of those that wait for review; `second` is where the sheet
    for a second reviewer goes, if there is to be one. Raises ReviewError.
    """
    output = published(places, group, period, of_run)
    book = current_codebook(places, group)
    learned_rows, lacking = _learned(places, output)
    # Where a second person codes some of the rows, each item has its own: agreement is counted by items.
    policy = current_policy(places, group)
    policy = replace(policy, family=SUGGEST) if second else policy
    rows = list(sheet_rows(places, output, book, wanted, learned_rows, policy))
    if not rows:
        return f"Nothing is waiting for review in {output.address}"
    codes = codes_in_force(book, period)
    write(path, output, rows, codes, sheet.COLUMNS)
    written = f"{path}: {counted(len(rows), 'item')} of {output.manifest['run']}"
    if (more := sum(row["stands_for"] - 1 for row in rows if row["family"])) > 0:
        written += f"\nThey stand for {counted(len(rows) + more, 'item')}: see the column `stands_for`"
    if wanted is None:
        curve = expected_right(output.labels, [row["errors"] for row in rows])
        steps = ", ".join(f"{100 * share:.1f} % after {count:,}" for count, share in curve)
        written += f"\nOf the month's labels are expected to be right, by rows filled in: {steps}"
    if second:
        twice = second_sheet.draw(places, output, rows, datetime.now(UTC))
        write(second, output, twice, codes, sheet.COLUMNS)
        written += f"\n{second}: {len(twice)} of them, for a second person to code"
    return f"{written}{lacking}\n{choice(codes, period)}"


def sample_sheet(
    places: Places,
    group: str,
    period: str,
    path: Path,
    width: float | None = None,
    most: int | None = None,
) -> str:
    """Write the sheet of a month's blind sample; return the message for the person.

    `places` is of pipelines/review/published.py; `width` and `most` of pipelines.review.sample.draw. Raises
    ReviewError.
    """
    drawn = samples.draw(places, published(places, group, period), datetime.now(UTC), width, most)
    codes = codes_in_force(current_codebook(places, group), period)
    write(path, drawn.output, list(samples.sheet_rows(places, drawn)), codes, samples.COLUMNS)
    written = f"{path}: {counted(len(drawn.rows), 'item')} of {len(drawn.codes):,} labels without a person"
    return f"{written}, drawn on {drawn.record['drawn_at'][:10]} as {drawn.name}\n{choice(codes, period)}"


def write(
    path: Path, output: Output, rows: list[dict[str, Any]], codes: Mapping[str, str], columns: Sequence[str]
) -> None:
    """Write a sheet; or, where the file's name ends in `.html`, the page to label on.

    Raises ReviewError where the file is there already.
    """
    if path.exists():
        raise ReviewError(
            f"{path} is there already, and somebody may have filled it in. Fix: import or remove it, or name "
            "another file"
        )
    if path.suffix != ".html":
        sheet.write(path, rows, codes, columns)
        return
    about = {"group": output.manifest["group"], "period": output.manifest["period"]}
    frequent = labelling.most_frequent(output.labels["code"])
    contents = labelling.contents(rows, codes, frequent, **about, file=f"{path.stem}.csv")
    path.write_text(review_page(contents), encoding="utf-8")


def codes_in_force(book: Codebook, period: str) -> dict[str, str]:
    """The codes in force in a month, each with its description."""
    in_force = set(book.in_force(period))
    return {code.code: code.description for code in book.codes if code.code in in_force}


def choice(codes: dict[str, str], period: str) -> str:
    """What the column `code` takes, for the message."""
    listed = "\n".join(f"  {code}  {description}" for code, description in {**codes, **sheet.WORDS}.items())
    return f"The column `code` takes one of these, in force in {period}:\n{listed}"


def _learned(places: Places, output: Output) -> tuple[pa.Table | None, str]:
    """The rows that the labels' model learned from, or a line that says why none: they only help."""
    try:
        return learned(places, output), ""
    except (LedgerError, RowsMissing) as error:
        return None, f"\nThe column `alike` is empty: {error}"
