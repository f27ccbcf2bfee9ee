"""The index of reports over a made-up history: what is asked of AWS, time, and the size of the page.

    python -m benchmarks.report_index --groups 60 --months 24 --out build/index.html

Open the page to see what so many groups and months look like. The table is for docs/reports.md.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._report import arguments, show
from pipelines.report import index_page, labels_page_name, page_name
from tests.pipelines.report.made_up import NOTE, History


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--groups", type=int, default=60)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path("build/index.html"), help="where to write the page")
    args = parser.parse_args()
    history = History(args.groups, args.months)
    started = time.perf_counter()
    groups = history.archive().index()
    was_read = time.perf_counter()
    # As if all pages were beside it.
    pages = {page_name(month) for month in history.months}
    pages |= {labels_page_name(group.name, month) for group in groups for month in group.figures}
    pages |= {page_name(verdict.run) for group in groups for verdict in group.verdicts.values()}
    page = index_page(groups, datetime.now(UTC), pages, NOTE)
    was_made = time.perf_counter()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(page, encoding="utf-8")
    row = {
        "groups": len(groups),
        "months": args.months,
        **{f"{name} requests": count for name, count in history.requests.items()},
        "seconds to read": was_read - started,
        "seconds to make": was_made - was_read,
        "KB": round(args.out.stat().st_size / 1000),
    }
    show("The index of reports, from memory instead of AWS", [row], args.json)


if __name__ == "__main__":
    main()
