"""`labelmill review`: sheets of items and of training labels, out and back."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands import arguments
from pipelines.commands.shared import Subparsers, add_stack, guarded

if TYPE_CHECKING:
    from pipelines.review.published import Places

EPILOG = """\
Fill in the column `code`: a code, or NONE (no code fits), SKIP (I cannot tell), WITHDRAW (take back what a
person decided). A mark in `none` says NONE as well, `why` may say the reason. Leave all other columns as they
are; empty rows stay open. The sheet is CSV; a workbook with a list to pick from where the file ends in .xlsx;
a page to label on by keys, in any browser and offline, where it ends in .html: it saves a CSV.
With --items the sheet has the items you name, also those that are labelled or decided: to correct them.
With --second a few of the rows go on a second sheet, for another person: it shows how far two people agree.
`sample` draws labels that no person has looked at, once a month, and shows nothing of them: what comes back
measures how many are right, and corrects those that are not.
`labels` writes the training labels that are likely wrong: what comes back counts from the next training on.

Examples:
  labelmill review export DE-weee 2026-10 --out review.xlsx
  labelmill review export DE-weee 2026-10 --out review.html
  labelmill review import review.xlsx --by "A. Muster"
  labelmill review export DE-weee 2026-10 --items wrong.txt --out correct.xlsx
  labelmill review sample DE-weee 2026-10 --out sample.xlsx
  labelmill review labels DE-weee --out labels.xlsx
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `review` and its four verbs to the command line."""
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
    arguments.add_group_and_period(export)
    export.add_argument(
        "--run", dest="of_run", metavar="RUN", help="labels of this run (default: the newest)"
    )
    which = export.add_mutually_exclusive_group()
    which.add_argument(
        "--items", type=Path, metavar="FILE", help="these items, whatever their status: one item_id a line"
    )
    which.add_argument(
        "--second",
        type=_sheet,
        metavar="FILE",
        help="a sheet of some of the rows, for a second person to code",
    )
    export.add_argument("--out", type=_sheet, metavar="FILE", help="default: review-GROUP-PERIOD.csv")
    export.set_defaults(run=guarded(_export))

    sample = verbs.add_parser(
        "sample",
        help="write a blind random sample of the labels that no person has looked at",
        epilog="Example: labelmill review sample DE-weee 2026-10 --width 1 --out sample.xlsx",
    )
    arguments.add_group_and_period(sample)
    sample.add_argument(
        "--width", type=_points, metavar="POINTS", help="of the interval, to either side (default: 2)"
    )
    sample.add_argument("--most", type=int, metavar="N", help="at most so many rows, however wide it gets")
    sample.add_argument("--out", type=_sheet, metavar="FILE", help="default: sample-GROUP-PERIOD.csv")
    sample.set_defaults(run=guarded(_sample))

    labels = verbs.add_parser(
        "labels",
        help="write the training labels that are likely wrong, the worst first",
        epilog="Example: labelmill review labels DE-weee --out labels.xlsx",
    )
    labels.add_argument("group", type=arguments.group, metavar="GROUP", help="a model group, such as DE-weee")
    labels.add_argument("--model", metavar="MODEL", help="learned from them (default: the group's newest)")
    labels.add_argument("--out", type=_sheet, metavar="FILE", help="default: labels-GROUP.csv")
    labels.set_defaults(run=guarded(_labels))

    import_ = verbs.add_parser(
        "import",
        help="check a filled sheet and publish the labels with its decisions",
        epilog='Example: labelmill review import review.xlsx --by "A. Muster"',
    )
    import_.add_argument("file", type=Path, metavar="FILE")
    import_.add_argument("--by", required=True, metavar="NAME", help="who decided; kept with each decision")
    import_.set_defaults(run=guarded(_import))

    add_stack(export, sample, labels, import_)


def _sheet(text: str) -> Path:
    if not text.endswith((".csv", ".xlsx", ".html")):
        raise argparse.ArgumentTypeError(f"{text} is no sheet's name. Fix: end it in .csv, .xlsx or .html")
    return Path(text)


def _export(args: argparse.Namespace) -> int:
    from pipelines.commands.review_out import export_sheet

    path = args.out or Path(f"review-{args.group}-{args.period}.csv")
    wanted = _ids(args.items) if args.items else None
    places = _places(args.stack)
    print(export_sheet(places, args.group, args.period, path, args.of_run, wanted, args.second))
    return 0


def _points(text: str) -> float:
    """Points as a share: `2` is 0.02."""
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?", text) or not 0.1 <= float(text) <= 50:
        raise argparse.ArgumentTypeError(f"{text} is not a number of points from 0.1 to 50")
    return float(text) / 100


def _sample(args: argparse.Namespace) -> int:
    from pipelines.commands.review_out import sample_sheet

    path = args.out or Path(f"sample-{args.group}-{args.period}.csv")
    print(sample_sheet(_places(args.stack), args.group, args.period, path, args.width, args.most))
    return 0


def _labels(args: argparse.Namespace) -> int:
    from pipelines.commands.review_labels import labels_sheet

    print(
        labels_sheet(
            _places(args.stack), args.group, args.out or Path(f"labels-{args.group}.csv"), args.model
        )
    )
    return 0


def _ids(path: Path) -> list[str]:
    """The lines of a file; no item_id holds a line break."""
    from pipelines.review.published import ReviewError

    try:
        return [line for line in path.read_text(encoding="utf-8-sig").split("\n") if line]
    except UnicodeDecodeError:
        raise ReviewError(f"{path} is not UTF-8. Fix: save it as UTF-8, one item_id a line") from None


def _import(args: argparse.Namespace) -> int:
    from pipelines.commands.review_in import import_sheet
    from pipelines.review.published import ReviewError

    by = " ".join(args.by.split())
    if not by or len(by) > 80 or not by.isprintable():
        raise ReviewError("--by is empty, too long or unprintable. Fix: give a name of up to 80 letters")
    print(import_sheet(_places(args.stack), args.file, by))
    return 0


def _places(stack: str) -> Places:
    import boto3

    from pipelines.review.published import Places
    from pipelines.stack import outputs

    return Places.of(boto3.client, outputs(stack, boto3.client("cloudformation")))
