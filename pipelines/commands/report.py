"""`labelmill report`: pages on comparisons, labels, months and all of them; workbooks of labels."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands import arguments, exports
from pipelines.commands.shared import Subparsers, add_stack, guarded

if TYPE_CHECKING:
    from pipelines.failures.failure import Stack
    from pipelines.report.archive import Archive

EPILOG = """\
A page is one HTML file that holds everything it shows; a workbook opens in Excel and LibreOffice.

Examples:
  labelmill report comparison DE-weee-comparison-2026-10-0f3a9c21d4e5
  labelmill report labels DE-weee 2026-10
  labelmill report period 2026-10 --out reports
  labelmill report index --out reports
  labelmill report workbook DE-weee 2026-10
  labelmill report mlflow --tracking-uri sqlite:///mlflow.db
  labelmill report registry
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `report` and its verbs to the command line."""
    parser = subparsers.add_parser(
        "report",
        description="Pages on models and labels (docs/reports.md), workbooks, exports (docs/exports.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    comparison = verbs.add_parser(
        "comparison",
        help="the page of one comparison",
        epilog="Example: labelmill report comparison DE-weee-comparison-2026-10-0f3a9c21d4e5",
    )
    comparison.add_argument("name", metavar="RUN", help="the comparison's run; the SNS message names it")
    comparison.set_defaults(run=guarded(_comparison))

    labels = verbs.add_parser(
        "labels",
        help="the page of a group's labels of a month: what changed and why",
        epilog="Example: labelmill report labels DE-weee 2026-10",
    )
    arguments.add_group_and_period(labels)
    labels.set_defaults(run=guarded(_labels))

    period = verbs.add_parser(
        "period",
        help="a month's page for all groups, the pages it links to, and the index",
        epilog="Example: labelmill report period 2026-10",
    )
    period.add_argument("name", type=arguments.period, metavar="PERIOD", help="such as 2026-10")
    period.set_defaults(run=guarded(_period))

    index = verbs.add_parser(
        "index",
        help="a page on all groups in all months; links to the pages that are in DIR",
        epilog="Example: labelmill report index --out reports",
    )
    index.set_defaults(run=guarded(_index))

    for verb in (comparison, labels, period, index):
        verb.add_argument(
            "--out", type=Path, default=Path("."), metavar="DIR", help="where to write (default: here)"
        )

    workbook = verbs.add_parser(
        "workbook",
        help="a group's labels of a month as a workbook, with the items' texts",
        epilog="Example: labelmill report workbook DE-weee 2026-10",
    )
    arguments.add_group_and_period(workbook)
    workbook.add_argument(
        "--run", dest="of_run", metavar="RUN", help="labels of this run (default: the newest)"
    )
    workbook.add_argument("--out", type=Path, metavar="FILE", help="default: labels-GROUP-PERIOD.xlsx")
    workbook.set_defaults(run=guarded(_workbook))
    add_stack(comparison, labels, period, index, workbook)
    exports.add_verbs(verbs)


def _comparison(args: argparse.Namespace) -> int:
    stack = _stack(args)
    from pipelines.report import files

    print(files.write_comparison(archive(stack), args.name, args.out))
    return 0


def _labels(args: argparse.Namespace) -> int:
    stack = _stack(args)
    from pipelines.report import files

    print(files.write_labels(archive(stack), args.group, args.period, args.out))
    return 0


def _period(args: argparse.Namespace) -> int:
    print(write_period(_stack(args), args.name, args.out))
    return 0


def _workbook(args: argparse.Namespace) -> int:
    stack = _stack(args)
    from pipelines.report import files

    path = args.out or Path(f"labels-{args.group}-{args.period}.xlsx")
    print(files.write_workbook(archive(stack), args.group, args.period, args.of_run, path))
    return 0


def _index(args: argparse.Namespace) -> int:
    stack = _stack(args)
    from pipelines.report import files

    print(files.write_index(archive(stack), args.out))
    return 0


def _stack(args: argparse.Namespace) -> Stack:
    from pipelines.failures import failure

    return failure.open_stack(args.stack)


def archive(stack: Stack) -> Archive:
    """What the pages of a stack are made of."""
    from pipelines.report.archive import Archive

    return Archive(
        s3=stack.client("s3"),
        dynamodb=stack.client("dynamodb"),
        table=stack.table,
        work_bucket=stack.outputs["WorkBucket"],
    )


def write_period(stack: Stack, period: str, folder: Path) -> Path:
    """Write a month's page and those it links to into `folder`; the former's path. Raises ReportError."""
    from pipelines.commands.month import answer
    from pipelines.monitoring import month
    from pipelines.report import files

    standing = month.standing(stack, period, datetime.now(UTC))
    return files.write_period(archive(stack), period, folder, answer(standing))
