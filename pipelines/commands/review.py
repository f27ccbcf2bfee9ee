"""`labelmill review`: the sheet of uncertain items, out and back."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

EPILOG = """\
Fill in the column `code`, leave all others as they are, leave out what you cannot decide.
The sheet is CSV, or a workbook with a list to pick codes from where the file ends in .xlsx.

Examples:
  labelmill review export DE-weee 2026-10 --out review.xlsx
  labelmill review import review.xlsx --by "A. Muster"
"""


def add_parser(subparsers) -> None:
    """Add `review` and its two verbs to the command line."""
    parser = subparsers.add_parser(
        "review",
        help="uncertain items: export a sheet, import decisions",
        description="Export the items a person must look at, import what was decided (docs/outputs.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    export = verbs.add_parser("export", help="write the sheet, the most valuable items first")
    export.add_argument("group", metavar="GROUP", help="a model group, such as DE-weee")
    export.add_argument("period", metavar="PERIOD", help="such as 2026-10")
    export.add_argument(
        "--run", dest="of_run", metavar="RUN", help="labels of this run (default: the newest)"
    )
    export.add_argument("--out", type=Path, metavar="FILE", help="default: review-GROUP-PERIOD.csv")
    export.set_defaults(run=lambda args: _guarded(_export, args))

    bring = verbs.add_parser("import", help="check a filled sheet and publish the labels with its decisions")
    bring.add_argument("file", type=Path, metavar="FILE")
    bring.add_argument("--by", required=True, metavar="NAME", help="who decided; kept with each decision")
    bring.set_defaults(run=lambda args: _guarded(_import, args))

    for verb in (export, bring):
        verb.add_argument(
            "--stack", default="labelmill", help="the CloudFormation stack (default: %(default)s)"
        )


def _guarded(verb, args) -> int:
    """Run one verb; what is known to go wrong becomes a message and exit code 1."""
    from botocore.exceptions import BotoCoreError, ClientError

    from pipelines.codebook import CodebookError
    from pipelines.review import ReviewError
    from pipelines.review_sheet import SheetError
    from pipelines.stack import StackError

    try:
        return verb(args)
    except (ReviewError, SheetError, CodebookError, StackError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1


def _export(args) -> int:
    from pipelines import review, review_sheet

    places = _places(args.stack)
    output = review.published(places, args.group, args.period, args.of_run)
    book = review.current_codebook(places, args.group)
    rows = list(review.sheet(places, output, book))
    if not rows:
        print(f"Nothing waits for a person in {output.address}")
        return 0
    in_force = set(book.in_force(args.period))
    codes = {code.code: code.description for code in book.codes if code.code in in_force}
    path = args.out or Path(f"review-{args.group}-{args.period}.csv")
    review_sheet.write(path, rows, codes)
    print(f"{path}: {len(rows)} items of {output.manifest['run']}\nCodes in force in {args.period}:")
    print("\n".join(f"  {code}  {description}" for code, description in codes.items()))
    return 0


def _import(args) -> int:
    from pipelines import review, review_sheet

    by = " ".join(args.by.split())
    if not by or len(by) > 80 or not by.isprintable():
        raise review.ReviewError(
            "--by is empty, too long or unprintable. Fix: give a name of up to 80 letters"
        )
    rows = list(review_sheet.read(args.file))
    group, period = review.group_and_period(rows, str(args.file))
    places = _places(args.stack)
    output = review.published(places, group, period)
    book = review.current_codebook(places, group)
    decided = review.decisions(rows, output, book, str(args.file))
    run, new = review.send(places, output, decided, by, datetime.now(UTC))
    left = sum(not row["code"] for _, row in rows)
    print(f"{len(decided)} decisions by {by}, {left} left open")
    print(f"The run {run} publishes them" if new else f"They were imported before: see run {run}")
    return 0


def _places(stack: str):
    import boto3

    from pipelines.review import Places
    from pipelines.stack import outputs

    names = outputs(stack, boto3.client("cloudformation"))
    return Places(
        s3=boto3.client("s3"),
        dynamodb=boto3.client("dynamodb"),
        states=boto3.client("stepfunctions"),
        table=names["LedgerTable"],
        work_bucket=names["WorkBucket"],
        machine_arn=names["InferenceMachineArn"],
    )
