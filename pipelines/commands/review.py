"""`labelmill review`: the sheet of uncertain items, out and back."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands import arguments
from pipelines.commands.shared import Subparsers, add_stack, guarded
from processing.words import counted

if TYPE_CHECKING:
    from pipelines.review.published import Places

EPILOG = """\
Fill in the column `code`: a code, or NONE (no code fits), SKIP (I cannot tell), WITHDRAW (take back what a
person decided). `why` may say the reason. Leave all other columns as they are; empty rows stay open.
The sheet is CSV, or a workbook with a list to pick from where the file ends in .xlsx.
With --items the sheet has the items you name, also those that are labelled or decided: to correct them.

Examples:
  labelmill review export DE-weee 2026-10 --out review.xlsx
  labelmill review import review.xlsx --by "A. Muster"
  labelmill review export DE-weee 2026-10 --items wrong.txt --out correct.xlsx
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `review` and its two verbs to the command line."""
    parser = subparsers.add_parser(
        "review",
        description="Export the items a person must review, import the decisions (docs/outputs.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    export = verbs.add_parser(
        "export",
        help="write the sheet, most valuable items first",
        epilog="Example: labelmill review export DE-weee 2026-10",
    )
    export.add_argument("group", type=arguments.group, metavar="GROUP", help="a model group, such as DE-weee")
    export.add_argument("period", type=arguments.period, metavar="PERIOD", help="such as 2026-10")
    export.add_argument(
        "--run", dest="of_run", metavar="RUN", help="labels of this run (default: the newest)"
    )
    export.add_argument(
        "--items", type=Path, metavar="FILE", help="these items, whatever their status: one item_id a line"
    )
    export.add_argument("--out", type=_sheet, metavar="FILE", help="default: review-GROUP-PERIOD.csv")
    export.set_defaults(run=guarded(_export))

    import_ = verbs.add_parser(
        "import",
        help="check a filled sheet and publish the labels with its decisions",
        epilog='Example: labelmill review import review.xlsx --by "A. Muster"',
    )
    import_.add_argument("file", type=Path, metavar="FILE")
    import_.add_argument("--by", required=True, metavar="NAME", help="who decided; kept with each decision")
    import_.set_defaults(run=guarded(_import))

    add_stack(export, import_)


def _sheet(text: str) -> Path:
    if not text.endswith((".csv", ".xlsx")):
        raise argparse.ArgumentTypeError(f"{text} is no sheet's name. Fix: end it in .csv or .xlsx")
    return Path(text)


def _export(args: argparse.Namespace) -> int:
    path = args.out or Path(f"review-{args.group}-{args.period}.csv")
    wanted = _ids(args.items) if args.items else None
    print(export_sheet(_places(args.stack), args.group, args.period, path, args.of_run, wanted))
    return 0


def _ids(path: Path) -> list[str]:
    """The lines of a file; no item_id holds a line break."""
    from pipelines.review.published import ReviewError

    try:
        return [line for line in path.read_text(encoding="utf-8-sig").split("\n") if line]
    except UnicodeDecodeError:
        raise ReviewError(f"{path} is not UTF-8. Fix: save it as UTF-8, one item_id a line") from None


def export_sheet(
    places: Places,
    group: str,
    period: str,
    path: Path,
    of_run: str | None = None,
    wanted: list[str] | None = None,
) -> str:
    """Write the sheet of a month, none if nothing waits; return the message for the person.

    `places` is of pipelines/review/published.py; `of_run` names the labels' run, by default the newest;
    `wanted` are the ids of the items, by default of those that wait for review. Raises ReviewError.
    """
    from pipelines.review import sheet
    from pipelines.review.published import current_codebook, published
    from pipelines.review.queue import sheet_rows

    output = published(places, group, period, of_run)
    book = current_codebook(places, group)
    rows = list(sheet_rows(places, output, book, wanted))
    if not rows:
        return f"Nothing is waiting for review in {output.address}"
    in_force = set(book.in_force(period))
    codes = {code.code: code.description for code in book.codes if code.code in in_force}
    sheet.write(path, rows, codes)
    choice = {**codes, **sheet.WORDS}
    listed = "\n".join(f"  {code}  {description}" for code, description in choice.items())
    written = f"{path}: {counted(len(rows), 'item')} of {output.manifest['run']}"
    return f"{written}\nThe column `code` takes one of these, in force in {period}:\n{listed}"


def _import(args: argparse.Namespace) -> int:
    from pipelines.review.published import ReviewError

    by = " ".join(args.by.split())
    if not by or len(by) > 80 or not by.isprintable():
        raise ReviewError("--by is empty, too long or unprintable. Fix: give a name of up to 80 letters")
    print(import_sheet(_places(args.stack), args.file, by))
    return 0


def import_sheet(places: Places, path: Path, by: str) -> str:
    """Check a filled sheet and start the run that publishes its decisions; return the message for the person.

    `places` is of pipelines/review/published.py; `by` is who decided. Raises ReviewError or SheetError.
    """
    from pipelines.review import decisions, sheet
    from pipelines.review.published import current_codebook, published

    rows = list(sheet.read(path))
    group, period = decisions.group_and_period(rows, str(path))
    newest = published(places, group, period)
    exported = rows[0][1]["run"]
    seen = newest if exported == newest.manifest["run"] else published(places, group, period, exported)
    found = decisions.read_sheet(rows, seen, newest, current_codebook(places, group), str(path))
    left = sum(not row["code"] for _, row in rows)
    said = [f"{counted(len(found.decisions), 'decision')} by {by}, {left} left open"]
    if found.known:
        said.append(f"{found.known} more in the labels of {newest.manifest['run']} already")
    if found.overtaken:
        said += [f"{len(found.overtaken)} not taken:", decisions.first(found.overtaken)]
        said.append("Export those again where it matters (labelmill review export --items)")
    if found.decisions:
        run, new = decisions.send(places, newest, found.decisions, by, datetime.now(UTC))
        said.append(f"The run {run} publishes them" if new else f"They were imported before: see run {run}")
    return "\n".join(said)


def _places(stack: str) -> Places:
    import boto3

    from pipelines.review.published import Places
    from pipelines.stack import outputs

    return Places.of(boto3.client, outputs(stack, boto3.client("cloudformation")))
