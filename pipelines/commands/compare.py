"""`labelmill compare`: any two models of a group on test rows that both have labelled, without a decision."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.commands.display import lines
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json

EPILOG = """\
Examples:
  labelmill compare DE-weee-2026-08-5e6f7a8b DE-weee-2026-10-1a2b3c4d
  labelmill compare DE-weee-2026-08-5e6f7a8b DE-weee-2026-10-1a2b3c4d --json
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `compare` to the command line."""
    parser = subparsers.add_parser(
        "compare",
        description="Compare any two models of a group on test rows that both have labelled, without a "
        "decision (docs/reports.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("a", metavar="A", help="a model; labelmill models list names them")
    parser.add_argument("b", metavar="B", help="another one of the same group: differences are B minus A")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument(
        "--out", type=Path, default=Path("."), metavar="DIR", help="where to write the page (default: here)"
    )
    shown.add_argument("--json", action="store_true", help="print the figures as JSON, and write no page")
    add_stack(parser)
    parser.set_defaults(run=guarded(_compare))


def _compare(args: argparse.Namespace) -> int:
    from pipelines.commands.report import archive
    from pipelines.failures import failure
    from pipelines.report import files, tested_models, two_models

    found, lineage = tested_models.read(archive(failure.open_stack(args.stack)), args.a, args.b)
    if args.json:
        return print_json(found)
    said = two_models.in_words(found)
    for sentence in said:
        print(lines(sentence))
    print(files.write_models(found, lineage, said, args.out))
    return 0
