"""`labelmill check`: whether a dataset would be taken, before it is sent.

It is judged by processing/dataset/check.py; here it is fetched, and what was found is said in words.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands.arguments import period
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json, wrapped
from pipelines.errors import Refused
from pipelines.names import Dataset, address, is_address, parse_dataset, split_address

if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = 20
EPILOG = """\
Of an address like s3://LANDING/training/DE-weee/2026-10/d1/ the purpose, model
group and period are known. Every kind of finding is explained in docs/input.md.

Exit code: 0 it would be taken, 1 it would not (or could not be read), 2 the
command line was wrong.

Examples:
  labelmill check items.csv --codebook DE-weee.json --purpose inference
  labelmill check dataset/ --codebook DE-weee --purpose training --html check.html
  labelmill check s3://LANDING/training/DE-weee/2026-10/d1/ --json
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `check` to the command line."""
    parser = subparsers.add_parser(
        "check",
        description="Say whether a dataset would be taken, and what is wrong with it, before it is sent.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", metavar="DATASET", help="a file, a folder or an S3 address")
    parser.add_argument("--codebook", metavar="GROUP", help="a model group, or a codebook's file")
    parser.add_argument("--purpose", choices=("training", "inference"), help="what the dataset is for")
    parser.add_argument("--period", metavar="YYYY-MM", type=period, help="its month (default: this one)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    add_stack(parser)
    parser.set_defaults(run=guarded(_check, talks=_talks))


def _talks(args: argparse.Namespace) -> bool:
    """Whether anything is fetched from a stack: the dataset, or the codebook."""
    from pipelines.commands.codebook import is_file

    return is_address(args.dataset) or (bool(args.codebook) and not is_file(args.codebook))


def _check(args: argparse.Namespace) -> int:
    from pipelines.commands.codebook import load
    from processing.codes import codebook
    from processing.dataset.check import check
    from processing.policy import Policy

    known = _known(args.dataset)
    purpose = args.purpose or (known and known.purpose)
    name = args.codebook or (known and known.group)
    if not purpose or not name:
        print(
            "labelmill check: the address does not say what the dataset is. "
            "Fix: add --codebook GROUP and --purpose training or inference",
            file=sys.stderr,
        )
        return 2
    book = load(name, args.stack)
    with _local(args.dataset) as (path, uri):
        found = check(
            path,
            codebook.parse(book),
            Policy.parse(json.dumps(book.get("policy", {}))),
            period=args.period or (known and known.period) or f"{datetime.now(UTC):%Y-%m}",
            purpose=purpose,
            uri=uri,
        )
    found = {"dataset": args.dataset, **found}
    if args.json:
        print_json(found)
    else:
        print("\n".join(lines(found)))
    if args.html:
        from pipelines.report import check_page

        args.html.write_text(check_page(found), encoding="utf-8")
    return 0 if found["taken"] else 1


def _known(dataset: str) -> Dataset | None:
    """What an address says of a dataset; None for one of another form, and for files."""
    if not is_address(dataset):
        return None
    return parse_dataset(split_address(dataset)[1].rstrip("/") + "/")


@contextmanager
def _local(dataset: str) -> Iterator[tuple[Path, str]]:
    """The dataset's file or folder on this machine, and its address; empty where it has none yet."""
    if not is_address(dataset):
        path = Path(dataset)
        if not path.is_file() and not path.is_dir():
            raise Refused(f"{dataset} is no file or folder. Fix: name one that is there, or an S3 address")
        yield path.resolve(), ""
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _fetch(dataset, Path(folder))


