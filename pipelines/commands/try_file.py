"""`labelmill try`: what a model would do with a person's own labelled rows, with no stack.

What is done is in pipelines/own_data/trial.py; here it is said in words, and the page is written.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.own_columns import add_columns, lines, said, shown, stated
from pipelines.commands.shared import Subparsers, guarded, print_json, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = """\
The file is CSV, Excel, Parquet or JSON Lines. Its columns are guessed from their
names and from what is in them; name those that are guessed wrongly. Nothing is
uploaded, and nothing but the page is written. docs/own-data.md explains it all.

Exit code: 0 done, 1 it could not be done, 2 the command line was wrong.

Examples:
  labelmill try items.csv
  labelmill try items.xlsx --title Bezeichnung --code Kategorie --html trial.html
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `try` to the command line."""
    parser = subparsers.add_parser(
        "try",
        description="Train on the labelled rows of your own file, and say what to expect.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a file, or a folder of them")
    add_columns(parser)
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="the page (default: FILE's name, -trial.html)"
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=guarded(_try))


def _try(args: argparse.Namespace) -> int:
    page = args.html or Path(f"{args.file.resolve().name.partition('.')[0]}-trial.html")
    _check_writable(page)
    # Several threads on small products only wait for each other; it is read when the libraries are loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from pipelines.own_data import columns, tables

    with tables.opened(args.file, stated(args)) as files:
        table = files.read()
        which = columns.guess(table, said(args), args.attribute)
        for role, option in ((columns.TITLE, "--title"), (columns.CODE, "--code")):
            columns.check_has(which, role, table, option)
        if not args.json:
            print(f"{args.file}:")
            print(
                "\n".join(
                    (*lines(which), *(line for each in which.warnings for line in wrapped(f"Note: {each}.")))
                )
            )
        table = files.read(which.numbers)
    # What trains takes seconds to load: a file that is refused does not wait for it.
    from pipelines.own_data import trial
    from pipelines.own_data.sentences import sentences
    from pipelines.report import trial_page
    from processing.policy import Policy

    found = trial.run(table, which, Policy(), _say)
    found |= {"file": args.file.name, "columns": shown(which), "warnings": list(which.warnings)}
    told = sentences(found)
    page.write_text(trial_page(found, told), encoding="utf-8")
    if args.json:
        return print_json(found | {"page": str(page), "said": told})
    print("\n".join(_lines(found, told)))
    print(f"\nThe page: {page}")
    return 0


def _say(what: str) -> None:
    """Tell who waits; a pipe or a log waits for the result alone."""
    if sys.stderr.isatty():
        print(f"... {what}", file=sys.stderr)


def _check_writable(page: Path) -> None:
    """Raise Refused now, not after a minute, where the page cannot be written."""
    from pipelines.errors import Refused

    folder = page.resolve().parent
    if not folder.is_dir() or page.is_dir() or not os.access(page if page.exists() else folder, os.W_OK):
        raise Refused(f"The page {page} cannot be written. Fix: name another file with --html")


def _lines(found: dict[str, Any], told: dict[str, str]) -> Iterator[str]:
    yield ""
    yield from wrapped(told["rows"])
    yield ""
    yield f"{'points out of 100':20}  {'accuracy':>8}  {'macro-F1':>8}  {'calibration error':>17}"
    for name in ("model", "baseline"):
        each = found[name]
        scores = (100 * each[score] for score in ("accuracy", "macro_f1", "calibration_error"))
        yield "{:20}  {:8.1f}  {:8.1f}  {:17.1f}".format({"model": "this model"}.get(name, name), *scores)
    yield f"(baseline: {found['baseline']['name']})"
    for name in ("accuracy", "review", "advice", "comparison", "half", "needed"):
        if name in told:
            yield ""
            yield from wrapped(told[name])
