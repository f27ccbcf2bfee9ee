"""`labelmill audit`: why an item has its code, as a page; a month with all it rests on, as a bundle."""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.commands import arguments
from pipelines.commands.shared import Subparsers, add_stack, guarded, print_json

if TYPE_CHECKING:
    from pipelines.audit.month import Month
    from pipelines.audit.sources import Sources

EPILOG = """\
Everything is read by the digest or version that was recorded; what is gone is named, and the exit code is 1.
With --run the page and the bundle are the same whenever they are made.

Examples:
  labelmill audit DE-weee 2026-10 DE-00001234
  labelmill audit DE-weee 2026-10 DE-00001234 --json
  labelmill audit DE-weee 2026-10 --bundle DE-weee-2026-10.zip
"""


def _item_id(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"{text!r} is not in UTF-8. Fix: write it so") from None
    return text


def add_parser(subparsers: Subparsers) -> None:
    """Add `audit` to the command line."""
    parser = subparsers.add_parser(
        "audit",
        description="Say why an item has its code, or pack a month for an auditor (docs/audit.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    arguments.add_group_and_period(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "item", metavar="ITEM", nargs="?", type=_item_id, help="an item_id, as it was delivered"
    )
    what.add_argument("--bundle", type=Path, metavar="FILE", help="the whole month, as a ZIP")
    parser.add_argument(
        "--run", dest="of_run", metavar="RUN", help="labels of this run (default: the month's now)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--out", type=Path, metavar="FILE", help="the item's page (default: audit-GROUP-PERIOD-ITEM.html)"
    )
    how.add_argument("--json", action="store_true", help="print the item's as JSON instead of a page")
    add_stack(parser)
    parser.set_defaults(run=guarded(_run))


def _run(args: argparse.Namespace) -> int:
    if args.bundle and (args.json or args.out):
        print(
            f"labelmill audit: {'--json' if args.json else '--out'} is of one item, not of a bundle. "
            "Fix: leave it away, or name an ITEM in place of --bundle",
            file=sys.stderr,
        )
        return 2
    import boto3

    from pipelines.audit.month import month
    from pipelines.audit.sources import Sources
    from pipelines.ledger import reading
    from pipelines.stack import outputs

    names = outputs(args.stack, boto3.client("cloudformation"))
    ledger = reading.read(boto3.client("dynamodb"), names["LedgerTable"], args.group)
    sources = Sources(boto3.client("s3"))
    found = month(sources, ledger, names["WorkBucket"], args.period, args.of_run)
    missing = _bundle(args, sources, found, names) if args.bundle else _item(args, sources, found)
    now = ledger.months.get(args.period, {}).get("run")
    if now != found.manifest["run"]:
        print(f"Note: the labels that are the month's now are those of {now}", file=sys.stderr)
    for sentence in missing:
        print(sentence, file=sys.stderr)
    return 1 if missing else 0


def _item(args: argparse.Namespace, sources: Sources, found: Month) -> list[str]:
    from pipelines.audit.item import audit

    item = audit(sources, found, args.item)
    if args.json:
        print_json(item)
    else:
        print(_write_page(args, item))
    missing: list[str] = item["missing"]
    return missing


def _write_page(args: argparse.Namespace, item: dict[str, Any]) -> Path:
    from pipelines.report import audit_page

    path: Path = args.out or Path(page_name(args.group, args.period, args.item))
    path.write_text(audit_page(item), encoding="utf-8")
    return path


def page_name(group: str, period: str, item: str) -> str:
    """What the page's file is called: no two items share one, and any file system takes it."""
    plain = re.sub("[^a-z0-9A-Z._-]", "_", item)[:100]
    digest = hashlib.sha256(item.encode()).hexdigest()[:8]
    return f"audit-{group}-{period}-{plain if plain == item else f'{plain}-{digest}'}.html"


def _bundle(args: argparse.Namespace, sources: Sources, found: Month, names: dict[str, str]) -> list[str]:
    import boto3

    from pipelines.audit import bundle
    from pipelines.report.archive import Archive

    archive = Archive(
        s3=sources.s3,
        dynamodb=boto3.client("dynamodb"),
        table=names["LedgerTable"],
        work_bucket=names["WorkBucket"],
    )
    missing = bundle.write(sources, found, archive, args.bundle)
    print(args.bundle)
    return missing
