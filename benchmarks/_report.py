"""What every benchmark shares: its table on the terminal, and the same as data."""

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the option every benchmark has, `--json PATH`."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the same figures as JSON")
    return parser


def show(title: str, rows: list[dict], json_path: Path | None) -> None:
    """Print `rows` (all with the same keys) as a table and, when asked, write them to `json_path`."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(f"{value:.4g}" if isinstance(value, float) else str(value) for value in row.values()))
    # In a file or a pipe nothing is cut to a terminal's width.
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    if json_path:
        json_path.write_text(json.dumps({"title": title, "rows": rows}, indent=1), encoding="utf-8")