def _fetch(dataset: str, folder: Path) -> tuple[Path, str]:
    """Bring what is at an S3 address into `folder`: a single file, or all that lies below."""
    import boto3

    bucket, key = split_address(dataset)
    if not bucket or not key.strip("/"):
        raise Refused(f"{dataset} names nothing in a bucket. Fix: give an address like s3://bucket/key")
    s3 = boto3.client("s3")
    below = key.rstrip("/") + "/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key.rstrip("/"))
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    single = key in keys and not key.endswith("/")
    start = key.rpartition("/")[0] + "/" if single and "/" in key else "" if single else below
    wanted = [key] if single else [each for each in keys if each.startswith(below) and not each.endswith("/")]
    if not wanted:
        raise Refused(f"There is nothing at {dataset}. Fix: give the address of a file or a folder")
    for each in wanted:
        name = each.removeprefix(start)
        if {"", ".", ".."} & set(name.split("/")):
            raise Refused(f"{address(bucket, each)} cannot be a data file's name. Fix: rename it")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, each, str(folder / name))
    return (folder / key.removeprefix(start), "") if single else (folder, address(bucket, below))


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What was found, in words, in lines of at most 80 columns."""
    yield from wrapped(
        f"{found['dataset']}: {found['group']} {found['period']}, {found['purpose']}, "
        f"codebook {found['codebook_version']}"
    )
    for read in found["read"]:
        yield ""
        yield from wrapped(f"Read: {_read(read)}")
        if "header" in read:
            yield from wrapped(f"Header: {', '.join(read['header'])}", "  ")
    if "rows" in found:
        yield ""
        yield from wrapped(f"Rows: {found['rows']:,}, usable {found['usable']:,}{_share_set_aside(found)}")
        columns = (f"{name} ({each['type']}) {each['filled']:,}" for name, each in found["columns"].items())
        yield from wrapped(f"Filled: {', '.join(columns)}", "  ")
    for name, finding in found["findings"].items():
        yield ""
        yield from _finding(name, finding)
    if "codes" in found:
        yield ""
        yield from _codes(found["codes"])
        yield ""
        yield from wrapped(found["comparison"]["sentence"])
    for refused in found["refused"]:
        yield ""
        yield from wrapped(f"{refused['kind'] or 'refused'}: {refused['problem']} Fix: {refused['fix']}")
    if sentence := found.get("set_aside", {}).get("sentence"):
        yield ""
        yield from wrapped(sentence)
    yield ""
    yield "It would be taken." if found["taken"] else "It would be refused."


def _share_set_aside(found: dict[str, Any]) -> str:
    number = found["rows"] - found["usable"]
    return f"; set aside {number:,} ({number / found['rows']:.1%})" if number else ""


def _read(read: dict[str, Any]) -> str:
    """What files were taken for: `2 files as a.csv: csv, utf-8, separated by ';'`."""
    files = read["first"] if read["files"] == 1 else f"{read['files']:,} files like {read['first']}"
    separator = f"separated by {read['separator']!r}" if "separator" in read else ""
    quoting = f"quotes {read['quoting']}" if "quoting" in read else ""
    commas = f"decimal commas in {', '.join(read['decimal_comma'])}" if "decimal_comma" in read else ""
    parts = (read["format"], read.get("encoding"), separator, quoting, commas)
    return f"{files}: {', '.join(filter(None, parts))}"


def _finding(name: str, finding: dict[str, Any]) -> Iterator[str]:
    from processing.dataset.kinds import KINDS

    yield f"{name} ({finding['outcome']}): {finding['count']:,}"
    yield from wrapped(f"{KINDS[name].what} Fix: {KINDS[name].fix}", "  ")
    for place in finding["first"]:
        yield from wrapped(f"- {_place(place)}", "  ")


def _place(place: dict[str, Any]) -> str:
    """Where something was found: `a.csv, row 3: The title is empty.`."""
    row = f", row {place['row']:,}" if place["row"] else ""
    return f"{place['file']}{row}{': ' if place['value'] else ''}{place['value']}"


def _codes(codes: dict[str, dict[str, int]]) -> Iterator[str]:
    yield f"{'code':40}  {'rows':>10}  {'texts':>10}  {'of these test':>13}"
    for code, each in list(codes.items())[:CODES]:
        shown = code if len(code) <= 40 else code[:39] + "…"
        yield f"{shown:40}  {each['rows']:10,}  {each['texts']:10,}  {each['test']:13,}"
    if len(codes) > CODES:
        yield f"and {len(codes) - CODES:,} more: --json has them all"
