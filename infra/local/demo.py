"""`labelmill demo`: two months for three model groups, on this machine, with synthetic items."""

from pathlib import Path

#: Labelled rows that have arrived by the end of each month, and items to label in the second.
MONTHS = {
    "DE-weee": {"2026-09": 1200, "2026-10": 5000},
    "IT-weee": {"2026-09": 4000, "2026-10": 4200},
    "FR-packaging": {"2026-09": 1500, "2026-10": 5000},
}
NEW_ITEMS = 3000
FORMATS = {"DE-weee": "csv.gz", "IT-weee": "parquet", "FR-packaging": "jsonl"}


def add_parser(subparsers) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="two months for three model groups, on this machine",
        description="Runs two months for three model groups on synthetic items: train, compare, label.",
        epilog="Example: labelmill demo --dir /tmp/labelmill-demo",
    )
    parser.add_argument(
        "--dir", type=Path, default=Path(".labelmill/demo"), help="where runs and results are kept"
    )
    parser.set_defaults(run=run)


def run(args) -> int:
    """Run the demo; 0 when every run of every group succeeded."""
    import shutil
    import time

    from infra.local.follow import Follower
    from infra.local.progress import Progress
    from infra.local.stack import LocalStack

    shutil.rmtree(args.dir, ignore_errors=True)
    started = time.monotonic()
    with Progress() as progress, LocalStack(args.dir) as stack:
        progress.say(f"The local stack is up at {stack.endpoint}; everything is kept in {args.dir}/")
        progress.say("All items are synthetic: no figure below is an accuracy on real items.")
        succeeded = two_months(stack, Follower(stack, progress.show), progress.say)
        pages = _write_reports(stack, args.dir / "reports")
        results = [_result(stack, group) for group in MONTHS]
    progress.results(results, pages, args.dir, time.monotonic() - started)
    return 0 if succeeded else 1


def two_months(stack, follower, say) -> bool:
    """Drop the datasets of both months and follow what comes of them; True when every run succeeded."""
    statuses = []
    _publish_codebooks(stack)
    for month in ("2026-09", "2026-10"):
        say(f"\n{month}: datasets for training arrive")
        for group, rows in MONTHS.items():
            _deliver(stack, "training", group, month, 0, rows[month])
        statuses.append(follower.until_ended("comparison", MONTHS, "comparison"))
    say("\n2026-10: new items arrive, to be labelled by the winners")
    for group, rows in MONTHS.items():
        _deliver(stack, "inference", group, "2026-10", rows["2026-10"], NEW_ITEMS)
    statuses.append(follower.until_ended("inference", MONTHS, "inference"))
    stack.wait_until_quiet(timeout_seconds=60)
    return all(status == "SUCCEEDED" for each in statuses for status in each.values())


def _publish_codebooks(stack) -> None:
    from infra.local.samples import generate
    from infra.local.samples.deliver import publish

    for group in MONTHS:
        publish(stack, generate.codebook(group, "2026-09"))


def _deliver(stack, purpose: str, group: str, month: str, start: int, count: int) -> None:
    import pyarrow as pa

    from infra.local.samples import generate
    from infra.local.samples.deliver import deliver

    table = pa.Table.from_pylist(generate.items(group, start, count, labelled=purpose == "training"))
    deliver(stack, f"{purpose}/{group}/{month}/d1/", table, FORMATS[group])


def _write_reports(stack, folder: Path) -> list[Path]:
    """A page for each month over all groups and, beside it, those of its comparisons."""
    from pipelines.report import files
    from pipelines.report.archive import Archive

    archive = Archive(
        s3=stack.client("s3"),
        dynamodb=stack.client("dynamodb"),
        table=stack.names["LedgerTable"],
        work_bucket=stack.names["WorkBucket"],
    )
    folder.mkdir()
    return [files.write_period(archive, month, folder) for month in ("2026-09", "2026-10")]


def _result(stack, group: str) -> dict:
    """One line of the table: the decisions on the group, and the counts of its labelled files."""
    from infra.local import results

    decided = results.decisions(stack, group)
    labels = results.published(stack, group)
    last, manifest = (decided or [{}])[-1], (labels or [{}])[-1]
    return {
        "group": group,
        "rows": MONTHS[group]["2026-10"],
        "verdict": ", then ".join(decision["verdict"] for decision in decided) or "none",
        "reason": last.get("reason", ""),
        "score": float(last["score"]) if last else None,
        "labelled": manifest.get("labelled"),
        "to review": manifest.get("review"),
        "files": _path(manifest.get("address", "").removesuffix("manifest.json")),
        "evidence": _path(last.get("evidence", "")),
    }


def _path(address: str) -> str:
    """Where the run folder keeps the object at an S3 address."""
    return address.replace("s3://", "s3/")
